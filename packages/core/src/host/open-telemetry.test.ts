import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { query } from '../contract/operation.ts'
import { Nothing } from '../contract/schema.ts'
import { defineService } from '../service/definition.ts'
import { findFreePort } from '../testing/free-port.ts'
import { type OtlpReceiver, openOtlpReceiver } from '../testing/otlp-receiver.ts'
import { openTestApp } from '../testing/test-app.ts'
import { until } from '../testing/until.ts'
import { defineApp } from './app.ts'
import { ConfigError } from './config.ts'
import { readOtlpSettings } from './otlp-settings.ts'

const desk = defineContract({
  name: 'desk',
  version: 1,
  summary: 'Answers.',
  operations: { ask: query({ summary: 'Asks.', access: anyone, output: Nothing }) },
})
const app = defineApp({
  name: 'test',
  folder: '.',
  services: { desk: async () => defineService({ contract: desk, open: () => ({ ask: () => ({}) }) }) },
})

interface Point {
  readonly attributes: readonly { readonly key: string; readonly value: { readonly stringValue: string } }[]
  readonly asDouble?: number
  readonly count?: string
  readonly bucketCounts?: readonly string[]
  readonly explicitBounds?: readonly number[]
}

interface Pushed {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string
        readonly sum?: { readonly dataPoints: readonly Point[] }
        readonly gauge?: { readonly dataPoints: readonly Point[] }
        readonly histogram?: { readonly dataPoints: readonly Point[] }
      }[]
    }[]
  }[]
}

describe('Metrics', () => {
  it('are pushed where that is asked for, the same as are shown', async (t) => {
    const receiver = await openOtlpReceiver(t)
    const { call } = await openTestApp(t, {
      app,
      placement: 'one process',
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_METRIC_EXPORT_INTERVAL: '50',
      },
    })
    for (let n = 0; n < 3; n++) await call(desk).ask()
    const pointsOf = (name: string): readonly Point[] => {
      const last = receiver.metrics.at(-1) as Pushed | undefined
      const all = last?.resourceMetrics.flatMap(({ scopeMetrics }) =>
        scopeMetrics.flatMap((one) => one.metrics),
      )
      const metric = all?.find((one) => one.name === name)
      return (metric?.sum ?? metric?.gauge ?? metric?.histogram)?.dataPoints ?? []
    }
    await until('the calls are counted', () =>
      pointsOf('flotilla_server_calls_total').some(({ asDouble }) => asDouble === 3),
    )
    const [point] = pointsOf('flotilla_server_duration_seconds')
    assert.deepEqual(point?.attributes, [
      { key: 'service', value: { stringValue: 'desk' } },
      { key: 'operation', value: { stringValue: 'desk.ask' } },
    ])
    assert.equal(point?.count, '3')
    const { bucketCounts = [], explicitBounds = [] } = point ?? {}
    assert.equal(bucketCounts.length, explicitBounds.length + 1)
    assert.equal(
      bucketCounts.reduce((sum, count) => sum + Number(count), 0),
      3,
    )
    assert.ok((pointsOf('process_resident_memory_bytes')[0]?.asDouble ?? 0) > 1e6)
  })

  it('say how many pushes were not taken, and are there in full when one is again', async (t) => {
    const receiver = await openOtlpReceiver(t)
    receiver.status = 503
    const { hostOf } = await openTestApp(t, {
      app,
      placement: 'one process',
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_METRIC_EXPORT_INTERVAL: '20',
      },
    })
    const counted = (outcome: string): number => {
      const text = hostOf('desk').metrics.toPrometheus()
      return Number(new RegExp(`pushes_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
    }
    await until('some were not taken', () => counted('failed') >= 2)
    assert.deepEqual([counted('taken'), receiver.metrics.length], [0, 0])
    receiver.status = 200
    await until('one is taken', () => counted('taken') >= 1)
    assert.ok(receiver.metrics.length > 0)
  })
})

describe('Traces', () => {
  for (const backend of ['slow', 'dead'] as const) {
    it(`are in the console as ever while the backend is ${backend}`, async (t) => {
      const [console, slow] = [await openOtlpReceiver(t), await openOtlpReceiver(t)]
      const dead = `http://127.0.0.1:${await findFreePort()}`
      let open = (): void => assert.fail('not slow yet')
      slow.answersAfter = new Promise((resolve) => {
        open = resolve
      })
      const { hostOf } = await openTestApp(t, {
        app,
        placement: 'one process',
        environment: {
          FLOTILLA_TELEMETRY_URL: console.url,
          FLOTILLA_TELEMETRY_KEY: 'its key',
          OTEL_EXPORTER_OTLP_ENDPOINT: backend === 'slow' ? slow.url : dead,
          OTEL_EXPORTER_OTLP_HEADERS: 'api-key=of the backend',
        },
      })
      const { http, metrics } = hostOf('desk')
      const idsOf = ({ spans }: OtlpReceiver): readonly string[] => spans.map(({ traceId }) => traceId).sort()
      const asked: string[] = []
      // Each after the one before has come, so that what is kept for the backend is several requests.
      for (let n = 1; n <= 3; n++) {
        const traceId = String(n).padStart(32, 'a')
        const traceparent = `00-${traceId}-${'b'.repeat(16)}-01`
        const headers = { 'content-type': 'application/json', traceparent }
        await fetch(`${http}/operations/desk.ask`, { method: 'POST', headers, body: '{}' })
        asked.push(traceId)
        await until('the console has it', () => idsOf(console).length === n)
      }
      assert.deepEqual(idsOf(console), asked)
      assert.ok(console.headers.every((its) => its['x-otlp-api-key'] === 'its key' && !('api-key' in its)))
      await until('that is counted', () =>
        /exported_total\{to="console",outcome="sent"\} 3/.test(metrics.toPrometheus()),
      )
      assert.match(metrics.toPrometheus(), /exported_total\{to="backend",outcome="sent"\} 0/)
      if (backend === 'dead') return
      assert.deepEqual(slow.spans, [])
      open()
      await until('the backend has them, too', () => idsOf(slow).length === 3)
      assert.deepEqual(idsOf(slow), asked)
      assert.ok(
        slow.headers.every((its) => its['api-key'] === 'of the backend' && !('x-otlp-api-key' in its)),
      )
    })
  }
})

const ofConsole = { FLOTILLA_TELEMETRY_URL: 'http://127.0.0.1:8090', FLOTILLA_TELEMETRY_KEY: 'its key' }
const toConsole = {
  name: 'console',
  url: 'http://127.0.0.1:8090/v1/traces',
  headers: { 'x-otlp-api-key': 'its key' },
  timeoutMs: 10_000,
}

describe('OTEL_SDK_DISABLED', () => {
  it('has a host keep no spans and no metrics, and send none', async (t) => {
    const receiver = await openOtlpReceiver(t)
    const { call, hosts } = await openTestApp(t, {
      app,
      placement: 'one process',
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_METRIC_EXPORT_INTERVAL: '20',
        OTEL_SDK_DISABLED: 'true',
      },
    })
    await call(desk).ask()
    const [host] = hosts
    assert.ok(host)
    assert.equal(host.spans.recorded, 0)
    assert.equal(host.metrics.toPrometheus().trim(), '')
    const page = await fetch(`${host.http}/metrics`)
    assert.deepEqual([page.status, (await page.text()).trim()], [200, ''])
    // What there is to be sent is sent at closing at the latest.
    await host.close()
    assert.equal(receiver.headers.length, 0)
  })
})

describe('readOtlpSettings', () => {
  it('goes by the standard variables, those of one signal first', () => {
    const { traces, metrics, resource } = readOtlpSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/base/',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://traces.example/in',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%3Db, Other = two',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=mine',
      OTEL_EXPORTER_OTLP_TIMEOUT: '3000',
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    })
    assert.deepEqual(traces, [
      {
        name: 'backend',
        url: 'https://traces.example/in',
        headers: { 'api-key': 'mine', other: 'two' },
        timeoutMs: 3_000,
      },
    ])
    assert.deepEqual(metrics, {
      url: 'http://collector:4318/base/v1/metrics',
      headers: { 'api-key': 'a=b', other: 'two' },
      timeoutMs: 3_000,
    })
    assert.deepEqual(resource, { 'deployment.environment': 'test' })
  })

  it('sends nothing where nobody says where to, or that it is not wanted', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    for (const environment of [
      {},
      { ...endpoint, OTEL_SDK_DISABLED: 'true' },
      { ...endpoint, OTEL_TRACES_EXPORTER: 'none' },
    ]) {
      const { traces, metrics } = readOtlpSettings({ ...environment, OTEL_METRICS_EXPORTER: 'none' })
      assert.deepEqual([traces, metrics], [[], undefined])
      // What they say is said of a backend, not of the console, unless nothing is wanted at all.
      const { traces: told, isOff } = readOtlpSettings({ ...environment, ...ofConsole })
      assert.deepEqual(told, isOff ? [] : [toConsole])
    }
  })

  it('sends to the console and to a backend, but once where they are the same', () => {
    const both = readOtlpSettings({ ...ofConsole, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' })
    assert.deepEqual(
      both.traces.map(({ name, url }) => [name, url]),
      [
        ['console', 'http://127.0.0.1:8090/v1/traces'],
        ['backend', 'http://collector:4318/v1/traces'],
      ],
    )
    const same = readOtlpSettings({ ...ofConsole, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:8090/' })
    assert.deepEqual(same.traces, [toConsole])
  })

  it('puts the path of a signal before what is asked for', () => {
    const { traces } = readOtlpSettings({
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://in.example/otlp/?team=a%20b',
    })
    assert.equal(traces[0]?.url, 'https://in.example/otlp/v1/traces?team=a%20b')
  })

  it('understands lists of exporters', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    for (const [exporters, isWanted] of [
      ['', true],
      ['otlp', true],
      ['console, otlp', true],
      ['zipkin', false],
    ] as const) {
      const { traces } = readOtlpSettings({ ...endpoint, OTEL_TRACES_EXPORTER: exporters })
      assert.equal(traces.length === 1, isWanted, exporters)
    }
    const pushed = readOtlpSettings({ ...endpoint, OTEL_METRICS_EXPORTER: 'prometheus,otlp' })
    assert.equal(pushed.metrics?.url, 'http://collector:4318/v1/metrics')
  })

  it('says what is not usable, and never shows a value', () => {
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }
    for (const environment of [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 's3cret' },
      { ...ofConsole, FLOTILLA_TELEMETRY_URL: 's3cret' },
      { ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
      { ...endpoint, OTEL_EXPORTER_OTLP_HEADERS: 's3cret' },
      { ...endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: 's3cret' },
    ]) {
      assert.throws(
        () => readOtlpSettings(environment),
        (error) =>
          error instanceof ConfigError &&
          /^(?:OTEL|FLOTILLA)_\w+ is not usable/.test(error.message) &&
          !/s3cret/.test(error.message),
      )
    }
  })
})
