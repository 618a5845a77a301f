import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Calls } from '@flotilla/core/calls'
import { systemClock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { openHttpServer } from '@flotilla/core/http-server'
import { openTestApp } from '@flotilla/core/test-app'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { observeContract } from '../api/observe-contract.ts'
import { otlpForms } from '../telemetry/otlp-forms.test.ts'
import { openTestStore } from '../testing/test-store.ts'
import { watchedSystem } from '../testing/watched-system.ts'
import { observeService } from './observe-service.ts'
import { otlpReceiver } from './otlp-receiver.ts'

const KEY = 'the-key-for-telemetry-24'
const resource = resourceFromAttributes({ 'service.name': 'billing', 'service.instance.id': 'billing-a' })

interface Bed {
  readonly observe: Calls<typeof observeContract>
  /** Sends a request, and has it be found. */
  send(path: string, contentType: string, bytes: Uint8Array | undefined): Promise<void>
}

/** The receiver and the API of the console, on one store. */
async function makeBed(t: TestContext): Promise<Bed> {
  const store = await openTestStore(t)
  const service = observeService({
    ...watchedSystem(store),
    databaseUrls: {},
    audit: { latest: [] },
    storeBytesMax: 1_000_000,
  })
  const { ports, call } = await openTestApp(t, {
    app: { name: 'test', folder: '', services: { observe: async () => service } },
    placement: 'one process',
  })
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    ports,
    receiver: { operations: [] } as never,
    authenticate: () => {
      throw new FlotillaError('unauthenticated', 'Nobody asks for anything else here.')
    },
    foreign: otlpReceiver(store, KEY),
  })
  t.after(() => server.close())
  return {
    observe: call(observeContract, {
      user: { id: 'console', roles: ['viewer'], scopes: [], tier: 'enterprise' },
    }),
    async send(path, contentType, bytes) {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
        method: 'POST',
        headers: { 'content-type': contentType, 'x-otlp-api-key': KEY },
        body: bytes as Uint8Array<ArrayBuffer>,
      })
      assert.equal(answer.status, 200, await answer.text())
      await store.flush()
    },
  }
}

/** A request that a program of another team answered, and failed at. */
function answerOnce(): {
  readonly traceId: string
  readonly spans: ReturnType<InMemorySpanExporter['getFinishedSpans']>
  readonly lines: ReturnType<InMemoryLogRecordExporter['getFinishedLogRecords']>
} {
  const spans = new InMemorySpanExporter()
  const tracer = new BasicTracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor(spans)],
  }).getTracer('test')
  const exporter = new InMemoryLogRecordExporter()
  const logger = new LoggerProvider({
    resource,
    processors: [new SimpleLogRecordProcessor({ exporter })],
  }).getLogger('test')
  const span = tracer.startSpan('POST /invoices', { kind: SpanKind.SERVER })
  logger.emit({
    severityNumber: 17,
    severityText: 'ERROR',
    body: 'the card was declined',
    attributes: { order_id: 'o-17' },
    context: trace.setSpan(ROOT_CONTEXT, span),
  })
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
  const { traceId } = span.spanContext()
  return { traceId, spans: spans.getFinishedSpans(), lines: exporter.getFinishedLogRecords() }
}

/** What its instruments show, one after the other. */
async function measured(count: number): Promise<readonly ResourceMetrics[]> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ resource, readers: [reader] })
  const meter = provider.getMeter('test')
  const requests = meter.createHistogram('http.server.request.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: [0.1, 0.2, 0.4] },
  })
  const invoices = meter.createCounter('invoices.sent')
  const queue = meter.createGauge('queue.size')
  for (let n = 0; n < count; n++) {
    for (let one = 0; one < 10; one++) requests.record(0.15, { 'http.route': '/invoices' })
    invoices.add(5, { kind: 'paper' })
    queue.record(7 + n)
    await reader.forceFlush()
  }
  await provider.shutdown()
  return exporter.getMetrics().slice(0, count)
}

describe('a program with the official SDK of OpenTelemetry', () => {
  for (const { type, traces, logs, metrics } of otlpForms) {
    it(`shows its lines beside its trace in the console: ${type}`, async (t) => {
      const { observe, send } = await makeBed(t)
      const { traceId, spans, lines } = answerOnce()
      await send('/v1/traces', type, traces.serializeRequest([...spans]))
      await send('/v1/logs', type, logs.serializeRequest([...lines]))
      const [line] = (await observe.logs({ q: 'service=billing level>=warn order_id=o-17 "card was"' })).items
      assert.deepEqual(
        [line?.service, line?.instance, line?.level, line?.message, line?.traceId, line?.fields],
        ['billing', 'billing-a', 'error', 'the card was declined', traceId, { order_id: 'o-17' }],
      )
      const { items } = await observe.logHistogram({ q: 'service=billing' })
      assert.deepEqual(
        items.map(({ levels }) => levels),
        [{ error: 1 }],
      )
      const found = await observe.traces({ service: 'billing', isFailed: true })
      assert.deepEqual(
        found.items.map((one) => [one.traceId, one.name]),
        [[traceId, 'POST /invoices']],
      )
      assert.equal((await observe.trace({ traceId })).logLines, 1)
      const { nodes } = await observe.map({})
      assert.ok(nodes.some(({ name, kind }) => name === 'billing' && kind === 'outside'))
    })

    it(`has its metrics drawn as ours are: ${type}`, async (t) => {
      const { observe, send } = await makeBed(t)
      const fromMs = systemClock.now() - 60_000
      for (const one of await measured(3)) await send('/v1/metrics', type, metrics.serializeRequest(one))
      const { items } = await observe.metrics()
      assert.deepEqual(
        items.map(({ name, kind, labels }) => [name, kind, labels.toSorted()]),
        [
          ['http_server_request_duration_seconds', 'histogram', ['http_route', 'instance', 'service']],
          ['invoices_sent_total', 'counter', ['instance', 'kind', 'service']],
          ['queue_size', 'gauge', ['instance', 'service']],
        ],
      )
      const ask = async (
        name: string,
        as: 'value' | 'rate' | 'quantile',
        more: object = {},
      ): Promise<number> => {
        const window = { fromMs, toMs: fromMs + 120_000, stepMs: 1e13 }
        const asked = await observe.series({
          name,
          as,
          where: 'service=billing',
          by: 'service',
          ...window,
          ...more,
        })
        assert.deepEqual(
          asked.items.map(({ labels }) => labels),
          [{ service: 'billing' }],
        )
        return asked.items[0]?.points.at(-1)?.[1] ?? 0
      }
      assert.equal(await ask('queue_size', 'value'), 9)
      assert.equal(await ask('invoices_sent_total', 'value'), 15)
      const median = await ask('http_server_request_duration_seconds', 'quantile', { quantile: 0.5 })
      assert.ok(median > 0.1 && median < 0.2, String(median))
    })
  }
})
