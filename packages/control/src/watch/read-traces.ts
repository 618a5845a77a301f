/**
 * Traces as the API tells them.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { SpanInfo, TraceSummary } from '../api/shapes.ts'
import type { StoredSpan } from '../telemetry/rows.ts'
import type { TraceSummary as Found } from '../telemetry/trace-search.ts'
import { criticalPath, rootOf } from './critical-path.ts'

/** A trace of a list. */
export function summaryOf({
  traceId,
  name,
  service,
  startUs,
  durationUs,
  spanCount,
  failedCount,
  services,
}: Found): TraceSummary {
  return {
    traceId,
    name,
    service,
    startAt: isoTime(Math.trunc(startUs / 1_000)),
    durationMs: durationUs / 1_000,
    spans: spanCount,
    errors: failedCount,
    services: [...services],
  }
}

/** A trace whole; undefined when there are no spans. */
export function traceOf(
  traceId: string,
  spans: readonly StoredSpan[],
): (TraceSummary & { items: SpanInfo[] }) | undefined {
  const root = rootOf(spans)
  if (root === undefined) return undefined
  const startUs = Math.min(...spans.map((span) => span.startUs))
  const endUs = Math.max(...spans.map((span) => span.startUs + span.durationUs))
  const path = criticalPath(spans, root)
  return {
    traceId,
    name: root.name,
    service: root.service,
    startAt: isoTime(Math.trunc(startUs / 1_000)),
    durationMs: (endUs - startUs) / 1_000,
    spans: spans.length,
    errors: spans.filter(({ status }) => status !== 'ok').length,
    services: [...new Set(spans.map(({ service }) => service))].sort(),
    items: spans.map((span) => ({
      spanId: span.spanId,
      ...(span.parentId === undefined ? {} : { parentId: span.parentId }),
      name: span.name,
      kind: span.kind,
      service: span.service,
      instance: span.instance,
      startMs: (span.startUs - startUs) / 1_000,
      durationMs: span.durationUs / 1_000,
      code: span.status,
      attributes: { ...span.resource, ...span.attributes },
      isCritical: path.has(span.spanId),
    })),
  }
}
