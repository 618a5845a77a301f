/**
 * One line for every request, built by hand and written in batches: a logger would cost as much as the rest of the gateway.
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
const BUFFER_CHARS = 32 * 1024
const USER_AGENT_CHARS_MAX = 200

/** Gathers lines. */
export class AccessLog {
  readonly #clock: Clock
  readonly #instance: string
  readonly #write: (text: string) => void
  #buffer = ''
  #timer: Timer | undefined
  /** The time changes far more seldom than lines are written. */
  #second = 0
  #secondText = ''

  constructor(clock: Clock, instance: string, write: (text: string) => void) {
    this.#clock = clock
    this.#instance = instance
    this.#write = write
  }

  add(entry: AccessEntry): void {
    this.#buffer += this.#line(entry)
    if (this.#buffer.length > BUFFER_CHARS) this.flush()
    else this.#timer ??= this.#clock.schedule(FLUSH_MS, () => this.flush())
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const text = this.#buffer
    this.#buffer = ''
    if (text !== '') this.#write(text)
  }

  #line(entry: AccessEntry): string {
    const { protocol, tlsVersion } = entry.peer
    const { operation, upstream, userId, parentTrace, userAgent, code, cache, error } = entry
    return `{"level":"info","timestamp":"${this.#time()}","service":"gateway","instance":"${this.#instance}","message":"request","method":"${entry.method}","path":${JSON.stringify(entry.path)}${
      operation === undefined ? '' : `,"operation":"${operation}"`
    }${upstream === undefined ? '' : `,"upstream":"${upstream}"`},"status":${entry.status},"duration_ms":${entry.durationMs.toFixed(2)},"bytes":${entry.bytes},"client_ip":"${entry.address}","protocol":"${protocol}"${
      tlsVersion === undefined ? '' : `,"tls":"${tlsVersion}"`
    }${
      userId === undefined ? '' : `,"user_id":${JSON.stringify(userId)}`
    },"request_id":${JSON.stringify(entry.requestId)},"trace_id":"${entry.traceId}"${
      parentTrace === undefined ? '' : `,"parent_trace_id":"${parentTrace}"`
    }${
      userAgent === undefined
        ? ''
        : `,"user_agent":${JSON.stringify(userAgent.slice(0, USER_AGENT_CHARS_MAX))}`
    }${code === undefined ? '' : `,"code":"${code}"`}${cache === undefined ? '' : `,"cache":"${cache}"`}${error === undefined ? '' : `,"error":${JSON.stringify(error)}`}}\n`
  }

  #time(): string {
    const nowMs = this.#clock.now()
    const second = Math.floor(nowMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = isoTime(second * 1000).slice(0, 20)
    }
    return `${this.#secondText}${String(nowMs % 1000).padStart(3, '0')}Z`
  }
}

/** Where the lines go: a file by its path, standard output by ''. */
export function openLogFile(path: string): { write(text: string): void; close(): void } {
  const file = path === '' ? 1 : openSync(path, 'a')
  let isOpen = true
  return {
    write: (text) => {
      // The line of a request that was cut when the gateway left may come later than its end; nobody would catch what it threw.
      if (isOpen) writeSync(file, text)
    },
    close: () => {
      isOpen = false
      if (file !== 1) closeSync(file)
    },
  }
}
