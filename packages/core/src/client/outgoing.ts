/**
 * An operation of another service as this process calls it: the callee, and what was measured. The mirror of
 * `service/served.ts`.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import type { Code } from '../kernel/code.ts'
import type { Ports } from '../kernel/context.ts'
import type { Directory } from '../registry/directory.ts'
import { RetryBudget } from '../resilience/retry-budget.ts'
import type { Counter, Histogram, Metrics } from '../telemetry/metrics.ts'
import type { Channel } from '../wire/wire.ts'
import { Readiness } from './readiness.ts'
import type { OpenChannel } from './target.ts'
import { Targets } from './targets.ts'

/** A tenth of the calls may be retries; one a second always. */
const RETRIES = { ratio: 0.1, floorPerSec: 1 }

/** What reaching a service takes. */
export interface CalleeOptions {
  readonly ports: Ports
  readonly metrics: Metrics
  readonly directory: Directory
  readonly openChannel: OpenChannel
  /** The channel to a service in this process, if it is here. */
  readonly localChannel: (service: string) => Channel | undefined
}

/** A service this process calls: shared by all its operations. */
export class Callee {
  readonly service: string
  readonly local: Channel | undefined
  readonly targets: Targets
  readonly readiness: Readiness
  readonly budget = new RetryBudget(RETRIES)
  readonly retries: Counter

  constructor(service: string, options: CalleeOptions) {
    this.service = service
    this.local = options.localChannel(service)
    this.targets = new Targets(service, options.directory, options.openChannel, options.ports.random)
    this.readiness = new Readiness(options.ports.clock)
    this.retries = options.metrics
      .counter('flotilla_client_retries_total', 'Calls made again.', ['service'])
      .with(service)
  }
}

/** An operation to call. */
export class OutgoingOperation {
  readonly operation: Operation
  readonly callee: Callee
  readonly #durations: Histogram
  readonly #ok: Counter
  readonly #metrics: Metrics

  constructor(operation: Operation, callee: Callee, metrics: Metrics) {
    this.operation = operation
    this.callee = callee
    this.#metrics = metrics
    this.#durations = metrics
      .histogram('flotilla_client_duration_seconds', 'Time until a call was answered.', ['operation'])
      .with(operation.id)
    this.#ok = this.#counter('ok')
  }

  /** Counts one call. */
  ended(code: Code | 'ok', durationMs: number): void {
    this.#durations.observe(durationMs)
    if (code === 'ok') this.#ok.add()
    else this.#counter(code).add()
  }

  #counter(code: Code | 'ok'): Counter {
    return this.#metrics
      .counter('flotilla_client_calls_total', 'Calls made.', ['operation', 'code'])
      .with(this.operation.id, code)
  }
}
