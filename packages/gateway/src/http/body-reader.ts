/**
 * Bodies of requests, as they come: of a length, or in chunks. Pure: bytes in, bytes out.
 *
 * @source RFC 9112, 6 and 7; `docs/security.md` for what is stricter
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import { isHopeless, readFieldLines } from './raw-head.ts'

/** Takes bytes as they come. */
export interface BodyReader {
  /** True when it has come to its end. */
  readonly isComplete: boolean
  /**
   * Takes what `bytes` has of the body, from `start` on; returns where it stopped.
   *
   * @throws FlotillaError `invalid_argument`: this is no body, and what follows cannot be read at all.
   */
  read(bytes: Buffer, start: number, take: (part: Buffer) => void): number
}

/** A body of a length in bytes. */
export class LengthReader implements BodyReader {
  #left: number

  constructor(length: number) {
    this.#left = length
  }

  get isComplete(): boolean {
    return this.#left === 0
  }

  read(bytes: Buffer, start: number, take: (part: Buffer) => void): number {
    const end = Math.min(bytes.length, start + this.#left)
    if (end > start) take(bytes.subarray(start, end))
    this.#left -= end - start
    return end
  }
}

const TOKEN = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const QUOTED = '"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
const SIZE_LINE = new RegExp(`^([0-9A-Fa-f]{1,8})(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)*$`)
/** A size and its extensions. */
const SIZE_LINE_CHARS_MAX = 1_024
/** As many as a head may have. */
const TRAILER_CHARS_MAX = 16 * 1024
/** What chunks may have of sizes, extensions and line ends: as much as of data, and so much more. */
const FRAMING_BYTES_MORE = 16 * 1024
const LINE_FEED = 10
const FRAMING = new Set(['content-length', 'transfer-encoding'])

/**
 * A body in chunks. Trailers are read, and dropped. Chunks that are mostly framing are refused: it costs more to read than to send.
 *
 * @source CVE-2023-39326
 */
export class ChunkedReader implements BodyReader {
  #framingBytesLeft = FRAMING_BYTES_MORE
  #expects: 'size' | 'data' | 'data end' | 'trailers' | 'nothing' = 'size'
  #left = 0
  #line = ''
  #trailers = ''

  get isComplete(): boolean {
    return this.#expects === 'nothing'
  }

  read(bytes: Buffer, start: number, take: (part: Buffer) => void): number {
    let at = start
    while (at < bytes.length && this.#expects !== 'nothing') {
      if (this.#expects === 'data') {
        const end = Math.min(bytes.length, at + this.#left)
        take(bytes.subarray(at, end))
        this.#framingBytesLeft += end - at
        this.#left -= end - at
        at = end
        if (this.#left === 0) this.#expects = 'data end'
      } else at = this.#readLine(bytes, at)
    }
    return at
  }

  #readLine(bytes: Buffer, start: number): number {
    const isTrailer = this.#expects === 'trailers'
    const feed = bytes.indexOf(LINE_FEED, start)
    const end = feed < 0 ? bytes.length : feed + 1
    if (!isTrailer) this.#framingBytesLeft -= end - start
    if (this.#framingBytesLeft < 0) throw tooSmall()
    if (this.#line.length + end - start > (isTrailer ? TRAILER_CHARS_MAX : SIZE_LINE_CHARS_MAX))
      throw tooLong(isTrailer)
    this.#line += bytes.toString('latin1', start, end)
    if (feed >= 0) {
      const line = this.#line
      this.#line = ''
      if (!line.endsWith('\r\n')) throw malformed()
      this.#takeLine(line.slice(0, -2))
    } else if (isHopeless(this.#line)) throw malformed()
    return end
  }

  #takeLine(line: string): void {
    if (this.#expects === 'data end') {
      if (line !== '') throw malformed()
      this.#expects = 'size'
    } else if (this.#expects === 'size') {
      const size = SIZE_LINE.exec(line)?.[1]
      if (size === undefined) throw malformed()
      this.#left = Number.parseInt(size, 16)
      this.#expects = this.#left === 0 ? 'trailers' : 'data'
    } else if (line === '') {
      checkTrailers(this.#trailers)
      this.#expects = 'nothing'
    } else {
      this.#trailers += this.#trailers === '' ? line : `\r\n${line}`
      if (this.#trailers.length > TRAILER_CHARS_MAX) throw tooLong(true)
    }
  }
}

function checkTrailers(text: string): void {
  // Whole lines: a CR at their end is no half of anything.
  if (isHopeless(`${text}\r\n`)) throw malformed()
  const fields = readFieldLines(text, 0)
  if (fields === undefined) throw malformed()
  // Somebody else might take them for what they are in a head.
  if (fields.some((field, index) => index % 2 === 0 && FRAMING.has(field.toLowerCase()))) throw malformed()
}

function malformed(): FlotillaError {
  return new FlotillaError('invalid_argument', 'The chunks of the body are malformed.', { executed: 'no' })
}

function tooSmall(): FlotillaError {
  return new FlotillaError('invalid_argument', 'The chunks of the body are too small.', { executed: 'no' })
}

function tooLong(isTrailers: boolean): FlotillaError {
  const what = isTrailers ? 'The trailers' : 'A chunk size and its extensions'
  const status = isTrailers ? 431 : 400
  return new FlotillaError('invalid_argument', `${what} are too long.`, { status, executed: 'no' })
}
