/**
 * What the edge measures, with cells kept at hand.
 *
 * @module
 */
import type { Counter, Family, Histogram, Metrics } from '@flotilla/core/metrics'

/** Counters of the edge. */
export class EdgeMetrics {
  readonly #requests: Family<Counter>
  readonly #durations: Family<Histogram>
  readonly #deprecated: Family<Counter>
  readonly #cells = new Map<string, { readonly count: Counter; readonly duration: Histogram }>()

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter('flotilla_gateway_requests_total', 'Requests answered.', [
      'operation',
      'status',
    ])
    this.#durations = metrics.histogram(
      'flotilla_gateway_duration_seconds',
      'From the head of a request to its answer.',
      ['operation'],
    )
    this.#deprecated = metrics.counter(
      'flotilla_gateway_deprecated_requests_total',
      'Requests for operations that are going to go, by the tier of who asks.',
      ['operation', 'tier'],
    )
  }

  /** Counts one request; `operation` is '-' where none matched. */
  ended(operation: string, status: number, durationMs: number): void {
    const key = `${operation} ${status}`
    let cell = this.#cells.get(key)
    if (cell === undefined) {
      cell = {
        count: this.#requests.with(operation, String(status)),
        duration: this.#durations.with(operation),
      }
      this.#cells.set(key, cell)
    }
    cell.count.add()
    cell.duration.observe(durationMs)
  }

  /** Counts one request for an operation that is going to go; without a tier it is not known who asks. */
  deprecated(operation: string, tier = '-'): void {
    this.#deprecated.with(operation, tier).add()
  }
}
