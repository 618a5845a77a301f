/**
 * What sagas tell of themselves in numbers.
 *
 * @module
 */
import type { Gauge, Histogram, Metrics } from '../telemetry/metrics.ts'
import type { Entry } from './plan.ts'
import type { Claimed } from './rows.ts'

const COUNTED = ['ready', 'running', 'waiting', 'parked'] as const

/** The numbers of one service's sagas. */
export class SagaMetrics {
  readonly #metrics: Metrics
  readonly #names: readonly string[]

  constructor(metrics: Metrics, names: readonly string[]) {
    this.#metrics = metrics
    this.#names = names
  }

  /** One entry of a saga's history. */
  count({ name, step, direction }: Claimed, entry: Entry): void {
    this.#metrics
      .counter('flotilla_saga_steps_total', 'Attempts of steps of sagas.', [
        'saga',
        'step',
        'direction',
        'outcome',
      ])
      .with(name, step, direction, entry)
      .add()
  }

  /** One attempt. */
  observe({ name, step }: Claimed, durationMs: number): void {
    this.#durations(name, step).observe(durationMs)
  }

  /** How many sagas there are, in the whole service. */
  set(counts: readonly { readonly name: string; readonly status: string; readonly count: number }[]): void {
    for (const name of this.#names) for (const status of COUNTED) this.#gauge(name, status).set(0)
    for (const { name, status, count } of counts) this.#gauge(name, status).set(count)
  }

  #durations(name: string, step: string): Histogram {
    return this.#metrics
      .histogram('flotilla_saga_step_duration_seconds', 'Time of one attempt of a step of a saga.', [
        'saga',
        'step',
      ])
      .with(name, step)
  }

  #gauge(name: string, status: string): Gauge {
    return this.#metrics
      .gauge('flotilla_sagas', 'Sagas of the service that have not ended.', ['saga', 'status'])
      .with(name, status)
  }
}
