import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { isFlotillaError } from '@flotilla/core/error'
import { context, SpanKind, SpanStatusCode, trace, ValueType } from '@opentelemetry/api'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AggregationTemporality,
  AggregationType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { OTLP_BYTES_MAX, readOtlpRequest, writeOtlpAnswer } from './otlp-body.ts'
import { otlpForms } from './otlp-forms.test.ts'
import { readOtlpLogs } from './otlp-logs.ts'
import { readOtlpMetrics } from './otlp-metrics.ts'
import { readOtlpTraces } from './otlp-traces.ts'

const [JSON_TYPE, PROTOBUF_TYPE] = ['application/json', 'application/x-protobuf']
const BEGIN_MS = 1_790_000_000_000

/** A request as the official SDK writes it, in every form. */
function bodies(write: (form: (typeof otlpForms)[number]) => Uint8Array | undefined) {
  return otlpForms.map((form) => ({
    contentType: form.type === JSON_TYPE ? `${JSON_TYPE}; charset=utf-8` : form.type,
    bytes: write(form) as Uint8Array,
  }))
}

const refuses = (code: string, status?: number) => (error: unknown) =>
  isFlotillaError(error) && error.code === code && (status === undefined || error.status === status)

const json = (value: unknown) => ({ contentType: JSON_TYPE, bytes: Buffer.from(JSON.stringify(value)) })

describe('readOtlpTraces', () => {
  it('reads what the official SDK writes, JSON and Protocol Buffers, compressed too', async () => {
    const exporter = new InMemorySpanExporter()
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
    const tracer = provider.getTracer('test')
    const parent = tracer.startSpan('GET /things', { kind: SpanKind.SERVER, startTime: BEGIN_MS })
    const child = tracer.startSpan(
      'select',
      {
        kind: SpanKind.CLIENT,
        startTime: BEGIN_MS + 1,
        attributes: { text: 'ä', whole: 2 ** 40, part: 0.5, yes: true, list: ['a', 'b'] },
      },
      trace.setSpan(context.active(), parent),
    )
    child.addEvent('retry', { attempt: 2 }, BEGIN_MS + 2)
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'no row' })
    child.end(BEGIN_MS + 3.25)
    parent.end(BEGIN_MS + 5)
    const spans = exporter.getFinishedSpans()
    const { traceId, spanId } = parent.spanContext()
    for (const body of bodies(({ traces }) => traces.serializeRequest(spans))) {
      for (const sent of [body, { ...body, bytes: gzipSync(body.bytes), contentEncoding: 'gzip' }]) {
        const { rows, rejected } = await readOtlpTraces(sent)
        assert.equal(rejected, 0)
        const [its, whole] = rows
        assert.equal(whole?.traceId, traceId)
        assert.equal(whole?.spanId, spanId)
        assert.equal(whole?.parentId, undefined)
        assert.deepEqual([whole?.kind, whole?.status, whole?.durationUs], ['server', 'ok', 5_000])
        assert.match(whole?.service ?? '', /^unknown_service/)
        assert.equal(whole?.resource?.['telemetry.sdk.language'], 'nodejs')
        assert.deepEqual(
          [its?.name, its?.kind, its?.status, its?.parentId],
          ['select', 'client', 'error', spanId],
        )
        assert.deepEqual([its?.startUs, its?.durationUs], [(BEGIN_MS + 1) * 1_000, 2_250])
        assert.deepEqual(its?.attributes, {
          text: 'ä',
          whole: 2 ** 40,
          part: 0.5,
          yes: true,
          list: ['a', 'b'],
          'otel.status_description': 'no row',
        })
        assert.deepEqual(its?.events, [
          { name: 'retry', timeUs: (BEGIN_MS + 2) * 1_000, attributes: { attempt: 2 } },
        ])
      }
    }
  })

  it('rejects spans that are none, and takes the others', async () => {
    const right = {
      traceId: 'AB'.repeat(16),
      spanId: 'cd'.repeat(8),
      name: 'x',
      startTimeUnixNano: '1790000000000000999',
      endTimeUnixNano: '1790000000000001000',
      attributes: [{ key: 'flotilla.code', value: { stringValue: 'unavailable' } }],
      status: { code: 2 },
    }
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'billing' } }] }
    const wrong = [
      { ...right, traceId: '0'.repeat(32) },
      { ...right, spanId: 'x' },
      { ...right, endTimeUnixNano: 1.5 },
    ]
    const { rows, rejected } = await readOtlpTraces(
      json({ resourceSpans: [{ resource, scopeSpans: [{ spans: [...wrong, right, null, 7] }] }, null] }),
    )
    assert.equal(rejected, 5)
    assert.equal(rows.length, 1)
    const { traceId, service, status, durationUs } = rows[0] ?? {}
    assert.deepEqual([traceId, service, status, durationUs], ['ab'.repeat(16), 'billing', 'unavailable', 1])
  })
})

describe('readOtlpLogs', () => {
  it('reads what the official SDK writes', async () => {
    const exporter = new InMemoryLogRecordExporter()
    const provider = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter })] })
    const logger = provider.getLogger('test')
    const attributes = { orderId: 'o-1', nested: { deep: [1, { a: true }] } }
    logger.emit({
      timestamp: BEGIN_MS,
      severityNumber: 17,
      severityText: 'ERROR',
      body: 'declined',
      attributes,
    })
    logger.emit({ timestamp: BEGIN_MS, severityNumber: 5, body: { code: 7 } })
    const lines = exporter.getFinishedLogRecords()
    for (const body of bodies(({ logs }) => logs.serializeRequest(lines))) {
      const { rows, rejected } = await readOtlpLogs(body)
      assert.equal(rejected, 0)
      assert.deepEqual(
        rows.map(({ timeUs, level, message, fields }) => ({ timeUs, level, message, fields })),
        [
          { timeUs: BEGIN_MS * 1_000, level: 'error', message: 'declined', fields: attributes },
          { timeUs: BEGIN_MS * 1_000, level: 'debug', message: '{"code":7}', fields: {} },
        ],
      )
    }
  })
})

describe('readOtlpMetrics', () => {
  const collect = async (
    temporality: AggregationTemporality,
    isExponential = false,
  ): Promise<ResourceMetrics> => {
    const exporter = new InMemoryMetricExporter(temporality)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
    const views = isExponential
      ? [{ instrumentName: 'took', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const }]
      : []
    const provider = new MeterProvider({ readers: [reader], views })
    const meter = provider.getMeter('test')
    meter.createCounter('orders.placed').add(3, { shop: 'north', 'user.kind': 'new' })
    meter.createUpDownCounter('queue.size', { valueType: ValueType.INT }).add(-4)
    const took = meter.createHistogram('took', { unit: 's', advice: { explicitBucketBoundaries: [0.1, 1] } })
    for (const seconds of [0.05, 0.5, 0.5, 3]) took.record(seconds)
    await reader.forceFlush()
    await provider.shutdown()
    return exporter.getMetrics()[0] as ResourceMetrics
  }
  const told = async (body: Parameters<typeof readOtlpMetrics>[0]) => {
    const { rows, rejected } = await readOtlpMetrics(body)
    assert.equal(rejected, 0)
    return rows.map(({ name, labels: { le, shop, user_kind: kind }, type, value, increase }) => {
      const labels = Object.fromEntries(
        Object.entries({ le, shop, user_kind: kind }).filter(([, text]) => text !== undefined),
      )
      return [name, labels, type, value, ...(increase === undefined ? [] : [increase])]
    })
  }

  it('reads what the official SDK writes, as Prometheus would name it', async () => {
    const metrics = await collect(AggregationTemporality.CUMULATIVE)
    for (const body of bodies((form) => form.metrics.serializeRequest(metrics))) {
      assert.deepEqual(await told(body), [
        ['orders_placed_total', { shop: 'north', user_kind: 'new' }, 'counter', 3],
        ['queue_size', {}, 'gauge', -4],
        ['took_seconds_bucket', { le: '0.1' }, 'counter', 1],
        ['took_seconds_bucket', { le: '1' }, 'counter', 3],
        ['took_seconds_bucket', { le: '+Inf' }, 'counter', 4],
        ['took_seconds_sum', {}, 'counter', 4.05],
        ['took_seconds_count', {}, 'counter', 4],
      ])
      const [first] = (await readOtlpMetrics(body)).rows
      assert.ok((first?.sinceMs ?? 0) > BEGIN_MS - 1e12 && (first?.timeMs ?? 0) >= (first?.sinceMs ?? 0))
    }
  })

  it('tells the increase of what comes as a difference', async () => {
    const metrics = await collect(AggregationTemporality.DELTA)
    for (const body of bodies((form) => form.metrics.serializeRequest(metrics))) {
      const [placed] = await told(body)
      assert.deepEqual(placed, ['orders_placed_total', { shop: 'north', user_kind: 'new' }, 'counter', 3, 3])
    }
  })

  it('gives exponential histograms buckets with bounds', async () => {
    const metrics = await collect(AggregationTemporality.CUMULATIVE, true)
    for (const body of bodies((form) => form.metrics.serializeRequest(metrics))) {
      const rows = (await readOtlpMetrics(body)).rows.filter(({ name }) => name === 'took_seconds_bucket')
      const upTo = (seconds: number): number =>
        Math.max(...rows.filter(({ labels }) => Number(labels['le']) <= seconds).map(({ value }) => value))
      // Bounds grow by small factors, so these are not far from where they are told.
      assert.deepEqual(
        [upTo(0.049), upTo(0.06), upTo(0.49), upTo(0.6), upTo(2.9), upTo(3.2)],
        [0, 1, 1, 3, 3, 4],
      )
      assert.equal(rows.at(-1)?.labels['le'], '+Inf')
    }
  })
})

describe('readOtlpRequest', () => {
  it('refuses other types, encodings, what is too long or not what it says', async () => {
    const bytes = Buffer.from('{}')
    const read = (body: object) => readOtlpRequest('traces', { contentType: JSON_TYPE, bytes, ...body })
    await assert.rejects(read({ contentType: 'text/plain' }), refuses('invalid_argument', 415))
    await assert.rejects(read({ contentType: undefined }), refuses('invalid_argument', 415))
    await assert.rejects(read({ contentEncoding: 'br' }), refuses('invalid_argument', 415))
    await assert.rejects(read({ contentEncoding: 'gzip' }), refuses('invalid_argument'))
    await assert.rejects(read({ bytes: Buffer.from('{') }), refuses('invalid_argument'))
    const long = Buffer.alloc(OTLP_BYTES_MAX + 1, ' ')
    await assert.rejects(read({ bytes: long }), refuses('resource_exhausted', 413))
    const bomb = { bytes: gzipSync(long), contentEncoding: 'gzip' }
    await assert.rejects(read(bomb), refuses('resource_exhausted', 413))
  })

  it('refuses Protocol Buffers that are cut, nest too deep or ask for too many values', async () => {
    const read = (bytes: Uint8Array) => readOtlpRequest('traces', { contentType: PROTOBUF_TYPE, bytes })
    const list = (bytes: Uint8Array, field: number) =>
      protobuf.Writer.create()
        .uint32((field << 3) | 2)
        .bytes(bytes)
        .finish()
    let nested: Uint8Array = new Uint8Array()
    // AnyValue → ArrayValue → AnyValue …, as the value of an attribute of a resource.
    for (let depth = 0; depth < 5_000; depth++) nested = list(list(nested, 1), 5)
    const whole = list(list(list(list(nested, 2), 1), 1), 1)
    await assert.rejects(read(whole), /nests deeper/)
    await assert.rejects(
      read(new Uint8Array(500_000).map((_, index) => (index % 2 === 0 ? 0x0a : 0))),
      /values/,
    )
    await assert.rejects(read(whole.subarray(0, 40)), refuses('invalid_argument'))
    await assert.rejects(read(Uint8Array.of(0x0b, 0x0b)), refuses('invalid_argument'))
  })

  it('never fails otherwise, whatever comes', async () => {
    const anyBody = fc.record({
      contentType: fc.constantFrom(JSON_TYPE, PROTOBUF_TYPE),
      bytes: fc.oneof(
        fc.uint8Array({ maxLength: 60 }),
        fc
          .jsonValue()
          .map((value) => Buffer.from(JSON.stringify({ resourceSpans: value, resourceMetrics: value }))),
      ),
    })
    await fc.assert(
      fc.asyncProperty(anyBody, async (body) => {
        for (const read of [readOtlpTraces, readOtlpLogs, readOtlpMetrics]) {
          try {
            await read(body)
          } catch (error) {
            assert.ok(isFlotillaError(error) && error.status < 500, String(error))
          }
        }
      }),
    )
  })
})

describe('writeOtlpAnswer', () => {
  it('tells the official SDK what was not taken, in the form it asked in', async () => {
    const asJson = await writeOtlpAnswer('traces', JSON_TYPE, 2, 'two')
    const told = { partialSuccess: { rejectedSpans: 2, errorMessage: 'two' } }
    assert.equal(
      Number(JsonTraceSerializer.deserializeResponse(asJson.bytes).partialSuccess?.rejectedSpans),
      2,
    )
    const binary = await writeOtlpAnswer('traces', PROTOBUF_TYPE, 2, 'two')
    const read = ProtobufTraceSerializer.deserializeResponse(binary.bytes)
    assert.deepEqual(
      {
        rejectedSpans: Number(read.partialSuccess?.rejectedSpans),
        errorMessage: read.partialSuccess?.errorMessage,
      },
      told.partialSuccess,
    )
    assert.equal((await writeOtlpAnswer('logs', PROTOBUF_TYPE, 0, '')).bytes.length, 0)
    assert.equal(Buffer.from((await writeOtlpAnswer('logs', JSON_TYPE, 0, '')).bytes).toString(), '{}')
  })
})
