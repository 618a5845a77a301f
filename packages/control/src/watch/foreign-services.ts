/**
 * Services that are none of the system's, and send it their spans: programs of others that ask ours, or are asked.
 *
 * They have no counters of ours, so their figures are those of the spans that came.
 *
 * @module
 */
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import type { Red, Window } from './figures.ts'

/** Calls that such a service made or answered. */
export interface ForeignCalls {
  /** '' when nobody is known to have asked. */
  readonly from: string
  readonly to: string
  readonly figures: Red
}

/** Who asked whom, where one of both is none of `own`. */
export async function foreignCalls(
  store: Pick<TelemetryStore, 'serviceCalls'>,
  own: readonly string[],
  window: Window,
): Promise<readonly ForeignCalls[]> {
  const seconds = (window.toMs - window.fromMs) / 1_000
  const found = await store.serviceCalls({ ...window, known: own })
  return found.map(({ caller, service, count, failedCount, p50Us, p95Us, p99Us }) => ({
    from: caller,
    to: service,
    figures: {
      rate: count / seconds,
      errorShare: failedCount / count,
      p50Ms: p50Us / 1_000,
      p95Ms: p95Us / 1_000,
      p99Ms: p99Us / 1_000,
    },
  }))
}
