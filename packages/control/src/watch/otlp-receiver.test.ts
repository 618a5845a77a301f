import assert from 'node:assert/strict'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { type HttpServer, openHttpServer } from '@flotilla/core/http-server'
import { createIds } from '@flotilla/core/ids'
import { systemRandom } from '@flotilla/core/random'
import { until } from '@flotilla/core/until'
import { OTLP_BYTES_MAX } from '../telemetry/otlp-body.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { openTestStore } from '../testing/test-store.ts'
import { otlpReceiver } from './otlp-receiver.ts'

const KEY = 'the-key-for-telemetry-24'
const JSON_HEADERS = { 'content-type': 'application/json', 'x-otlp-api-key': KEY }
const nowNs = `${systemClock.now()}000000`

interface Answer {
  readonly status: number
  readonly body: string
}

type Asked = Readonly<Record<string, string>>

/** A span of `service`, as any SDK writes it. */
const spans = (traceId: string, service = 'billing'): string =>
  JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId,
                spanId: 'cd'.repeat(8),
                name: 'pay',
                startTimeUnixNano: nowNs,
                endTimeUnixNano: nowNs,
              },
            ],
          },
        ],
      },
    ],
  })

describe('otlpReceiver', () => {
  let server: HttpServer
  let store: TelemetryStore
  const cleanUps: (() => Promise<void>)[] = []

  before(async () => {
    store = await openTestStore({ after: (cleanUp) => cleanUps.push(cleanUp) })
    server = await openHttpServer({
      host: '127.0.0.1',
      port: 0,
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      receiver: { operations: [] } as never,
      authenticate: () => {
        throw new FlotillaError('unauthenticated', 'Nobody asks for anything else here.')
      },
      foreign: otlpReceiver(store, KEY),
    })
    cleanUps.unshift(() => server.close())
  })
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })

  function begin(path: string, headers: Asked, method = 'POST'): [ClientRequest, Promise<Answer>] {
    const { host, port } = server
    const outgoing = request({ host, port, path, method, headers, agent: false })
    const answer = new Promise<Answer>((resolve, reject) => {
      outgoing.once('error', reject)
      outgoing.once('response', (incoming: IncomingMessage) => {
        let body = ''
        incoming.on('data', (part: Buffer) => {
          body += part.toString()
        })
        incoming.once('error', reject)
        incoming.once('end', () => resolve({ status: incoming.statusCode ?? 0, body }))
      })
    })
    return [outgoing, answer]
  }

  const post = (body: string | Uint8Array, headers: Asked = JSON_HEADERS, path = '/v1/traces') => {
    const [outgoing, answer] = begin(path, headers)
    outgoing.end(body)
    return answer
  }
  const statusOf = async (...given: Parameters<typeof post>): Promise<number> => (await post(...given)).status

  it('puts spans into the store, lines and metrics too, plain or compressed', async () => {
    const ids = ['0a'.repeat(16), '0b'.repeat(16)] as const
    assert.deepEqual(await post(spans(ids[0])), { status: 200, body: '{}' })
    assert.equal(
      await statusOf(gzipSync(spans(ids[1])), { ...JSON_HEADERS, 'content-encoding': 'gzip' }),
      200,
    )
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'billing' } }] }
    const line = { timeUnixNano: nowNs, body: { stringValue: 'declined' } }
    const lines = { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [line] }] }] }
    assert.equal(await statusOf(JSON.stringify(lines), JSON_HEADERS, '/v1/logs'), 200)
    const gauge = { dataPoints: [{ timeUnixNano: nowNs, asDouble: 3 }] }
    const metrics = {
      resourceMetrics: [{ resource, scopeMetrics: [{ metrics: [{ name: 'queue', gauge }] }] }],
    }
    assert.equal(await statusOf(JSON.stringify(metrics), JSON_HEADERS, '/v1/metrics'), 200)
    await store.flush()
    for (const id of ids)
      assert.deepEqual(
        (await store.trace(id)).spans.map(({ service, name }) => [service, name]),
        [['billing', 'pay']],
      )
    const range = { fromMs: Number(nowNs) / 1e6 - 60_000, toMs: systemClock.now() + 60_000 }
    const found = await store.searchLogs({ ...range, query: 'declined' })
    assert.deepEqual(
      found.lines.map(({ service, message }) => [service, message]),
      [['billing', 'declined']],
    )
    assert.deepEqual(
      store.metrics().map(({ name }) => name),
      ['queue'],
    )
  })

  it('tells how many it could not take', async () => {
    const { status, body } = await post(spans('not a trace'))
    assert.equal(status, 200)
    assert.equal(JSON.parse(body).partialSuccess.rejectedSpans, '1')
  })

  it('takes nothing from who does not know the key', async () => {
    const type = { 'content-type': 'application/json' }
    const id = '0c'.repeat(16)
    for (const wrong of [
      {},
      { 'x-otlp-api-key': '' },
      { 'x-otlp-api-key': `${KEY}x` },
      { authorization: 'x' },
    ])
      assert.equal(await statusOf(spans(id), { ...type, ...wrong }), 401)
    await store.flush()
    assert.deepEqual((await store.trace(id)).spans, [])
    assert.equal(await statusOf(spans(id), { ...type, authorization: `Bearer ${KEY}` }), 200)
  })

  it('answers 405 to another method, and leaves other paths to others', async () => {
    const [outgoing, answer] = begin('/v1/traces', JSON_HEADERS, 'GET')
    outgoing.end()
    assert.equal((await answer).status, 405)
    assert.equal(await statusOf('{}', JSON_HEADERS, '/v1/profiles'), 404)
  })

  it('refuses another type or encoding with 415, and what is no JSON with 400', async () => {
    assert.equal(await statusOf('{}', { ...JSON_HEADERS, 'content-type': 'text/plain' }), 415)
    assert.equal(await statusOf('{}', { ...JSON_HEADERS, 'content-encoding': 'br' }), 415)
    assert.equal(await statusOf('{'), 400)
  })

  it('answers 413 to what is too long, told or not told how long, compressed or not', async () => {
    const long = Buffer.alloc(3 * OTLP_BYTES_MAX, ' ')
    const told = { ...JSON_HEADERS, 'content-length': String(long.length) }
    assert.equal(await statusOf(long, told), 413)
    assert.equal(await statusOf(long, { ...JSON_HEADERS, 'transfer-encoding': 'chunked' }), 413)
    assert.equal(await statusOf(gzipSync(long), { ...JSON_HEADERS, 'content-encoding': 'gzip' }), 413)
  })

  it('reads eight bodies at a time, refuses more with 429, and goes on when those are through', async () => {
    const slow = Array.from({ length: 8 }, () => begin('/v1/traces', JSON_HEADERS))
    for (const [outgoing] of slow) outgoing.write('{')
    await until('eight are being read', async () => (await statusOf('{}')) === 429)
    for (const [outgoing] of slow.slice(1)) outgoing.end('}')
    for (const [, answer] of slow.slice(1)) assert.equal((await answer).status, 200)
    // Who hangs up makes room as well.
    const [[hung, its]] = slow as [[ClientRequest, Promise<Answer>]]
    hung.destroy()
    await assert.rejects(its)
    const again = Array.from({ length: 8 }, () => post('{}'))
    for (const answer of again) assert.equal((await answer).status, 200)
  })
})
