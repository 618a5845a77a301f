/**
 * Frames of HTTP/2 as bytes, so that tests can send what no client would.
 *
 * @source RFC 9113, 4 and 6; RFC 7541, 6.2.2 (a field that is spelled out and not remembered)
 * @module
 */
import type { TLSSocket } from 'node:tls'
import { systemClock } from '@flotilla/core/clock'

/** Kinds of frames. */
export const kinds = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goAway: 7,
  window: 8,
  continuation: 9,
} as const
/** Flags of frames. */
export const END_STREAM = 1
export const END_HEADERS = 4
/** What every connection begins with, empty settings included. */
export const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame('settings', 0, 0),
])

/** A field: name and value. */
export type Field = readonly [name: string, value: string]

/** A frame. */
export function frame(
  kind: keyof typeof kinds,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = kinds[kind]
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A frame with the head of a request, whole in it. */
export function headers(stream: number, fields: readonly Field[], flags = END_HEADERS | END_STREAM): Buffer {
  return frame('headers', flags, stream, block(fields))
}

/** A frame that takes a stream back. */
export function reset(stream: number, code = 8): Buffer {
  return frame('reset', 0, stream, number(code))
}

/** Four bytes. */
export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Fields without any compression. */
export function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

/** A frame that came back. */
export interface Seen {
  readonly kind: string
  readonly flags: number
  readonly stream: number
  readonly payload: Buffer
}

/** What came back so far. */
export interface Received {
  readonly frames: readonly Seen[]
  readonly isClosed: boolean
  /** Of the monotonic clock, in milliseconds; undefined while it is open. */
  readonly closedAtMs: number | undefined
}

/** Sends bytes behind the preface; what comes back is read as it comes. */
export function speak(socket: TLSSocket, ...parts: readonly Buffer[]): () => Received {
  let bytes: Buffer = Buffer.alloc(0)
  let closedAtMs: number | undefined
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
  })
  // To be cut is what most of them are here for.
  socket.on('error', () => {})
  socket.on('close', () => {
    closedAtMs = systemClock.monotonicMs()
  })
  socket.write(Buffer.concat([PREFACE, ...parts]))
  return () => ({ frames: framesOf(bytes), isClosed: closedAtMs !== undefined, closedAtMs })
}

function framesOf(bytes: Buffer): Seen[] {
  const names = Object.keys(kinds)
  const frames: Seen[] = []
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3)
    if (at + 9 + length > bytes.length) break
    frames.push({
      kind: names[bytes[at + 3] as number] ?? '?',
      flags: bytes[at + 4] as number,
      stream: bytes.readUInt32BE(at + 5),
      payload: bytes.subarray(at + 9, at + 9 + length),
    })
    at += 9 + length
  }
  return frames
}

/** Status of the answer on a stream, as far as HPACK's static table has it or it is spelled out; 0: there is none. */
export function statusOf({ frames }: Received, stream: number): number {
  const head = frames.find((one) => one.kind === 'headers' && one.stream === stream)?.payload
  if (head === undefined) return 0
  const indexed: Readonly<Record<number, number>> = {
    136: 200,
    137: 204,
    138: 206,
    139: 304,
    140: 400,
    141: 404,
    142: 500,
  }
  // It is the first field, which may follow a change of the table's size.
  const start = head.findIndex((byte) => byte >= 0x80 || (byte & 0xe0) !== 0x20)
  const known = indexed[head[start] as number]
  if (known !== undefined) return known
  const length = head[start + 1] as number
  return length >= 0x80
    ? huffmanDigits(head.subarray(start + 2))
    : Number(head.toString('latin1', start + 2, start + 2 + length))
}

/** The three digits of a status in HPACK's Huffman code: 0 to 2 have five bits, the others six. */
function huffmanDigits(bytes: Buffer): number {
  const bits = [...bytes.subarray(0, 3)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let at = 0
  let digits = ''
  while (digits.length < 3) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2)
    if (five <= 2) {
      digits += five
      at += 5
    } else {
      digits += Number.parseInt(bits.slice(at, at + 6), 2) - 0b011001 + 3
      at += 6
    }
  }
  return Number(digits)
}

/** Code of the frame that reset a stream; undefined: it was not. */
export function resetCode({ frames }: Received, stream: number): number | undefined {
  return frames.find((one) => one.kind === 'reset' && one.stream === stream)?.payload.readUInt32BE(0)
}

/** Code of the frame by which the gateway said that it goes; undefined: it has not. */
export function goAwayCode({ frames }: Received): number | undefined {
  return frames.find((one) => one.kind === 'goAway')?.payload.readUInt32BE(4)
}
