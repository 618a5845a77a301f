/**
 * A foreign HTTP server behind the gateway, or several that are alike: the choice among them, what goes wrong with them, and one
 * exchange with one of them.
 *
 * A request is made again, elsewhere, when it is safe to and nothing of an answer has come.
 *
 * @module
 */
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { type AnswerTaker, Attempt, type UpstreamRequest } from './attempt.ts'
import type { ClientOptions } from './client-connection.ts'
import { Connections } from './connections.ts'
import { dialOf } from './dial.ts'
import { headText } from './request-text.ts'
import { type Target, Targets, type TargetsRuntime } from './targets.ts'

/** How to reach it. */
export interface UpstreamSettings {
  /** Origins. */
  readonly targets: readonly string[]
  /** Milliseconds until the head of an answer, and between its parts. Default 30,000. */
  readonly timeoutMs?: number | undefined
  /** How often a request is made again. Default 1. */
  readonly retries?: number | undefined
  /** Connections to each target. Default 128. */
  readonly connections?: number | undefined
}

const TIMEOUT_MS = 30_000
const CONNECTIONS = 128
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const TO_WEB_SOCKET = 'connection: upgrade\r\nupgrade: websocket\r\n'

interface Server {
  readonly host: string
  readonly connections: Connections
}

/** A foreign server. */
export class Upstream {
  readonly #targets: Targets
  readonly #servers = new Map<string, Server>()
  readonly #retries: number

  constructor(settings: UpstreamSettings, runtime: TargetsRuntime) {
    const { clock } = runtime
    const { targets, timeoutMs = TIMEOUT_MS, retries = 1, connections = CONNECTIONS } = settings
    this.#retries = retries
    this.#targets = new Targets(targets, runtime)
    const shared: Omit<ClientOptions, 'dial'> = { clock, wheel: new TimerWheel(clock), timeoutMs }
    for (const target of targets) {
      const { origin, host } = new URL(target)
      if (this.#servers.has(origin)) continue
      const options = { ...shared, dial: dialOf(origin), connectionsMax: connections }
      this.#servers.set(origin, { host, connections: new Connections(options) })
    }
  }

  /**
   * Makes a request.
   *
   * @throws FlotillaError `internal`, and nothing is sent, when something of it cannot be.
   */
  send(request: UpstreamRequest, taker: AnswerTaker): void {
    this.#attempt(request, taker, this.#targets.first(), [])
  }

  /** Lets exchanges end, and closes the connections. */
  close(): void {
    for (const { connections } of this.#servers.values()) connections.close()
  }

  /** Cuts what is on its way. */
  destroy(): void {
    for (const { connections } of this.#servers.values()) connections.destroy()
  }

  #attempt(
    request: UpstreamRequest,
    taker: AnswerTaker,
    target: Target | undefined,
    tried: readonly Target[],
  ): void {
    if (target === undefined) return taker.fail(unreachable())
    const { host, connections } = this.#servers.get(target.id) as Server
    const text = headText(request, host, taker.opened === undefined ? '' : TO_WEB_SOCKET)
    const attempt = new Attempt(request, text, taker, target.begin(), (cause) => {
      const mayRepeat = !attempt.hasBegun && isRepeatable(request) && tried.length < this.#retries
      const now = [...tried, target]
      const again = mayRepeat ? this.#targets.next(now) : undefined
      if (again === undefined) taker.fail(isFlotillaError(cause) ? cause : unreachable(cause))
      else this.#attempt(request, taker, again, now)
    })
    attempt.start(connections)
  }
}

/** A body that was begun to be read is gone. */
function isRepeatable({ method, body, cancellation }: UpstreamRequest): boolean {
  return REPEATABLE.has(method) && body === undefined && cancellation.error === undefined
}

/** The text is for the logs: clients are told something general. */
function unreachable(cause = new Error('All of its kind have failed lately.')): FlotillaError {
  return new FlotillaError('unavailable', `The server behind this route does not answer: ${cause.message}`, {
    status: 502,
    executed: 'maybe',
    cause,
  })
}
