/**
 * What is known of one request, for those who ask later: one line in the access log, its metrics and its span.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { FlotillaError } from '@flotilla/core/error'
import type { Operation } from '@flotilla/core/operation'
import type { RouteMatch } from '@flotilla/core/router'
import type { Attributes } from '@flotilla/core/spans'
import { TraceContext } from '@flotilla/core/trace-context'
import type { How } from '../cache/outcome.ts'
import type { Turn } from '../http/turn.ts'
import type { RequestHead } from '../match/request-head.ts'
import type { Asker } from './asker.ts'
import type { Edge } from './equipment.ts'
import type { Route } from './route.ts'

const REFUSED_PATH_CHARS_MAX = 200

/** Attributes of spans, by the status of the answer: one object for each, since there is a span for every request. */
const byStatus = new Map<number, Attributes>()

function answered(status: number): Attributes {
  let attributes = byStatus.get(status)
  if (attributes === undefined) {
    attributes = { 'http.response.status_code': status }
    byStatus.set(status, attributes)
  }
  return attributes
}

/** A request, as it becomes known. */
export class RequestRecord {
  readonly startMs: number
  readonly trace: TraceContext
  readonly #edge: Edge
  readonly #turn: Turn
  #path = ''
  #parentTrace: string | undefined
  #userAgent: string | undefined
  #deprecated: Operation | undefined
  address = ''
  /** Who asks; undefined: nobody in particular, or not known yet. */
  asker: Asker | undefined
  route: Route | undefined
  /** The foreign server that answers, by its name. */
  upstream: string | undefined
  /** What the cache had to do with it; undefined: nothing. */
  cache: How | undefined

  constructor(edge: Edge, turn: Turn) {
    const { clock, random, isSampled } = edge.runtime
    this.#edge = edge
    this.#turn = turn
    this.startMs = clock.monotonicMs()
    this.trace = TraceContext.start(random, isSampled())
  }

  /** What the client calls it; undefined: nothing, and then it goes by the id of the trace, which travels anyway. */
  givenId: string | undefined

  get user(): User | undefined {
    return this.asker?.user
  }

  get requestId(): string {
    return this.givenId ?? this.trace.traceId
  }

  /** The request is refused for what its head is. */
  refused(): void {
    const { target, remoteAddress } = this.#turn
    this.#path = (target.split('?', 1)[0] as string).slice(0, REFUSED_PATH_CHARS_MAX)
    this.address = this.#edge.addressOf(remoteAddress, undefined)
  }

  /** The head is read. */
  headed({ path, requestId, userAgent, traceparent, forwardedFor }: RequestHead): void {
    this.#path = path
    this.givenId = requestId
    this.#userAgent = userAgent
    // The client's trace is not continued: who may write into ours would decide what is recorded.
    if (traceparent !== undefined) this.#parentTrace = TraceContext.parse(traceparent)?.traceId
    this.address = this.#edge.addressOf(this.#turn.remoteAddress, forwardedFor)
  }

  /** What was asked for is going to go, whoever answers. Gives the fields by which the answer says so: names and values in turn. */
  endOf({ operation, parameters }: RouteMatch): readonly string[] {
    this.#deprecated = operation
    return this.#edge.routes.get(operation)?.deprecationFields?.(parameters) ?? []
  }

  /** The answer is on its way, or is not to be had. */
  ended(status: number, bytes: number, error: FlotillaError | undefined): void {
    const { accessLog, metrics, runtime } = this.#edge
    const durationMs = runtime.clock.monotonicMs() - this.startMs
    const { method } = this.#turn
    const operation = this.route?.operation.id
    const { trace, upstream } = this
    metrics.ended(operation ?? (upstream === undefined ? '-' : `upstream ${upstream}`), status, durationMs)
    if (this.#deprecated !== undefined) metrics.deprecated(this.#deprecated.id, this.user?.tier)
    const name = this.route?.spanName ?? (upstream === undefined ? method : `${method} ${upstream}`)
    const code = error?.code ?? 'ok'
    runtime.spans.record(name, 'server', trace, undefined, this.startMs, durationMs, code, answered(status))
    accessLog?.add({
      method,
      path: this.#path,
      operation,
      upstream,
      status,
      durationMs,
      bytes,
      address: this.address,
      peer: this.#turn.peer,
      userId: this.user?.id,
      requestId: this.requestId,
      traceId: trace.traceId,
      parentTrace: this.#parentTrace,
      userAgent: this.#userAgent,
      code: error?.code,
      cache: this.cache,
      error: status >= 500 ? error?.message : undefined,
    })
  }
}
