/**
 * What the cache measures, by operation.
 *
 * @module
 */
import type { Counter, Metrics } from '@flotilla/core/metrics'
import type { How } from './outcome.ts'

/** Counters of one operation. */
export interface RouteMetrics {
  readonly asked: Readonly<Record<How, Counter>>
  readonly stored: Counter
  readonly evicted: Counter
  /** Answers that were read before something changed and came after it. */
  readonly overtaken: Counter
}

/** Counters of the cache. */
export class CacheMetrics {
  /** Answers forgotten because what they tell of has changed. */
  readonly forgotten: Counter
  readonly #metrics: Metrics

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    this.forgotten = metrics
      .counter('flotilla_gateway_cache_forgotten_total', 'Answers forgotten because something changed.')
      .with()
  }

  /** The counters of an operation. */
  of(operation: string): RouteMetrics {
    const asked = this.#metrics.counter(
      'flotilla_gateway_cache_requests_total',
      'Requests for what is kept.',
      ['operation', 'how'],
    )
    const counter = (name: string, help: string): Counter =>
      this.#metrics.counter(`flotilla_gateway_cache_${name}_total`, help, ['operation']).with(operation)
    return {
      asked: {
        hit: asked.with(operation, 'hit'),
        stale: asked.with(operation, 'stale'),
        miss: asked.with(operation, 'miss'),
        collapsed: asked.with(operation, 'collapsed'),
        bypass: asked.with(operation, 'bypass'),
      },
      stored: counter('stored', 'Answers kept.'),
      evicted: counter('evicted', 'Answers forgotten for want of room.'),
      overtaken: counter('overtaken', 'Answers not kept because something changed meanwhile.'),
    }
  }

  /** Shows what is there when it is looked at. */
  show(look: () => { readonly bytes: number; readonly count: number; readonly isCurrent: boolean }): void {
    const gauge = (name: string, help: string) =>
      this.#metrics.gauge(`flotilla_gateway_cache_${name}`, help).with()
    const bytes = gauge('bytes', 'Memory that kept answers take, about.')
    const entries = gauge('entries', 'Answers that are kept.')
    const current = gauge(
      'current',
      '1 while the cache hears of every event; 0: what depends on events is not used.',
    )
    this.#metrics.onScrape(() => {
      const seen = look()
      bytes.set(seen.bytes)
      entries.set(seen.count)
      current.set(seen.isCurrent ? 1 : 0)
    })
  }
}
