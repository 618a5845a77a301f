import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { defineApp } from '@flotilla/core/app'
import { defineContract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import { query } from '@flotilla/core/operation'
import { type OtlpReceiver, openOtlpReceiver, type ReceivedSpan } from '@flotilla/core/otlp-receiver'
import { Nothing, Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { registryService } from './service.ts'

const input = Type.Object({ what: Type.String() })
const back = defineContract({
  name: 'back',
  version: 1,
  summary: 'Is asked.',
  operations: { look: query({ summary: 'Looks.', access: anyone, input, output: Nothing }) },
})
const front = defineContract({
  name: 'front',
  version: 1,
  summary: 'Asks.',
  operations: { ask: query({ summary: 'Asks.', access: anyone, input, output: Nothing }) },
})

const app = defineApp({
  name: 'test',
  folder: '.',
  services: {
    registry: async () => registryService,
    back: async () => defineService({ contract: back, open: () => ({ look: () => ({}) }) }),
    front: async () =>
      defineService({
        contract: front,
        calls: [back],
        open: () => ({
          async ask({ what }, ctx) {
            await ctx.call(back).look({ what })
            if (what === 'slow') await ctx.clock.sleep(80, ctx.signal)
            if (what === 'failing') throw new FlotillaError('internal', 'Broken.')
            return {}
          },
        }),
      }),
  },
})

const WHOLE = ['back server back.look', 'front client back.look', 'front server front.ask']
const labels = (spans: readonly ReceivedSpan[]): readonly string[] =>
  spans.map(({ service, kind, name }) => `${service} ${kind === 2 ? 'server' : 'client'} ${name}`).sort()

async function arrives(receiver: OtlpReceiver, traceId: string): Promise<readonly ReceivedSpan[]> {
  const its = (): readonly ReceivedSpan[] => receiver.spans.filter((span) => span.traceId === traceId)
  await until('the whole trace is there', () => its().length >= WHOLE.length)
  return its()
}

describe('Exported traces', () => {
  for (const placement of testPlacements) {
    it(`hold what every process has of them, chosen, slow or failed, and nothing else is sent: ${placement}`, async (t) => {
      const receiver = await openOtlpReceiver(t)
      const { hostOf } = await openTestApp(t, {
        app,
        placement,
        environment: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `${receiver.url}/`,
          OTEL_EXPORTER_OTLP_HEADERS: 'X-Key=a%20b',
          FLOTILLA_TRACES_SLOW_MS: '50',
        },
      })
      let number = 0
      const ask = async (what: string, isSampled: boolean): Promise<string> => {
        const traceId = `${++number}`.padStart(32, 'a')
        await fetch(`${hostOf('front').http}/operations/front.ask`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            traceparent: `00-${traceId}-${'b'.repeat(16)}-0${isSampled ? 1 : 0}`,
          },
          body: JSON.stringify({ what }),
        })
        return traceId
      }
      const dull = await ask('nothing', false)
      for (const [what, isSampled] of [
        ['nothing', true],
        ['slow', false],
        ['failing', false],
      ] as const) {
        const spans = await arrives(receiver, await ask(what, isSampled))
        assert.deepEqual(labels(spans), WHOLE)
        const ask1 = spans.find(({ name }) => name === 'front.ask')
        assert.deepEqual(ask1?.status, what === 'failing' ? { code: 2, message: 'internal' } : {})
        assert.equal(ask1?.parentSpanId, 'b'.repeat(16))
        for (const span of spans) {
          assert.ok(BigInt(span.startTimeUnixNano) <= BigInt(span.endTimeUnixNano))
          assert.ok(Math.abs(Number(BigInt(span.startTimeUnixNano) / 1_000_000n) - Date.now()) < 60_000)
        }
      }
      assert.ok(receiver.spans.every(({ traceId }) => traceId !== dull))
      assert.ok(receiver.headers.every((headers) => headers['x-key'] === 'a b'))
    })
  }

  it('are sent before the process ends', async (t) => {
    const receiver = await openOtlpReceiver(t)
    const { hostOf } = await openTestApp(t, {
      app,
      placement: 'one process',
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    })
    const host = hostOf('front')
    const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`
    const headers = { 'content-type': 'application/json', traceparent }
    await fetch(`${host.http}/operations/front.ask`, { method: 'POST', headers, body: '{"what":""}' })
    await host.close()
    assert.equal(receiver.spans.length, 3)
  })
})
