/**
 * The frame format, version 1. `docs/wire.md` says the same in prose, for other languages.
 *
 * Every frame is a 4-byte length (of what follows it), one byte of kind, and what the kind wants. Numbers are unsigned,
 * big-endian. Text is UTF-8.
 *
 * ```
 * CALL, 52 bytes and more          REPLY, ERROR, ITEM, END, CANCEL, CREDIT, 12 bytes and more
 *  0  u32 length                    0  u32 length
 *  4  u8  kind = 3                  4  u8  kind
 *  5  u8  flags                     5  u8  flags (REPLY, ERROR), 2 bytes zero
 *  6  u16 operation                 8  u32 call
 *  8  u32 call                     12  body (REPLY, ITEM: encoded value; ERROR: JSON; CREDIT: u32 items)
 * 12  u32 milliseconds left
 * 16  u32 principal, 0 = none      PRINCIPAL
 * 20  u8  caller, 255 = none        0  u32 length
 * 21  u8  criticality               4  u8  kind = 10, 3 bytes zero
 * 22  u16 bytes of headers          8  u32 principal, from 1
 * 24  16 bytes trace id            12  user token
 * 40   8 bytes parent span id
 * 48  u32 stream credit            HELLO, WELCOME: kind, 3 bytes zero, JSON from byte 8
 * 52  headers, then body           PING, PONG, GOODBYE: kind, 3 bytes zero
 * ```
 *
 * @module
 */
import { FlotillaError } from '../../kernel/error.ts'

/** The version spoken here. */
export const PROTOCOL_VERSION = 1

/** What a frame is. */
export const kinds = {
  hello: 1,
  welcome: 2,
  call: 3,
  reply: 4,
  error: 5,
  cancel: 6,
  item: 7,
  end: 8,
  credit: 9,
  principal: 10,
  ping: 11,
  pong: 12,
  goodbye: 13,
} as const

/** Flags of a CALL. */
export const callFlags = { isSampled: 1, isStream: 2, wantsJson: 4 } as const

/** Flags of a REPLY or ERROR. */
export const replyFlags = { isReplayed: 1, isJson: 2 } as const

/** True when the flag is set in a CALL, REPLY or ERROR. */
export function hasFlag(frame: Buffer, flag: number): boolean {
  return ((frame[5] as number) & flag) !== 0
}

/** Bytes before the headers of a CALL. */
export const CALL_HEAD_BYTES = 52

/** Bytes before the body of every frame that belongs to a call but the CALL itself. */
export const REPLY_HEAD_BYTES = 12

/** Bytes before the JSON of HELLO and WELCOME. */
export const HELLO_HEAD_BYTES = 8

/** "No caller" in the caller field. */
export const NO_CALLER = 255

/** "No deadline" in the milliseconds field. */
export const NO_DEADLINE = 0xffff_ffff

/** How bodies may be encoded, the best first. */
export const encodings = ['msgpack-records', 'json'] as const

/** One of them. */
export type EncodingName = (typeof encodings)[number]

/** The other side broke the protocol: the connection cannot be trusted any further. */
export function protocolError(what: string, cause?: unknown): FlotillaError {
  return new FlotillaError('internal', `The peer sent ${what}.`, { cause })
}

/** Bounds of a connection; the defaults fit processes on one machine and on one network. */
export interface FrameLimits {
  /** Bytes of one frame. Default 4 MiB. */
  readonly frameBytesMax: number
  /** Calls on their way at once, per connection. Default 4,096. */
  readonly inFlightMax: number
  /** Unsent bytes after which new calls are refused (client) or no more are read (server). Default 8 MiB. */
  readonly unsentBytesMax: number
  /** Silence after which a PING asks whether the other side is there. Default 5,000; a second such silence ends it. */
  readonly pingMs: number
  /** Items of a stream on their way at once. Default 64. */
  readonly streamCredit: number
}

/** The defaults. */
export const frameLimits: FrameLimits = {
  frameBytesMax: 4 * 1024 * 1024,
  inFlightMax: 4_096,
  unsentBytesMax: 8 * 1024 * 1024,
  pingMs: 5_000,
  streamCredit: 64,
}

/** Headers of a CALL that are set seldom; anything else in there is skipped. */
export interface CallHeaders {
  readonly requestId?: string | undefined
  readonly idempotencyKey?: string | undefined
}

/** Bytes one header's value may have. */
const HEADER_BYTES_MAX = 4_096

const HEADER_NAMES = { requestId: 'request-id', idempotencyKey: 'idempotency-key' } as const

/**
 * Writes headers: for each u8 length and name, u16 length and value. Undefined when there are none.
 *
 * @throws FlotillaError `invalid_argument` when a value is longer than 4,096 bytes.
 */
export function encodeHeaders(headers: CallHeaders): Buffer | undefined {
  const parts: Buffer[] = []
  for (const [field, name] of Object.entries(HEADER_NAMES)) {
    const value = headers[field as keyof CallHeaders]
    if (value === undefined) continue
    const text = Buffer.from(value)
    if (text.length > HEADER_BYTES_MAX) {
      const message = `The ${name} is longer than ${HEADER_BYTES_MAX} bytes.`
      throw new FlotillaError('invalid_argument', message, { executed: 'no' })
    }
    const head = Buffer.alloc(1 + name.length + 2)
    head.writeUInt8(name.length, 0)
    head.write(name, 1)
    head.writeUInt16BE(text.length, 1 + name.length)
    parts.push(head, text)
  }
  return parts.length === 0 ? undefined : Buffer.concat(parts)
}

/** Reads what `encodeHeaders` wrote, from `start` to `end` of `frame`. */
export function decodeHeaders(frame: Buffer, start: number, end: number): CallHeaders {
  const found: Record<string, string> = {}
  let at = start
  while (at < end) {
    const nameEnd = at + 1 + frame.readUInt8(at)
    const valueEnd = nameEnd + 2 + (nameEnd + 2 <= end ? frame.readUInt16BE(nameEnd) : 0)
    if (nameEnd + 2 > end || valueEnd > end) throw protocolError('headers that run over their end')
    found[frame.toString('utf8', at + 1, nameEnd)] = frame.toString('utf8', nameEnd + 2, valueEnd)
    at = valueEnd
  }
  return { requestId: found[HEADER_NAMES.requestId], idempotencyKey: found[HEADER_NAMES.idempotencyKey] }
}
