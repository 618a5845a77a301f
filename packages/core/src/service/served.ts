/**
 * An operation together with all that answering it takes, looked up once per call.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import type { Code } from '../kernel/code.ts'
import { criticalities } from '../kernel/context.ts'
import type { Admission, Refusal } from '../resilience/admission.ts'
import type { Counter, Gauge, Histogram, Metrics } from '../telemetry/metrics.ts'
import { type Attributes, waits } from '../telemetry/spans.ts'
import type { ScopeEnvironment } from './call-scope.ts'
import type { AnyHandler } from './definition.ts'
import type { IdempotencyStore } from './idempotency.ts'
import { WAITING_MS } from './overload.ts'

/** What all operations of one service share. */
export interface ServedService {
  readonly environment: ScopeEnvironment
  /** Absent: the service has no database to keep keys in. */
  readonly idempotency: IdempotencyStore | undefined
}

/** One operation, ready to be answered. */
export class ServedOperation {
  readonly operation: Operation
  readonly handler: AnyHandler
  readonly service: ServedService
  readonly durations: Histogram
  /** Of the spans of its calls. */
  readonly attributes: Attributes | undefined
  /** Who of its calls runs now. A stream has one that it does not use. */
  readonly admission: Admission
  #ok: Counter | undefined
  readonly #failed = new Map<Code, Counter>()
  readonly #refused = new Map<Refusal, Counter[]>()
  readonly #metrics: Metrics

  constructor(
    operation: Operation,
    handler: AnyHandler,
    service: ServedService,
    admission: Admission,
    metrics: Metrics,
  ) {
    this.operation = operation
    this.handler = handler
    this.service = service
    this.admission = admission
    this.attributes = operation.kind === 'stream' || operation.timeoutMs > WAITING_MS ? waits : undefined
    this.#metrics = metrics
    this.durations = metrics
      .histogram('flotilla_server_duration_seconds', 'Time to answer a call.', ['service', 'operation'])
      .with(operation.service, operation.id)
    if (operation.kind !== 'stream') this.#showAdmission()
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

  /** The counter of calls refused for `refusal`; `rank` is the place of the class in `criticalities`. */
  refused(refusal: Refusal, rank: number): Counter {
    let counters = this.#refused.get(refusal)
    if (counters === undefined) {
      const family = this.#metrics.counter('flotilla_server_refused_total', 'Calls refused for overload.', [
        'service',
        'operation',
        'criticality',
        'why',
      ])
      counters = criticalities.map((criticality) =>
        family.with(this.operation.service, this.operation.id, criticality, refusal),
      )
      this.#refused.set(refusal, counters)
    }
    return counters[rank] as Counter
  }

  #showAdmission(): void {
    const { admission, operation } = this
    const gauge = (name: string, help: string): Gauge =>
      this.#metrics.gauge(name, help, ['service', 'operation']).with(operation.service, operation.id)
    const limit = gauge('flotilla_server_limit', 'How many calls may run at once.')
    const running = gauge('flotilla_server_running', 'Calls that run.')
    const queued = gauge('flotilla_server_queued', 'Calls that wait for a place.')
    this.#metrics.onScrape(() => {
      limit.set(admission.limit)
      running.set(admission.running)
      queued.set(admission.queued)
    })
  }

  #counter(code: Code | 'ok'): Counter {
    return this.#metrics
      .counter('flotilla_server_calls_total', 'Calls answered.', ['service', 'operation', 'code'])
      .with(this.operation.service, this.operation.id, code)
  }
}
