/**
 * An operation together with all that answering it takes, looked up once per call.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import type { Code } from '../kernel/code.ts'
import { ConcurrencyBound } from '../resilience/concurrency.ts'
import type { Counter, Histogram, Metrics } from '../telemetry/metrics.ts'
import type { SpanRing } from '../telemetry/spans.ts'
import type { ScopeEnvironment } from './call-scope.ts'
import type { AnyHandler } from './definition.ts'
import type { IdempotencyStore } from './idempotency.ts'

/** How much a service answers at once, by default: enough to keep a pool of ten connections busy, with reserve. */
const CONCURRENCY_DEFAULT = 256
/** How many more may wait: as long as they are short, waiting is better than refusing. */
const QUEUE_SHARE = 0.5

/** What all operations of one service share. */
export interface ServedService {
  readonly environment: ScopeEnvironment
  readonly bound: ConcurrencyBound
  readonly spans: SpanRing
  /** Absent: the service has no database to keep keys in. */
  readonly idempotency: IdempotencyStore | undefined
}

/** One operation, ready to be answered. */
export class ServedOperation {
  readonly operation: Operation
  readonly handler: AnyHandler
  readonly service: ServedService
  readonly durations: Histogram
  #ok: Counter | undefined
  readonly #failed = new Map<Code, Counter>()
  readonly #metrics: Metrics

  constructor(operation: Operation, handler: AnyHandler, service: ServedService, metrics: Metrics) {
    this.operation = operation
    this.handler = handler
    this.service = service
    this.#metrics = metrics
    this.durations = metrics
      .histogram('flotilla_server_duration_seconds', 'Time to answer a call.', ['operation'])
      .with(operation.id)
  }

  /** The counter of answers with `code`. */
  answered(code: Code | 'ok'): Counter {
    if (code === 'ok') {
      this.#ok ??= this.#counter('ok')
      return this.#ok
    }
    let counter = this.#failed.get(code)
    if (counter === undefined) {
      counter = this.#counter(code)
      this.#failed.set(code, counter)
    }
    return counter
  }

  #counter(code: Code | 'ok'): Counter {
    return this.#metrics
      .counter('flotilla_server_calls_total', 'Calls answered.', ['operation', 'code'])
      .with(this.operation.id, code)
  }
}

/** The bound on what one service answers at once. */
export function serviceBound(limit = CONCURRENCY_DEFAULT): ConcurrencyBound {
  return new ConcurrencyBound(limit, Math.floor(limit * QUEUE_SHARE))
}
