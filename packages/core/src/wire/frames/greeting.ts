/**
 * How a connection begins: the calling side says HELLO, the answering side WELCOME. Both are JSON, whatever encoding
 * they agree on, and are believed only after every field was looked at.
 *
 * @module
 */
import { FlotillaError } from '../../kernel/error.ts'
import {
  type EncodingName,
  encodings,
  HELLO_HEAD_BYTES,
  kinds,
  PROTOCOL_VERSION,
  protocolError,
} from './format.ts'
import type { FrameWriter } from './frame-writer.ts'

/** The least a side may ask for: an error must fit. */
const FRAME_BYTES_MAX_MIN = 1_024

/** First frame of the side that calls. */
export interface Hello {
  readonly magic: 'flotilla'
  readonly version: number
  /** Encodings it can read and write, the one it likes best first. */
  readonly encodings: readonly string[]
  /** Signed statement of which services it runs; absent: it speaks for nobody. */
  readonly credential?: string | undefined
  /** Services it may name as caller, by index; at most 255. */
  readonly callers: readonly string[]
  /** Bytes of the longest frame it takes, at least 1,024; absent: as long as the answering side sends. */
  readonly frameBytesMax?: number | undefined
}

/** The answer. */
export interface Welcome {
  readonly version: number
  readonly encoding: EncodingName
  /** Who answers. */
  readonly instance: string
  /** Operation ids; a CALL names one by its index here. */
  readonly operations: readonly string[]
  readonly frameBytesMax: number
  readonly inFlightMax: number
}

/** Sends a HELLO. */
export function sendHello(writer: FrameWriter, hello: Hello): void {
  sendGreeting(writer, kinds.hello, hello)
}

/** Sends a WELCOME. */
export function sendWelcome(writer: FrameWriter, welcome: Welcome): void {
  sendGreeting(writer, kinds.welcome, welcome)
}

function sendGreeting(writer: FrameWriter, kind: number, greeting: Hello | Welcome): void {
  const start = writer.begin(kind, HELLO_HEAD_BYTES)
  writer.append(Buffer.from(JSON.stringify(greeting)))
  writer.end(start, Number.POSITIVE_INFINITY)
}

/** @throws FlotillaError `unimplemented` when it is of another version, `internal` when it is no HELLO. */
export function readHello(frame: Buffer): Hello {
  const { magic, version, encodings: names, credential, callers, frameBytesMax } = readGreeting<Hello>(frame)
  if (magic !== 'flotilla') throw protocolError('a HELLO that is none')
  requireVersion(version)
  const isSound =
    isTexts(names) &&
    isTexts(callers) &&
    callers.length <= 255 &&
    (credential === undefined || typeof credential === 'string') &&
    (frameBytesMax === undefined || isAtLeast(FRAME_BYTES_MAX_MIN, frameBytesMax))
  if (!isSound) throw protocolError('a HELLO that is none')
  return { magic, version, encodings: names, credential, callers, frameBytesMax }
}

/** The first of a HELLO's encodings that is known here. */
export function chooseEncoding(hello: Hello): EncodingName {
  for (const name of hello.encodings) {
    const known = encodings.find((one) => one === name)
    if (known !== undefined) return known
  }
  throw protocolError('a HELLO without an encoding known here')
}

/** @throws FlotillaError `unimplemented` when it is of another version, `internal` when it is no WELCOME. */
export function readWelcome(frame: Buffer): Welcome {
  const { version, encoding, instance, operations, frameBytesMax, inFlightMax } = readGreeting<Welcome>(frame)
  requireVersion(version)
  const isSound =
    encoding !== undefined &&
    encodings.includes(encoding) &&
    typeof instance === 'string' &&
    isTexts(operations) &&
    isAtLeast(FRAME_BYTES_MAX_MIN, frameBytesMax) &&
    isAtLeast(1, inFlightMax)
  if (!isSound) throw protocolError('a WELCOME that is none')
  return { version, encoding, instance, operations, frameBytesMax, inFlightMax }
}

/** Every field still unknown: they come from outside. */
function readGreeting<T extends object>(frame: Buffer): Partial<T> {
  try {
    return { ...(JSON.parse(frame.toString('utf8', HELLO_HEAD_BYTES)) as Partial<T>) }
  } catch (cause) {
    throw protocolError('a greeting that is not JSON', cause)
  }
}

function requireVersion(version: unknown): asserts version is number {
  if (version === PROTOCOL_VERSION) return
  throw new FlotillaError('unimplemented', `This side speaks version ${PROTOCOL_VERSION} only.`, {
    executed: 'no',
  })
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function isAtLeast(minimum: number, value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= minimum
}
