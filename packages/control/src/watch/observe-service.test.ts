import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Calls } from '@flotilla/core/calls'
import { systemClock } from '@flotilla/core/clock'
import { migrate } from '@flotilla/core/migrate'
import { platformMigrations } from '@flotilla/core/migration-files'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { openTestDatabase } from '@flotilla/core/test-database'
import { observeContract } from '../api/observe-contract.ts'
import type { StoredLine, StoredSpan } from '../telemetry/rows.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { openTestStore } from '../testing/test-store.ts'
import { aFailedSpan, itsSamples, watchedSystem } from '../testing/watched-system.ts'
import { observeService } from './observe-service.ts'

interface Bed {
  readonly store: TelemetryStore
  readonly app: TestApp
  readonly observe: Calls<typeof observeContract>
}

const viewer = { id: 'console', roles: ['viewer'], scopes: [], tier: 'enterprise' }

/** The observing API of a system, as the console asks it. */
async function makeBed(
  t: TestContext,
  databaseUrls: Readonly<Record<string, string>> = {},
  clock = systemClock,
): Promise<Bed> {
  const store = await openTestStore(t, clock)
  const service = observeService({
    ...watchedSystem(store),
    databaseUrls,
    audit: { latest: [] },
    storeBytesMax: 1_000_000,
  })
  const app = await openTestApp(t, {
    app: { name: 'test', folder: '', services: { observe: async () => service } },
    placement: 'one process',
  })
  return { store, app, observe: app.call(observeContract, { user: viewer }) }
}

const line = (index: number, more: Partial<StoredLine> = {}): StoredLine => ({
  timeUs: systemClock.now() * 1_000 - 1_000_000 + index,
  level: 'info',
  service: 'orders',
  instance: 'orders-1',
  message: `line ${index}`,
  ...more,
})

const numberOf = (message: string): number => Number(message.split(' ')[1] ?? 1e9)
const isBadQuery = { code: 'invalid_argument', reason: 'bad_query' }

describe('observeService', () => {
  it('answers nobody but viewers and operators', async (t) => {
    const { app } = await makeBed(t)
    await assert.rejects(app.call(observeContract).store({}), { code: 'unauthenticated' })
    const user = { ...viewer, roles: ['customer'] }
    await assert.rejects(app.call(observeContract, { user }).store({}), { code: 'permission_denied' })
  })

  it('calls bad_query what cannot be read', async (t) => {
    const { observe } = await makeBed(t)
    await assert.rejects(observe.logs({ q: 'level>=loud' }), isBadQuery)
    await assert.rejects(observe.logHistogram({ q: '"open' }), isBadQuery)
    await assert.rejects(observe.logs({ fromMs: 2, toMs: 1 }), isBadQuery)
    await assert.rejects(observe.traces({ cursor: 'none of ours' }), isBadQuery)
    await assert.rejects(observe.series({ name: 'x', where: 'service' }), isBadQuery)
    await assert.rejects(observe.series({ name: 'x', fromMs: 0, stepMs: 1 }), isBadQuery)
  })

  it('finds lines by a query, the latest first, page by page', async (t) => {
    const { store, observe } = await makeBed(t)
    store.appendLogs(Array.from({ length: 5 }, (_, index) => line(index)))
    store.appendLogs([line(9, { level: 'warn', service: 'stock', fields: { sku: 'A-1' } })])
    await store.flush()
    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const page = await observe.logs({ q: 'service=orders', limit: 2, ...(cursor ? { cursor } : {}) })
      pages.push(page.items.map(({ message }) => message))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    assert.deepEqual(pages, [['line 4', 'line 3'], ['line 2', 'line 1'], ['line 0']])
    const [warned] = (await observe.logs({ q: 'level>=warn sku=A-1' })).items
    assert.deepEqual([warned?.service, warned?.level, warned?.fields], ['stock', 'warn', { sku: 'A-1' }])
    const { items } = await observe.logHistogram({})
    const sumOf = (level: string): number => items.reduce((sum, { levels }) => sum + (levels[level] ?? 0), 0)
    assert.deepEqual([sumOf('info'), sumOf('warn')], [5, 1])
  })

  it('says how far a search came that ran out of time, and that a trace may have more lines', async (t) => {
    let passedMs = 0
    // Every search has had its share of time after one piece.
    const clock = { ...systemClock, monotonicMs: () => (passedMs += 1_000) }
    const { store, observe } = await makeBed(t, {}, clock)
    const traceId = 'ab'.repeat(16)
    const agoUs = (minutes: number): number => (systemClock.now() - minutes * 60_000) * 1_000
    const bare = aFailedSpan(0, 'orders')
    // More than a piece has.
    for (let batch = 0; batch < 3; batch++) {
      const timeUs = agoUs(2)
      store.appendLogs(Array.from({ length: 15_000 }, () => line(0, { timeUs, traceId })))
      store.appendSpans(Array.from({ length: 15_000 }, () => ({ ...bare, startUs: timeUs, traceId })))
      await store.flush()
    }
    store.appendLogs([line(0, { timeUs: agoUs(5), level: 'warn' })])
    store.appendSpans([{ ...bare, startUs: agoUs(5), traceId: 'cd'.repeat(16), service: 'stock' }])
    await store.flush()
    const isWithin = (atMs: number | null): boolean => atMs !== null && atMs > agoUs(5) / 1_000
    const traces = await observe.traces({ service: 'stock' })
    assert.deepEqual([traces.items, isWithin(traces.cutShortAtMs)], [[], true])
    const rest = await observe.traces({ service: 'stock', cursor: traces.nextCursor ?? '' })
    assert.deepEqual([rest.items.length, rest.nextCursor, rest.cutShortAtMs], [1, null, null])
    const lines = await observe.logs({ q: 'level>=warn' })
    assert.deepEqual([lines.items, isWithin(lines.cutShortAtMs)], [[], true])
    // As many as were wanted: that is no lack of time.
    assert.equal((await observe.logs({ limit: 3 })).cutShortAtMs, null)
    assert.ok(isWithin((await observe.logHistogram({})).cutShortAtMs))
    const trace = await observe.trace({ traceId })
    assert.deepEqual([trace.logLines, trace.hasMoreLogLines], [500, true])
    const few = await observe.trace({ traceId: 'cd'.repeat(16) })
    assert.equal(few.logLines, 0)
  })

  it('follows lines: those that come, oldest first, none that was there', async (t) => {
    const { store, observe } = await makeBed(t)
    store.appendLogs([line(0, { message: 'before' })])
    await store.flush()
    const found: string[] = []
    const following = (async () => {
      for await (const { message } of observe.followLogs({ q: 'service=orders' })) {
        found.push(message)
        if (message === 'last') break
      }
    })()
    // Nobody tells when it has begun: lines come until one is seen.
    for (let index = 1; found.length === 0; index++) {
      store.appendLogs([line(index), line(0, { service: 'stock', message: 'of another' })])
      await systemClock.sleep(50)
    }
    store.appendLogs([line(1_000_000, { message: 'last' })])
    await following
    const sorted = found.toSorted((a, b) => numberOf(a) - numberOf(b))
    assert.deepEqual(found, sorted)
    assert.equal(new Set(found).size, found.length)
    assert.deepEqual(
      found.filter((message) => !/^line [1-9]|^last$/.test(message)),
      [],
    )
  })

  it('shows a trace with its critical path and its lines; no_trace where there is none', async (t) => {
    const { store, observe } = await makeBed(t)
    const root = { ...aFailedSpan(systemClock.now(), 'orders'), durationUs: 9_000 }
    const inner: StoredSpan = {
      ...root,
      spanId: 'ef'.repeat(8),
      parentId: root.spanId,
      name: 'stock.take',
      service: 'stock',
      startUs: root.startUs + 2_000,
      durationUs: 6_000,
      status: 'ok',
      attributes: { sku: 'A-1' },
      resource: { region: 'north' },
    }
    const beside = { ...inner, spanId: '0e'.repeat(8), durationUs: 3_000, attributes: {} }
    store.appendSpans([inner, beside, root])
    store.appendLogs([line(0, { traceId: root.traceId }), line(1)])
    await store.flush()
    const trace = await observe.trace({ traceId: root.traceId })
    const { name, durationMs, spans, errors, services, logLines, hasMoreLogLines } = trace
    assert.deepEqual(
      [name, durationMs, spans, errors, services, logLines, hasMoreLogLines],
      ['orders.place', 9, 3, 1, ['orders', 'stock'], 1, false],
    )
    assert.deepEqual(
      trace.items.map(({ spanId, startMs, isCritical }) => [spanId.slice(0, 2), startMs, isCritical]).sort(),
      [
        ['0e', 2, false],
        ['cd', 0, true],
        ['ef', 2, true],
      ],
    )
    const its = trace.items.find(({ spanId }) => spanId === inner.spanId)
    assert.deepEqual([its?.attributes, its?.parentId], [{ sku: 'A-1', region: 'north' }, root.spanId])
    assert.deepEqual(
      (await observe.traces({ isFailed: true })).items.map(({ traceId, errors: failed }) => [
        traceId,
        failed,
      ]),
      [[root.traceId, 1]],
    )
    await assert.rejects(observe.trace({ traceId: '0'.repeat(32) }), { reason: 'no_trace' })
  })

  it('shows a service with its operations and who it deals with; no_service where there is none', async (t) => {
    const { store, observe } = await makeBed(t)
    store.appendSamples(itsSamples(systemClock.now()))
    await store.flush()
    const detail = await observe.service({ service: 'orders', windowMs: 120_000 })
    assert.deepEqual(
      detail.operations.map(({ operation, rate }) => [operation, rate]),
      [
        ['orders.place', 0.75],
        ['orders.list', 0.25],
        ['orders.count', 0],
      ],
    )
    assert.deepEqual([detail.publishes, detail.health], [['orders.placed'], 'bad'])
    assert.ok(detail.edges.every(({ from, to }) => [from, to].includes('orders')))
    await assert.rejects(observe.service({ service: 'constructor' }), { reason: 'no_service' })
  })

  it('tells of routes how they did lately, or as long as is asked', async (t) => {
    const { store, observe } = await makeBed(t)
    store.appendSamples(itsSamples(systemClock.now() - 120_000))
    await store.flush()
    const rateOf = async (window: { windowMs?: number }): Promise<number | undefined> => {
      const { items } = await observe.routes(window)
      return items.find(({ target }) => target === 'orders.place')?.rate
    }
    assert.equal(await rateOf({}), 0)
    assert.ok(((await rateOf({ windowMs: 300_000 })) ?? 0) > 0)
  })

  it('follows the overview: again every two seconds, with what came meanwhile', async (t) => {
    const { store, observe } = await makeBed(t)
    const seen: { readonly at: number; readonly rate: number }[] = []
    for await (const { at, services, totals } of observe.followOverview({ windowMs: 120_000 })) {
      const orders = services.find(({ name }) => name === 'orders')
      seen.push({ at: Date.parse(at), rate: orders?.rate ?? -1 })
      assert.equal(totals.instances, 7)
      if (seen.length === 2) break
      store.appendSamples(itsSamples(systemClock.now()))
      await store.flush()
    }
    const [before, after] = seen
    assert.ok(before !== undefined && after !== undefined)
    assert.deepEqual([before.rate, after.rate], [0, 1])
    assert.ok(after.at - before.at >= 1_900, String(after.at - before.at))
  })

  it('shows beside durations the slowest traces, one for every four steps; of one service, of its own spans', async (t) => {
    const { store, observe } = await makeBed(t)
    const stepMs = 10_000
    const range = { fromMs: Math.floor(systemClock.now() / 40_000) * 40_000 - 80_000, stepMs }
    const toMs = range.fromMs + 80_000
    const slow = (afterMs: number, durationMs: number, more: Partial<StoredSpan> = {}): StoredSpan => ({
      ...aFailedSpan(0, 'orders'),
      traceId: String(durationMs).padStart(32, '0'),
      startUs: (range.fromMs + afterMs) * 1_000,
      durationUs: durationMs * 1_000,
      ...more,
    })
    store.appendSpans([
      slow(1_000, 20),
      slow(39_000, 30),
      slow(41_000, 10),
      slow(42_000, 500, { kind: 'client' }),
      slow(43_000, 600, { service: 'stock' }),
      slow(44_000, 700, { service: 'gateway' }),
    ])
    await store.flush()
    const name = 'flotilla_server_duration_seconds'
    const exemplars = async (more: Partial<Parameters<typeof observe.series>[0]>) => {
      const found = await observe.series({ name, as: 'quantile', ...range, toMs, ...more })
      return found.exemplars.map(({ atMs, value, traceId }) => [atMs - range.fromMs, value, Number(traceId)])
    }
    assert.deepEqual(await exemplars({ where: 'service=orders' }), [
      [0, 0.03, 30],
      [40_000, 0.01, 10],
    ])
    assert.deepEqual(await exemplars({ where: 'service=stock' }), [[40_000, 0.6, 600]])
    assert.deepEqual(await exemplars({ name: 'flotilla_gateway_duration_seconds' }), [[40_000, 0.7, 700]])
    // Of which service would they be?
    for (const where of ['', 'service=orders|stock', 'service!=orders', 'operation=orders.place'])
      assert.deepEqual(await exemplars({ where }), [])
    assert.deepEqual(await exemplars({ where: 'service=orders', as: 'rate' }), [])
    assert.deepEqual(await exemplars({ name: 'flotilla_group_lag', where: 'service=orders' }), [])
  })

  it('shows a histogram as one metric, without its parts', async (t) => {
    const { store, observe } = await makeBed(t)
    store.appendSamples(itsSamples(systemClock.now()))
    await store.flush()
    const { items } = await observe.metrics({})
    const kinds = new Map(items.map(({ name, kind, labels }) => [name, [kind, labels]]))
    assert.deepEqual(kinds.get('flotilla_server_duration_seconds'), ['histogram', ['service', 'operation']])
    assert.equal(kinds.get('flotilla_group_lag')?.[0], 'gauge')
    assert.deepEqual(
      [...kinds.keys()].filter((name) => name.endsWith('_bucket')),
      [],
    )
  })

  it('counts what is parked where databases can be reached, and tells how those are', async (t) => {
    const mail = await openTestDatabase(t)
    await migrate(mail.url, [platformMigrations])
    await mail.ask(
      `insert into flotilla.parked (group_name, partition, position, key, event_id, topic, event, state)
        values ('mail', 0, 1, 'a', gen_random_uuid(), 'orders.placed', '{}', 'waiting')`,
    )
    const away = new URL(mail.url)
    away.port = '9'
    const { store, observe } = await makeBed(t, { mail: mail.url, away: away.href })
    store.appendSamples(itsSamples(systemClock.now()))
    await store.flush()
    const { items } = await observe.topics({})
    assert.deepEqual(
      items.map(({ topic, groups }) => [topic, groups.map(({ group, parked }) => [group, parked])]),
      [
        ['orders.*', [['mail', 1]]],
        ['catalog.*', []],
      ],
    )
    const databases = (await observe.databases({})).items
    assert.deepEqual(
      databases.map(({ service }) => service),
      ['mail'],
    )
    const [its] = databases
    assert.ok(its !== undefined && its.bytes > 1_000_000 && its.connections >= 1)
    assert.ok(its.hitShare > 0 && its.hitShare <= 1 && its.transactionsPerSec > 0)
  })

  it('shows programs of others by names as long as they like', async (t) => {
    const { store, observe } = await makeBed(t)
    const service = 'x'.repeat(300)
    const span = { ...aFailedSpan(systemClock.now(), service), kind: 'server' as const, instance: service }
    store.appendSpans([span])
    await store.flush()
    const [its] = (await observe.overview({})).foreign
    const { items } = await observe.traces({ service: its?.name ?? '' })
    assert.deepEqual(
      items.map(({ traceId }) => traceId),
      [span.traceId],
    )
    const { nodes } = await observe.map({})
    assert.ok(nodes.some(({ name }) => name === its?.name))
    assert.equal((await observe.trace({ traceId: span.traceId })).spans, 1)
  })

  it('tells what is kept, and since when', async (t) => {
    const { store, observe } = await makeBed(t)
    assert.equal((await observe.store({})).oldest, null)
    store.appendLogs([line(0)])
    await store.flush()
    const { logs, spans, bytesMax, oldest } = await observe.store({})
    assert.deepEqual([logs, spans, bytesMax], [1, 0, 1_000_000])
    assert.ok(oldest !== null && Math.abs(Date.parse(oldest) - systemClock.now()) < 60_000)
  })
})
