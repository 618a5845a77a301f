import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { createHttpClient } from '@flotilla/core/http-client'
import { Metrics } from '@flotilla/core/metrics'
import { until } from '@flotilla/core/until'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import type { StoredSample } from '../telemetry/rows.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { openTestStore } from '../testing/test-store.ts'
import { Collector, type Target } from './collector.ts'

/** A process whose answer the test chooses, and who is asked for it. */
interface Bed {
  readonly clock: VirtualClock
  readonly store: TelemetryStore
  readonly collector: Collector
  readonly own: Metrics
  readonly target: { -readonly [K in keyof Target]: Target[K] }
  readonly process: { text: string; status: number; asked: number }
  /** What was given to the store, by turns. */
  readonly turns: (readonly StoredSample[])[]
  turn(text?: string): Promise<readonly StoredSample[]>
}

const STEP_MS = 5_000

async function makeBed(t: TestContext): Promise<Bed> {
  const process = { text: '', status: 200, asked: 0 }
  const server = createServer((incoming, outgoing) => {
    process.asked++
    outgoing.writeHead(incoming.url === '/metrics' ? process.status : 404).end(process.text)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const http = createHttpClient(systemClock)
  const clock = new VirtualClock(systemClock.now())
  const store = await openTestStore(t)
  const turns: (readonly StoredSample[])[] = []
  const target = {
    process: 'orders-1',
    host: 'orders',
    instance: 'orders-1-a',
    http: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isReady: true,
  }
  const own = new Metrics()
  const collector = new Collector({
    clock,
    http,
    own,
    log: { warn: () => {} } as never,
    store: {
      ...store,
      appendSamples(samples) {
        turns.push(samples)
        store.appendSamples(samples)
      },
    },
    targets: () => [{ ...target }],
  })
  t.after(async () => {
    collector.close()
    await http.close()
    server.closeAllConnections()
    server.close()
  })
  return {
    clock,
    store,
    collector,
    own,
    target,
    process,
    turns,
    async turn(text = process.text) {
      process.text = text
      await collector.turn()
      // No time passes but between turns, and without the turns that time would bring.
      clock.jump(STEP_MS)
      return turns.at(-1) ?? []
    },
  }
}

const valuesOf = (samples: readonly StoredSample[], name: string): number[] =>
  samples.flatMap((one) => (one.name === name ? [one.value] : []))

const calls = (ok: number, bad = 0): string =>
  `# TYPE calls_total counter\ncalls_total{code="ok"} ${ok}\ncalls_total{code="internal"} ${bad}\n# TYPE now gauge\nnow 7\n`

/** What all counters together added since the beginning. */
async function added({ store, clock }: Bed): Promise<number> {
  await store.flush()
  const range = { fromMs: clock.now() - 600_000, toMs: clock.now() }
  const { series } = await store.series({ ...range, name: 'calls_total', as: 'rate', by: [] })
  return Math.round((series[0]?.points[0]?.[1] ?? 0) * 600)
}

describe('Collector', () => {
  it('leaves out counters that did not move, and what was counted is right nonetheless', async (t) => {
    const bed = await makeBed(t)
    assert.deepEqual(valuesOf(await bed.turn(calls(10)), 'calls_total'), [10])
    const idle = await bed.turn(calls(10))
    assert.deepEqual([valuesOf(idle, 'calls_total'), valuesOf(idle, 'now')], [[], [7]])
    // A counter whose 0 was never told: all 4 were counted since it was asked last.
    assert.deepEqual(valuesOf(await bed.turn(calls(15, 4)), 'calls_total'), [15, 4])
    assert.equal(await added(bed), 9)
  })

  it('tells counters apart by every label, whatever is in it', async (t) => {
    const bed = await makeBed(t)
    const two = (one: number, other: number): string =>
      `# TYPE calls_total counter\ncalls_total{a="x y",b="z"} ${one}\ncalls_total{a="x",b="y z"} ${other}\n`
    await bed.turn(two(1, 5))
    assert.deepEqual(valuesOf(await bed.turn(two(5, 5)), 'calls_total'), [5])
  })

  it('tells of a process that is away, not ready or answers wrongly only that', async (t) => {
    const bed = await makeBed(t)
    const upOf = async (): Promise<unknown> =>
      (await bed.turn(calls(1)))
        .filter(({ labels }) => labels['process'] === 'orders-1')
        .map(({ name, value }) => [name, value])
    bed.process.status = 500
    assert.deepEqual(await upOf(), [['flotilla_process_up', 0]])
    bed.process.status = 200
    bed.target.isReady = false
    assert.deepEqual(await upOf(), [['flotilla_process_up', 0]])
    assert.equal(bed.process.asked, 1)
    Object.assign(bed.target, { isReady: true, http: 'http://127.0.0.1:9' })
    assert.deepEqual(await upOf(), [['flotilla_process_up', 0]])
  })

  it('names process, host and instance of what it tells', async (t) => {
    const bed = await makeBed(t)
    const samples = await bed.turn(calls(1))
    const labels = { process: 'orders-1', instance: 'orders-1-a' }
    assert.deepEqual(samples.find(({ name }) => name === 'flotilla_process_up')?.labels, {
      ...labels,
      host: 'orders',
    })
    assert.deepEqual(samples.find(({ name }) => name === 'now')?.labels, labels)
  })

  it('counts what a new instance counted, from nothing, when the one before it is gone', async (t) => {
    const bed = await makeBed(t)
    await bed.turn(calls(10))
    await bed.turn(calls(12))
    bed.target.instance = 'orders-1-b'
    // The first answer of an instance that does not say when it started is a place to count from.
    await bed.turn(calls(3))
    await bed.turn(calls(5))
    assert.equal(await added(bed), 4)
  })

  it('counts all that a process counted before it was asked first, where that started lately', async (t) => {
    const bed = await makeBed(t)
    const startedAgo = (ms: number): string =>
      `process_start_time_seconds ${(bed.clock.now() - ms) / 1_000}\n${took}`
    const took =
      '# TYPE took_seconds histogram\ntook_seconds_bucket{le="1"} 1\ntook_seconds_bucket{le="+Inf"} 1\n'
    const range = { fromMs: bed.clock.now() - 60_000, toMs: bed.clock.now() + 60_000 }
    const median = async (): Promise<unknown> => {
      await bed.store.flush()
      const query = { ...range, name: 'took_seconds', as: 'quantile' as const, quantile: 0.5, by: [] }
      return (await bed.store.series(query)).series[0]?.points[0]?.[1]
    }
    await bed.turn(startedAgo(3_600_000))
    assert.equal(await median(), undefined, 'it may have been long ago')
    bed.target.instance = 'orders-1-b'
    await bed.turn(startedAgo(3_000))
    assert.equal(await median(), 0.5)
  })

  it('counts on when an instance was away for a turn, and when its counters begin anew', async (t) => {
    const bed = await makeBed(t)
    await bed.turn(calls(10))
    bed.process.status = 503
    await bed.turn()
    bed.process.status = 200
    // The first that was bad was so since it answered last.
    await bed.turn(calls(16, 3))
    await bed.turn(calls(4))
    assert.equal(await added(bed), 13)
  })

  it('tells of this process as of another, named control', async (t) => {
    const bed = await makeBed(t)
    bed.own.gauge('flotilla_machine', 'Of the machine.', []).with().set(3)
    const labels = { process: 'control', instance: 'control' }
    const found = (await bed.turn()).find(({ name }) => name === 'flotilla_machine')
    assert.deepEqual([found?.labels, found?.value], [labels, 3])
  })

  it('asks every five seconds, until it is closed', async (t) => {
    const { clock, turns, collector } = await makeBed(t)
    for (const turn of [1, 2]) {
      await until('it will ask again', () => clock.pending === 1)
      await clock.advance(STEP_MS)
      await until('it has asked', () => turns.length === turn)
    }
    await until('it will ask again', () => clock.pending === 1)
    collector.close()
    assert.equal(clock.pending, 0)
  })

  it('tells nothing of what it asked while it was closed', async (t) => {
    const { collector, turns } = await makeBed(t)
    const turn = collector.turn()
    collector.close()
    await turn
    assert.deepEqual(turns, [])
  })
})
