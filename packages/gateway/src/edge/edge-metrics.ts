/**
 * What the edge measures, with cells kept at hand.
 *
 * @module
 */
import type { Counter, Family, Histogram, Metrics } from '@flotilla/core/metrics'

/** Those of one operation. */
interface Cells {
  readonly byStatus: Map<number, Counter>
  readonly duration: Histogram
}

/** Counters of the edge. */
export class EdgeMetrics {
  readonly #requests: Family<Counter>
  readonly #durations: Family<Histogram>
  readonly #deprecated: Family<Counter>
  readonly #cells = new Map<string, Cells>()

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
    let cells = this.#cells.get(operation)
    if (cells === undefined) {
      cells = { byStatus: new Map(), duration: this.#durations.with(operation) }
      this.#cells.set(operation, cells)
    }
    let count = cells.byStatus.get(status)
    if (count === undefined) {
      count = this.#requests.with(operation, String(status))
      cells.byStatus.set(status, count)
    }
    count.add()
    cells.duration.observe(durationMs)
  }

  /** Counts one request for an operation that is going to go; without a tier it is not known who asks. */
  deprecated(operation: string, tier = '-'): void {
    this.#deprecated.with(operation, tier).add()
  }
}
