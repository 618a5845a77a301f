/**
 * A foreign HTTP server behind the gateway, or several that are alike: the choice among them, what goes wrong with them, and one
 * exchange with one of them.
 *
 * A request is made again, elsewhere, when it is safe to and nothing of an answer has come.
 *
 * @module
 */
import type { Duplex, Readable } from 'node:stream'
import type { CancelListener, Cancellation } from '@flotilla/core/cancellation'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'
import type { Dispatcher } from 'undici'
import { type Outcome, type Target, Targets } from './targets.ts'

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

/** A request. */
export interface UpstreamRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Undefined: that of the target. */
  readonly host: string | undefined
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: Readable | undefined
  readonly cancellation: Cancellation
}

/** Fields of an answer as they came. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Takes the answer. */
export interface AnswerTaker {
  /** `resume` may be called after `part` said that it is enough. */
  head(status: number, headers: UpstreamHeaders, resume: () => void): void
  /** False: for now it is enough. */
  part(part: Buffer): boolean
  end(): void
  /** There is none, or no more of it. */
  fail(error: FlotillaError): void
}

/** Takes a WebSocket. */
export interface SocketTaker {
  opened(headers: UpstreamHeaders, socket: Duplex): void
  fail(error: FlotillaError): void
}

const TIMEOUT_MS = 30_000
const CONNECT_MS = 2_000
const CONNECTIONS = 128
const REPEATABLE = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const SERVER_FAULT = 500

/** A foreign server. */
export class Upstream {
  readonly #targets: Targets
  readonly #settings: UpstreamSettings
  #agent: Promise<Dispatcher> | undefined

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    this.#settings = settings
    this.#targets = new Targets(settings.targets, clock, random)
  }

  /** Makes a request. */
  send(request: UpstreamRequest, taker: AnswerTaker): void {
    this.#open()
      .then((agent) => this.#attempt(agent, request, taker, this.#targets.first(), []))
      .catch((cause: unknown) => taker.fail(unreachable(cause)))
  }

  /** Opens a WebSocket: `request` has the fields that ask for it. Not made again: connections are not counted as slow or failing, either. */
  open(request: UpstreamRequest, taker: SocketTaker): void {
    const target = this.#targets.first()
    if (target === undefined) return taker.fail(unreachable())
    const options = { ...dispatchOptions(request, target.id), upgrade: 'websocket' as const }
    this.#open()
      .then((agent) => void agent.dispatch(options, new Opening(request.cancellation, taker)))
      .catch((cause: unknown) => taker.fail(unreachable(cause)))
  }

  /** Lets exchanges end, and closes the connections. */
  async close(): Promise<void> {
    await (await this.#agent)?.close()
  }

  /** Cuts what is on its way. */
  async destroy(): Promise<void> {
    await (await this.#agent)?.destroy()
  }

  #open(): Promise<Dispatcher> {
    const { timeoutMs = TIMEOUT_MS, connections = CONNECTIONS } = this.#settings
    this.#agent ??= import('undici').then(
      ({ default: { Agent } }) =>
        new Agent({
          connections,
          pipelining: 1,
          connect: { timeout: CONNECT_MS },
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
          maxHeaderSize: 16 * 1024,
        }),
    )
    return this.#agent
  }

  #attempt(
    agent: Dispatcher,
    request: UpstreamRequest,
    taker: AnswerTaker,
    target: Target | undefined,
    tried: readonly Target[],
  ): void {
    if (target === undefined) return taker.fail(unreachable())
    const asked = target.begin()
    const attempt = new Attempt(request, taker, asked.answered, (outcome, error) => {
      asked.ended(outcome)
      if (error === undefined) return
      const { retries = 1 } = this.#settings
      const mayRepeat = !attempt.hasBegun && isRepeatable(request) && tried.length < retries
      const now = [...tried, target]
      const again = mayRepeat ? this.#targets.next(now) : undefined
      if (again === undefined) taker.fail(error)
      else this.#attempt(agent, request, taker, again, now)
    })
    try {
      agent.dispatch(dispatchOptions(request, target.id), attempt)
    } catch (cause) {
      // Thrown before anything is sent: something of the request cannot be.
      attempt.onResponseError(undefined, cause as Error)
    }
  }
}

function dispatchOptions(
  { path, method, headers, host, body }: UpstreamRequest,
  origin: string,
): Dispatcher.DispatchOptions {
  return {
    origin,
    path,
    method: method as Dispatcher.HttpMethod,
    headers: [...headers, 'host', host ?? new URL(origin).host],
    body: body ?? null,
  }
}

/** One try; tells of its end once. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly #request: UpstreamRequest
  readonly #taker: AnswerTaker
  readonly #answered: () => void
  readonly #ended: (outcome: Outcome, error?: FlotillaError) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #isOver = false
  /** True when something of an answer has come. */
  hasBegun = false

  constructor(
    request: UpstreamRequest,
    taker: AnswerTaker,
    answered: () => void,
    ended: (outcome: Outcome, error?: FlotillaError) => void,
  ) {
    this.#request = request
    this.#taker = taker
    this.#answered = answered
    this.#ended = ended
  }

  /** For the cancellation of the request. */
  canceled(error: FlotillaError): void {
    this.#controller?.abort(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    const { error } = this.#request.cancellation
    if (error !== undefined) controller.abort(error)
    else this.#request.cancellation.listen(this)
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    // What is announced is no answer yet.
    if (status < 200) return
    this.hasBegun = true
    this.#answered()
    this.#status = status
    this.#taker.head(status, headers, () => controller.resume())
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (!this.#taker.part(part)) controller.pause()
  }

  onResponseEnd(): void {
    this.#end(this.#status >= SERVER_FAULT ? 'failed' : 'well')
    this.#taker.end()
  }

  onResponseError(_: unknown, cause: Error): void {
    // What is the matter with the request, or who asked for it, says nothing of the server.
    const ours = this.#request.cancellation.error ?? (isFlotillaError(cause) ? cause : undefined)
    this.#end(ours === undefined ? 'failed' : 'unknown', ours ?? unreachable(cause))
  }

  #end(outcome: Outcome, error?: FlotillaError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#request.cancellation.unlisten(this)
    this.#ended(outcome, error)
  }
}

/** A WebSocket that is being opened; from then on it is its taker's. */
class Opening implements Dispatcher.DispatchHandler, CancelListener {
  readonly #cancellation: Cancellation
  readonly #taker: SocketTaker
  #controller: Dispatcher.DispatchController | undefined

  constructor(cancellation: Cancellation, taker: SocketTaker) {
    this.#cancellation = cancellation
    this.#taker = taker
  }

  canceled(error: FlotillaError): void {
    this.#controller?.abort(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    const { error } = this.#cancellation
    if (error !== undefined) controller.abort(error)
    else this.#cancellation.listen(this)
  }

  onRequestUpgrade(_: unknown, __: number, headers: UpstreamHeaders, socket: Duplex): void {
    this.#cancellation.unlisten(this)
    this.#taker.opened(headers, socket)
  }

  onResponseError(_: unknown, cause: Error): void {
    this.#cancellation.unlisten(this)
    this.#taker.fail(unreachable(cause))
  }
}

/** A body that was begun to be read is gone. */
function isRepeatable({ method, body, cancellation }: UpstreamRequest): boolean {
  return REPEATABLE.has(method) && body === undefined && cancellation.error === undefined
}

function unreachable(cause?: unknown): FlotillaError {
  return new FlotillaError('unavailable', 'The server behind this route does not answer.', {
    status: 502,
    executed: 'maybe',
    cause,
  })
}
