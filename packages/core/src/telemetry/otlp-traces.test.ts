import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HrTime, SpanKind as OfficialKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import fc from 'fast-check'
import { type Code, codes } from '../kernel/code.ts'
import { otlpTraces } from './otlp-traces.ts'
import { nanos } from './otlp-values.ts'
import { isFailure, type Span, type SpanKind } from './spans.ts'

const officialKinds: Readonly<Record<SpanKind, OfficialKind>> = {
  internal: OfficialKind.INTERNAL,
  server: OfficialKind.SERVER,
  client: OfficialKind.CLIENT,
  producer: OfficialKind.PRODUCER,
  consumer: OfficialKind.CONSUMER,
}

const id = (digits: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: digits, maxLength: digits })
    .map((all) => all.join(''))

const anySpan: fc.Arbitrary<Span> = fc.record({
  service: fc.constantFrom('orders', 'cart'),
  name: fc.string(),
  kind: fc.constantFrom(...(Object.keys(officialKinds) as SpanKind[])),
  traceId: id(32),
  spanId: id(16),
  parentId: fc.option(id(16), { nil: undefined }),
  startMs: fc.nat(1_000_000),
  durationMs: fc.nat(10_000),
  code: fc.constantFrom<Code | 'ok'>('ok', ...(Object.keys(codes) as Code[])),
  attributes: fc.option(
    fc.dictionary(
      fc.string({ minLength: 1 }),
      fc.oneof(fc.string(), fc.boolean(), fc.integer(), fc.constant(0.5)),
    ),
    { nil: undefined },
  ),
})

const EPOCH_MS = 1_700_000_000_000

/** What the official SDK would have been told. */
function official(span: Span): ReadableSpan {
  const time = (ms: number): HrTime => [Math.floor((EPOCH_MS + ms) / 1000), ((EPOCH_MS + ms) % 1000) * 1e6]
  const { traceId, spanId, parentId, code } = span
  const attributes = code === 'ok' ? { ...span.attributes } : { ...span.attributes, 'flotilla.code': code }
  const its = {
    name: span.name,
    kind: officialKinds[span.kind],
    spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
    parentSpanContext:
      parentId === undefined ? undefined : { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED },
    startTime: time(span.startMs),
    endTime: time(span.startMs + span.durationMs),
    status: isFailure(code) ? { code: SpanStatusCode.ERROR, message: code } : { code: SpanStatusCode.UNSET },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource: { attributes: {} },
    instrumentationScope: { name: 'flotilla' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
  return its as unknown as ReadableSpan
}

interface Written {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] }
    readonly scopeSpans: readonly { readonly spans: readonly Readonly<Record<string, unknown>>[] }[]
  }[]
}

/** The fields that mean something: the official form also writes zeros and empty lists. */
function meaning(span: Readonly<Record<string, unknown>>): unknown {
  const { traceId, spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano } = span
  const { code = 0, message } = span['status'] as { code?: number; message?: string }
  const attributes = (span['attributes'] ?? []) as readonly { key: string; value: object }[]
  const facts = Object.fromEntries(attributes.map(({ key, value }) => [key, numbersAlike(value)]))
  return {
    traceId,
    spanId,
    parentSpanId,
    name,
    kind,
    startTimeUnixNano,
    endTimeUnixNano,
    code,
    message,
    facts,
  }
}

/** JSON of protobuf takes 64-bit integers as numbers and as decimal strings; both mean the same. */
function numbersAlike(value: object): object {
  return 'intValue' in value ? { intValue: String(value.intValue) } : value
}

describe('otlpTraces', () => {
  it('writes what the official SDK writes of the same spans', () => {
    fc.assert(
      fc.property(anySpan, (span) => {
        const facts = { app: 'shop', instance: 'i1', version: '1', attributes: {} }
        const ours = JSON.parse(otlpTraces([span], facts, EPOCH_MS)) as Written
        const bytes = JsonTraceSerializer.serializeRequest([official(span)]) as Uint8Array
        const theirs = JSON.parse(Buffer.from(bytes).toString('utf8')) as Written
        const of = ({ resourceSpans }: Written): unknown =>
          resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans.map(meaning)))
        assert.deepEqual(of(ours), of(theirs))
      }),
    )
  })

  it('gives each service its resource', () => {
    const span: Span = {
      service: 'cart',
      name: 'x',
      kind: 'server',
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      parentId: undefined,
      startMs: 0,
      durationMs: 1,
      code: 'ok',
      attributes: undefined,
    }
    const facts = {
      app: 'shop',
      instance: 'all-1',
      version: '7',
      attributes: { 'deployment.environment': 'test' },
    }
    const spans = [span, { ...span, service: 'orders' }, { ...span, spanId: '3'.repeat(16) }]
    const { resourceSpans } = JSON.parse(otlpTraces(spans, facts, 0)) as Written
    const told = resourceSpans.map(({ resource, scopeSpans }) => [
      Object.fromEntries(
        resource.attributes.map(({ key, value }) => [key, (value as { stringValue: string }).stringValue]),
      ),
      scopeSpans.flatMap((scope) => scope.spans).length,
    ])
    const common = {
      'service.namespace': 'shop',
      'service.instance.id': 'all-1',
      'service.version': '7',
      'telemetry.sdk.name': 'flotilla',
      'telemetry.sdk.language': 'nodejs',
      'deployment.environment': 'test',
    }
    assert.deepEqual(told, [
      [{ 'service.name': 'cart', ...common }, 2],
      [{ 'service.name': 'orders', ...common }, 1],
    ])
  })
})

describe('nanos', () => {
  it('keeps fractions of a millisecond, and never writes an exponent', () => {
    assert.equal(nanos(1_700_000_000_000.25), '1700000000000250000')
    assert.equal(nanos(0), '0000000')
    fc.assert(
      fc.property(fc.double({ min: 0, max: 4e12, noNaN: true }), (ms) => {
        const text = nanos(ms)
        assert.match(text, /^\d+$/)
        assert.ok(Math.abs(Number(BigInt(text)) / 1e6 - ms) < 0.001)
      }),
    )
  })
})
