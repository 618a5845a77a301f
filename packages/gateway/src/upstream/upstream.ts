/**
 * A foreign HTTP server behind the gateway, or several that are alike: the choice among them, what goes wrong with them, and one
 * exchange with one of them.
 *
 * A request is made again, elsewhere, when it is safe to and nothing of an answer has come.
 *
 * @module
 */
import type { Duplex, Readable } from 'node:stream'
import { Balancer } from '@flotilla/core/balancer'
import { InstanceBreaker } from '@flotilla/core/breaker'
import type { Cancellation } from '@flotilla/core/cancellation'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { PeakEwma } from '@flotilla/core/peak-ewma'
import type { Random } from '@flotilla/core/random'
import type { Dispatcher } from 'undici'

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
  /** Bytes of the body; undefined: unknown, or there is none. */
  readonly length: number | undefined
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

class Target {
  readonly id: string
  readonly weight = 1
  readonly zone = ''
  readonly slowStart = undefined
  readonly ewma = new PeakEwma()
  readonly breaker: InstanceBreaker

  constructor(origin: string, random: Random) {
    this.id = origin
    this.breaker = new InstanceBreaker(random)
  }

  isAvailable(nowMs: number): boolean {
    return this.breaker.isAvailable(nowMs)
  }
}

/** A foreign server. */
export class Upstream {
  readonly #clock: Clock
  readonly #balancer: Balancer
  readonly #targets: readonly Target[]
  readonly #settings: UpstreamSettings
  #agent: Promise<Dispatcher> | undefined

  constructor(settings: UpstreamSettings, clock: Clock, random: Random) {
    this.#settings = settings
    this.#clock = clock
    this.#balancer = new Balancer(random)
    this.#targets = settings.targets.map((origin) => new Target(new URL(origin).origin, random))
  }

  /** Makes a request. */
  send(request: UpstreamRequest, taker: AnswerTaker): void {
    this.#open()
      .then((agent) => this.#attempt(agent, request, taker, new Set()))
      .catch((cause: unknown) => taker.fail(unreachable(cause)))
  }

  /** Opens a WebSocket: `request` has the fields that ask for it. Not made again: connections are not counted as slow or failing, either. */
  open(request: UpstreamRequest, taker: SocketTaker): void {
    const target = this.#balancer.pick(this.#targets, this.#clock.monotonicMs())
    if (target === undefined) return taker.fail(unreachable())
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(controller) {
        request.cancellation.listen({ canceled: (error) => controller.abort(error) })
      },
      onRequestUpgrade: (_, __, headers, socket) => taker.opened(headers, socket),
      onResponseError: (_, cause) => taker.fail(unreachable(cause)),
    }
    const options = { ...dispatchOptions(request, target.id), upgrade: 'websocket' as const }
    this.#open()
      .then((agent) => void agent.dispatch(options, handler))
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

  #attempt(agent: Dispatcher, request: UpstreamRequest, taker: AnswerTaker, tried: Set<Target>): void {
    const startMs = this.#clock.monotonicMs()
    const untried = this.#targets.filter((target) => !tried.has(target))
    const target = this.#balancer.pick(untried.length > 0 ? untried : this.#targets, startMs)
    if (target === undefined) return taker.fail(unreachable())
    tried.add(target)
    const attempt = new Attempt(request, taker, (hasFailed, error) => {
      const nowMs = this.#clock.monotonicMs()
      target.ewma.end(nowMs, nowMs - startMs, hasFailed)
      if (hasFailed) target.breaker.fail(nowMs)
      else target.breaker.succeed()
      if (error === undefined) return
      const { retries = 1 } = this.#settings
      if (attempt.hasBegun || !isRepeatable(request) || tried.size > retries) taker.fail(error)
      else this.#attempt(agent, request, taker, tried)
    })
    target.ewma.begin()
    target.breaker.begin(startMs)
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
  readonly #ended: (hasFailed: boolean, error?: FlotillaError) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #isOver = false
  /** True when something of an answer has come. */
  hasBegun = false

  constructor(
    request: UpstreamRequest,
    taker: AnswerTaker,
    ended: (hasFailed: boolean, error?: FlotillaError) => void,
  ) {
    this.#request = request
    this.#taker = taker
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
    this.#status = status
    this.#taker.head(status, headers, () => controller.resume())
  }

  onResponseData(controller: Dispatcher.DispatchController, part: Buffer): void {
    if (!this.#taker.part(part)) controller.pause()
  }

  onResponseEnd(): void {
    this.#end(this.#status >= SERVER_FAULT)
    this.#taker.end()
  }

  onResponseError(_: unknown, cause: Error): void {
    // What is the matter with the request, or who asked for it, says nothing of the server.
    const ours = this.#request.cancellation.error ?? (isFlotillaError(cause) ? cause : undefined)
    this.#end(ours === undefined, ours ?? unreachable(cause))
  }

  #end(hasFailed: boolean, error?: FlotillaError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#request.cancellation.unlisten(this)
    this.#ended(hasFailed, error)
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
