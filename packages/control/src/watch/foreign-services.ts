/**
 * Services that are none of the system's, and send it their spans: programs of others that ask ours, or are asked.
 *
 * They have no counters of ours, so their figures are those of the spans that came.
 *
 * @module
 */
import type { ForeignService } from '../api/shapes.ts'
import type { ServiceAnswers } from '../telemetry/service-calls.ts'
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
  const found = await store.serviceCalls({ ...window, known: own })
  return found.map((calls) => ({ from: calls.caller, to: calls.service, figures: redOf(calls, window) }))
}

/** Every service that sent spans and is none of `own`, the busiest first. */
export async function foreignServices(
  store: Pick<TelemetryStore, 'otherServices'>,
  own: readonly string[],
  window: Window,
): Promise<ForeignService[]> {
  const found = await store.otherServices({ ...window, known: own })
  return found.map((answers) => ({ name: answers.service, ...redOf(answers, window) }))
}

function redOf({ count, failedCount, p50Us, p95Us, p99Us }: ServiceAnswers, { fromMs, toMs }: Window): Red {
  return {
    rate: (count * 1_000) / (toMs - fromMs),
    errorShare: count === 0 ? 0 : failedCount / count,
    p50Ms: p50Us / 1_000,
    p95Ms: p95Us / 1_000,
    p99Ms: p99Us / 1_000,
  }
}
