/**
 * Spans from OTLP.
 *
 * @source https://github.com/open-telemetry/opentelemetry-proto/blob/v1.5.0/opentelemetry/proto/trace/v1/trace.proto
 * @module
 */
import { type OtlpBody, readOtlpRequest } from './otlp-body.ts'
import {
  attributesOf,
  idOf,
  listOf,
  microsOf,
  type OtlpRows,
  type OtlpSource,
  objectOf,
  sourceOf,
  textOf,
} from './otlp-values.ts'
import type { SpanKind, StoredSpan } from './rows.ts'

/** By number; 0 is unspecified. */
const KINDS: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer']
const STATUS_ERROR = 2

/**
 * Reads a body of `/v1/traces`. A span without ids or times is rejected.
 *
 * @throws FlotillaError as `readOtlpRequest` says.
 */
export async function readOtlpTraces(body: OtlpBody): Promise<OtlpRows<StoredSpan>> {
  const request = objectOf(await readOtlpRequest('traces', body))
  const spans = listOf(request['resourceSpans']).flatMap(({ resource, scopeSpans }) => {
    const source = sourceOf(resource)
    return listOf(scopeSpans).flatMap(({ spans: its }) => listOf(its).map((span) => spanOf(span, source)))
  })
  const rows = spans.filter((span) => span !== undefined)
  return { rows, rejected: spans.length - rows.length }
}

function spanOf(span: Readonly<Record<string, unknown>>, source: OtlpSource): StoredSpan | undefined {
  const traceId = idOf(span['traceId'], 32)
  const spanId = idOf(span['spanId'], 16)
  const startUs = microsOf(span['startTimeUnixNano'])
  const endUs = microsOf(span['endTimeUnixNano'])
  if (traceId === undefined || spanId === undefined || startUs === undefined || endUs === undefined)
    return undefined
  const status = objectOf(span['status'])
  const attributes = attributesOf(span['attributes']) ?? {}
  const message = textOf(status['message'])
  return {
    traceId,
    spanId,
    parentId: idOf(span['parentSpanId'], 16),
    name: textOf(span['name']),
    kind: KINDS[Number(span['kind'])] ?? 'internal',
    ...source,
    startUs,
    durationUs: Math.max(0, endUs - startUs),
    // Our own processes say which failure it was.
    status: status['code'] === STATUS_ERROR ? textOf(attributes['flotilla.code']) || 'error' : 'ok',
    // The name that the conventions have for it outside OTLP.
    attributes: message === '' ? attributes : { ...attributes, 'otel.status_description': message },
    events: listOf(span['events']).map((event) => ({
      name: textOf(event['name']),
      timeUs: microsOf(event['timeUnixNano']) ?? startUs,
      attributes: attributesOf(event['attributes']) ?? {},
    })),
  }
}
