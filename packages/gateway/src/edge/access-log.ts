/**
 * One line for every request, built by hand and written in batches: a logger would cost as much as the rest of the gateway.
 *
 * Requests wait to become lines until there are some, because making a line right after a request takes about twice as long: all it needs has to come into
 * the processor's caches, and what the next request needs has to come back. A crash may lose the lines of the last moments, as with any log that is buffered.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { type Clock, isoTime, type Timer } from '@flotilla/core/clock'
import type { Peer } from '../http/tls-front.ts'

/** What a line tells. */
export interface AccessEntry {
  readonly method: string
  /** Without query string: that may hold what does not belong into a log. */
  readonly path: string
  /** Id of the operation; absent where no route matched. */
  readonly operation: string | undefined
  /** Name of the foreign server that was asked. */
  readonly upstream: string | undefined
  readonly status: number
  readonly durationMs: number
  readonly bytes: number
  readonly address: string
  readonly peer: Pick<Peer, 'protocol' | 'tlsVersion'>
  readonly userId: string | undefined
  readonly requestId: string
  readonly traceId: string
  /** Trace the client says it is in; ours is a new one. */
  readonly parentTrace: string | undefined
  readonly userAgent: string | undefined
  readonly code: string | undefined
  /** What the cache had to do with it; absent where it has nothing to. */
  readonly cache: string | undefined
  /** What was the matter, where the client was not told. */
  readonly error: string | undefined
}

const FLUSH_MS = 200
/** A batch costs some 60 µs whatever is in it, a line one or two: with 16 a request is 5 % dearer, with 64 still 3 %. */
const ENTRIES_MAX = 256
const BUFFER_BYTES = 128 * 1024
const PATH_CHARS_MAX = 8_192
const TEXT_CHARS_MAX = 200
const ERROR_CHARS_MAX = 1_000
/** One of the longest: a character may take six, as `\u00ff` does, and nothing else in a line comes near the path. */
const LINE_BYTES_MAX = 6 * PATH_CHARS_MAX + 16 * 1024
/** What JSON has to say otherwise, and what is not ASCII. */
const PLAIN = /^[ !#-[\]-~]*$/

/** What a log is made of. */
export interface AccessLogOptions {
  readonly clock: Clock
  readonly instance: string
  /** May throw. */
  readonly write: (bytes: Uint8Array) => void
  /** So many lines could not be written. */
  readonly onLost: (lines: number, error: unknown) => void
}

/** Gathers lines. */
export class AccessLog {
  readonly #options: AccessLogOptions
  readonly #bytes = Buffer.alloc(BUFFER_BYTES + LINE_BYTES_MAX)
  readonly #entries: AccessEntry[] = []
  readonly #times = new Float64Array(ENTRIES_MAX)
  #timer: Timer | undefined
  #second = -1
  #begin = ''
  readonly #source: string
  readonly #operation = new Part((id) => `,"operation":"${id}"`)
  readonly #address = new Part((address) => `,"client_ip":"${address}","protocol":"`)
  readonly #user = new Part((id) => `,"user_id":${quoted(id)}`)
  readonly #userAgent = new Part((name) => `,"user_agent":${quoted(name)}`)

  constructor(options: AccessLogOptions) {
    this.#options = options
    this.#source = `Z","service":"gateway","instance":"${options.instance}","message":"request","method":"`
  }

  add(entry: AccessEntry): void {
    const { clock } = this.#options
    this.#times[this.#entries.length] = clock.now()
    if (this.#entries.push(entry) === ENTRIES_MAX) this.flush()
    else this.#timer ??= clock.schedule(FLUSH_MS, () => this.flush())
  }

  /** Writes what there is. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const entries = this.#entries
    let text = ''
    let lines = 0
    for (let index = 0; index < entries.length; index++) {
      text += this.#line(entries[index] as AccessEntry, this.#times[index] as number)
      lines++
      if (text.length < BUFFER_BYTES) continue
      this.#put(text, lines)
      text = ''
      lines = 0
    }
    if (lines > 0) this.#put(text, lines)
    entries.length = 0
  }

  #put(text: string, lines: number): void {
    const { write, onLost } = this.#options
    try {
      write(this.#bytes.subarray(0, this.#bytes.write(text, 'latin1')))
    } catch (error) {
      // A disk that is full stops no requests.
      onLost(lines, error)
    }
  }

  #line(entry: AccessEntry, nowMs: number): string {
    const { operation, upstream, userId, requestId, traceId, parentTrace, userAgent, code, cache, error } =
      entry
    const { protocol, tlsVersion } = entry.peer
    let line = `${this.#time(nowMs)}${this.#source}${entry.method}","path":${quoted(entry.path, PATH_CHARS_MAX)}`
    if (operation !== undefined) line += this.#operation.of(operation)
    if (upstream !== undefined) line += `,"upstream":"${upstream}"`
    line += `,"status":${entry.status},"duration_ms":${hundredths(entry.durationMs)},"bytes":${entry.bytes}`
    line += this.#address.of(entry.address) + protocol
    line += tlsVersion === undefined ? '"' : `","tls":"${tlsVersion}"`
    if (userId !== undefined) line += this.#user.of(userId)
    line += `,"request_id":${requestId === traceId ? `"${traceId}"` : quoted(requestId)},"trace_id":"${traceId}"`
    if (parentTrace !== undefined) line += `,"parent_trace_id":"${parentTrace}"`
    if (userAgent !== undefined) line += this.#userAgent.of(userAgent)
    if (code !== undefined) line += `,"code":"${code}"`
    if (cache !== undefined) line += `,"cache":"${cache}"`
    if (error !== undefined) line += `,"error":${quoted(error, ERROR_CHARS_MAX)}`
    return `${line}}\n`
  }

  /** The beginning of a line. The second changes far more seldom than lines are written. */
  #time(nowMs: number): string {
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#begin = `{"level":"info","timestamp":"${isoTime(second * 1000).slice(0, 20)}`
    }
    return this.#begin + (thousandths[Math.floor(nowMs) - second * 1000] as string)
  }
}

/** A part of a line that often is what it was in the line before. */
class Part {
  readonly #make: (value: string) => string
  #value: string | undefined
  #text = ''

  constructor(make: (value: string) => string) {
    this.#make = make
  }

  of(value: string): string {
    if (value !== this.#value) {
      this.#value = value
      this.#text = this.#make(value)
    }
    return this.#text
  }
}

const digits = (length: number): readonly string[] =>
  Array.from({ length: 10 ** length }, (_, value) => String(value).padStart(length, '0'))
const [fractions, thousandths] = [digits(2), digits(3)]

/** As `toFixed(2)`, in a fifth of its time. */
function hundredths(value: number): string {
  const all = Math.round(value * 100)
  return `${Math.floor(all / 100)}.${fractions[all % 100] as string}`
}

/** The beginning of `text` as JSON, in ASCII. */
function quoted(text: string, charsMax = TEXT_CHARS_MAX): string {
  const its = text.length > charsMax ? text.slice(0, charsMax) : text
  if (PLAIN.test(its)) return `"${its}"`
  return JSON.stringify(its).replace(
    /[^ -~]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** Where the lines go: a file by its path, standard output by ''. */
export function openLogFile(path: string): { write(bytes: Uint8Array): void; close(): void } {
  const file = path === '' ? 1 : openSync(path, 'a')
  let isOpen = true
  return {
    write: (bytes) => {
      // The line of a request that was cut when the gateway left may come later than its end.
      for (let at = 0; isOpen && at < bytes.length; ) at += writeSync(file, bytes, at)
    },
    close: () => {
      isOpen = false
      if (file !== 1) closeSync(file)
    },
  }
}
