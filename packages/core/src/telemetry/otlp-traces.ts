/**
 * Spans as an OTLP export request, in its JSON form.
 *
 * @source https://github.com/open-telemetry/opentelemetry-proto/blob/v1.5.0/opentelemetry/proto/trace/v1/trace.proto
 * @module
 */
import { keyValues, nanos, type ResourceFacts, resourceOf } from './otlp-values.ts'
import { isFailure, type Span, type SpanKind } from './spans.ts'

const kinds: Readonly<Record<SpanKind, number>> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
}

const STATUS_ERROR = 2

/** The body of an export request. `epochMs` is what the wall clock shows when the monotonic one shows 0. */
export function otlpTraces(spans: readonly Span[], facts: ResourceFacts, epochMs: number): string {
  const byService = new Map<string, Span[]>()
  for (const span of spans) {
    const its = byService.get(span.service)
    if (its === undefined) byService.set(span.service, [span])
    else its.push(span)
  }
  return JSON.stringify({
    resourceSpans: [...byService].map(([service, its]) => ({
      resource: resourceOf(facts, service),
      scopeSpans: [{ scope: { name: 'flotilla' }, spans: its.map((span) => otlpSpan(span, epochMs)) }],
    })),
  })
}

/** What is undefined JSON leaves out. */
function otlpSpan(span: Span, epochMs: number) {
  const { traceId, spanId, parentId, name, kind, startMs, durationMs, code, attributes } = span
  const all = code === 'ok' ? attributes : { ...attributes, 'flotilla.code': code }
  return {
    traceId,
    spanId,
    parentSpanId: parentId,
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanos(epochMs + startMs),
    endTimeUnixNano: nanos(epochMs + startMs + durationMs),
    attributes: all === undefined ? undefined : keyValues(all),
    status: isFailure(code) ? { code: STATUS_ERROR, message: code } : {},
  }
}
