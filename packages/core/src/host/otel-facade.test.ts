import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { query, stream } from '../contract/operation.ts'
import { Nothing, Type } from '../contract/schema.ts'
import { defineService } from '../service/definition.ts'
import { openTestApp } from '../testing/test-app.ts'
import { until } from '../testing/until.ts'
import { defineApp } from './app.ts'

const library = trace.getTracer('a library')
const orders = metrics.getMeter('a library').createCounter('orders.placed', { description: 'Orders.' })
const waits = metrics.getMeter('a library').createHistogram('kitchen.wait', { unit: 'ms' })
const sizes = metrics.getMeter('a library').createHistogram('kitchen.size', { unit: 'By' })

const spec = { summary: 'Works.', access: anyone, output: Nothing }
const inner = defineContract({
  name: 'inner',
  version: 1,
  summary: 'Is asked.',
  operations: { cook: query(spec) },
})
const outer = defineContract({
  name: 'outer',
  version: 1,
  summary: 'Asks.',
  operations: {
    order: query(spec),
    time: query(spec),
    follow: stream({ ...spec, output: Type.Object({ header: Type.String() }) }),
  },
})

/** Something in the middle of it, that knows nothing of contexts. */
async function prepare(name: string): Promise<void> {
  await library.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes: { pans: 2 } }, async (span) => {
    await Promise.resolve()
    library.startSpan(`${name} stirs`).end()
    context.with(ROOT_CONTEXT, () => library.startSpan(`${name} cleans up`).end())
    span.end()
  })
}

const app = defineApp({
  name: 'test',
  folder: '.',
  services: {
    inner: async () =>
      defineService({
        contract: inner,
        open: () => ({
          async cook() {
            await prepare('cook')
            orders.add(1, { dish: 'soup' })
            return {}
          },
        }),
      }),
    outer: async () =>
      defineService({
        contract: outer,
        calls: [inner],
        open: () => ({
          async order(_, ctx) {
            await ctx.clock.sleep(1)
            await prepare('plan')
            await ctx.call(inner).cook()
            orders.add(2, { dish: 'salad', pan: 'none' })
            waits.record(3)
            sizes.record(100)
            return {}
          },
          time() {
            const [nowMs, ofPerformance] = [Date.now(), performance.now()]
            const seconds = Math.floor(nowMs / 1_000)
            const hr = (ms: number): [number, number] => [seconds, (ms - seconds * 1_000) * 1e6]
            const times: Readonly<Record<string, readonly [TimeInput, TimeInput]>> = {
              'Date.now': [nowMs, nowMs + 40],
              'performance.now': [ofPerformance - 41, ofPerformance - 1],
              Date: [new Date(nowMs), new Date(nowMs + 40)],
              HrTime: [hr(nowMs), hr(nowMs + 40)],
            }
            for (const [name, [startTime, endTime]] of Object.entries(times)) {
              const span = library.startSpan(`of ${name}`, { startTime })
              span.recordException(null as unknown as Error)
              span.end(endTime)
            }
            return {}
          },
          async *follow(_, ctx) {
            for (let item = 0; item < 2; item++) {
              await ctx.clock.sleep(1)
              const carrier: Record<string, string> = {}
              propagation.inject(context.active(), carrier)
              yield { header: carrier['traceparent'] ?? '' }
            }
          },
        }),
      }),
  },
})

describe('The façade of OpenTelemetry', () => {
  it('puts spans of user code below those of its handler, under its service, also side by side in one process', async (t) => {
    const { call, hostOf } = await openTestApp(t, { app, placement: 'one process' })
    // The first span of all may be the one by which it is learned that there are any.
    await prepare('nothing')
    const { spans } = hostOf('outer')
    const calls = [1, 2, 3].map(() => call(outer).order())
    await Promise.all(calls)
    const all = spans.all()
    const servers = all.filter(({ name }) => name === 'outer.order')
    assert.equal(servers.length, 3)
    for (const { traceId, spanId } of servers) {
      const its = spans.ofTrace(traceId)
      const told = (name: string): unknown[] => {
        const span = its.find((one) => one.name === name)
        const parent = its.find((one) => one.spanId === span?.parentId)
        return [span?.service, span?.kind, parent?.service, parent?.name]
      }
      assert.deepEqual(told('plan'), ['outer', 'client', 'outer', 'outer.order'])
      assert.deepEqual(told('plan stirs'), ['outer', 'internal', 'outer', 'plan'])
      assert.deepEqual(told('cook'), ['inner', 'client', 'inner', 'inner.cook'])
      assert.deepEqual(told('cook stirs'), ['inner', 'internal', 'inner', 'cook'])
      assert.deepEqual(its.find(({ name }) => name === 'plan')?.attributes, { pans: 2 })
      assert.ok(spanId)
    }
    const text = hostOf('outer').metrics.toPrometheus()
    assert.match(text, /# HELP orders_placed_total Orders\./)
    assert.match(text, /^orders_placed_total\{service="inner",dish="soup"\} 3$/m)
    assert.match(text, /^orders_placed_total\{service="outer",dish="salad"\} 6$/m)
    assert.match(text, /^kitchen_wait_seconds_bucket\{service="outer",le="0.004096"\} 3$/m)
    assert.match(text, /^kitchen_wait_seconds_sum\{service="outer"\} 0.009/m)
    assert.match(text, /^kitchen_size_bucket\{service="outer",le="128"\} 3$/m)
    assert.match(text, /^kitchen_size_sum\{service="outer"\} 300/m)
  })

  it('follows what user code does outside any work, and chooses traces that begin there as any others', async (t) => {
    await openTestApp(t, { app, placement: 'one process' })
    await library.startActiveSpan('begins', async (span) => {
      await Promise.resolve()
      const { traceId, traceFlags } = span.spanContext()
      assert.equal(traceFlags, TraceFlags.SAMPLED)
      assert.equal(trace.getActiveSpan(), span)
      assert.equal(library.startSpan('goes on').spanContext().traceId, traceId)
      context.with(ROOT_CONTEXT, () => {
        assert.notEqual(library.startSpan('begins anew').spanContext().traceId, traceId)
      })
    })
    assert.equal(trace.getActiveSpan(), undefined)
  })

  it('begins anew within work, if user code says so, for the service that runs', async (t) => {
    const { call, hostOf } = await openTestApp(t, { app, placement: 'one process' })
    await call(inner).cook()
    const all = hostOf('inner').spans.all()
    const anew = all.find(({ name }) => name === 'cook cleans up')
    assert.deepEqual([anew?.service, anew?.parentId], ['inner', undefined])
    assert.equal(all.find(({ name }) => name === 'inner.cook')?.traceId === anew?.traceId, false)
  })

  it('tells a stream its trace at each item', async (t) => {
    const { call, hostOf } = await openTestApp(t, { app, placement: 'one process' })
    library.startSpan('nothing').end()
    const found: string[] = []
    for await (const { header } of call(outer).follow()) found.push(header)
    const { spans } = hostOf('outer')
    const own = (): string | undefined => spans.all().find(({ name }) => name === 'outer.follow')?.spanId
    await until('its span is there', () => own() !== undefined)
    assert.deepEqual(
      found.map((header) => header.split('-')[2]),
      [own(), own()],
    )
  })

  it('keeps of a span what is bounded, and its failure', async (t) => {
    const { hostOf } = await openTestApp(t, { app, placement: 'one process' })
    const span = library.startSpan('fails', { root: true })
    for (let n = 0; n < 40; n++) span.setAttribute(`a${n}`, 'x'.repeat(1_000))
    span.setAttribute('a0', 'again')
    span.recordException(new TypeError('no'))
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'broken' })
    span.end()
    span.end()
    // Outside any work it is the first host's of this process, which may be another test's.
    assert.equal(span.isRecording(), false)
    assert.match(span.spanContext().traceId, /^[0-9a-f]{32}$/)
    assert.ok(hostOf('outer'))
  })

  it('takes times as the official SDK does, and whatever was thrown', async (t) => {
    const { call, hostOf } = await openTestApp(t, { app, placement: 'one process' })
    await call(outer).time()
    const found = hostOf('outer')
      .spans.all()
      .filter(({ name }) => name.startsWith('of '))
    assert.deepEqual(
      found.map(({ name }) => name),
      ['of Date.now', 'of performance.now', 'of Date', 'of HrTime'],
    )
    for (const { durationMs, startMs, name } of found) {
      assert.ok(Math.abs(durationMs - 40) < 0.01, `${name}: ${durationMs}`)
      assert.ok(Math.abs(startMs - (found[0]?.startMs ?? 0)) < 1_000, name)
    }
    assert.deepEqual(found[0]?.attributes, { 'exception.type': 'Error', 'exception.message': '' })
  })

  it('calls what was bound with the object that it is called on', () => {
    const it = {
      name: 'pan',
      told: context.bind(context.active(), function (this: { readonly name: string }, more: string) {
        return this.name + more
      }),
    }
    assert.equal(it.told('!'), 'pan!')
  })
})
