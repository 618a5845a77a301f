import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import fc from 'fast-check'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { openTestStore } from '../testing/test-store.ts'
import { aFailedSpan, aMoment, itsSamples, watchedSystem } from '../testing/watched-system.ts'
import {
  filled,
  joined,
  keyOf,
  noFigures,
  ofCalls,
  ofGateway,
  ofServices,
  type Red,
  redBy,
} from './figures.ts'
import { overviewOf, summaries } from './overview.ts'
import { routesOf } from './routes.ts'
import { mapOf } from './system-map.ts'
import { topicsOf } from './topics.ts'

const nowMs = aMoment(systemClock.now())
const window = { fromMs: nowMs - 60_000, toMs: nowMs }

const round = (value: number): number => Math.round(value * 1e6) / 1e6
/** Rate, errors, durations. */
const plain = ({ rate, errorShare, p50Ms, p95Ms, p99Ms }: Red = noFigures): number[] =>
  [rate, errorShare, p50Ms, p95Ms, p99Ms].map(round)

describe('figures of a watched system', () => {
  let store: TelemetryStore
  const cleanUps: (() => Promise<void>)[] = []
  before(async () => {
    store = await openTestStore({ after: (cleanUp) => cleanUps.push(cleanUp) })
    store.appendSamples(itsSamples(nowMs))
    store.appendSpans([aFailedSpan(nowMs, 'orders')])
    await store.flush()
  })
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
  })

  describe('redBy', () => {
    it('counts as errors what failed by our fault: codes of services, statuses of the gateway', async () => {
      const services = await redBy(store, ofServices, ['service'], window)
      assert.deepEqual(plain(services.get('orders')), [2, 0.1, 100, 190, 198])
      assert.deepEqual(plain(services.get('stock')), [1, 0, 1_500, 1_950, 1_990])
      const gateway = await redBy(store, ofGateway, ['operation'], window)
      assert.deepEqual(plain(gateway.get('orders.place')), [1.5, round(1 / 30), 200, 380, 396])
      const calls = await redBy(store, ofCalls, ['caller', 'service'], window)
      assert.deepEqual(plain(calls.get(keyOf(['orders', 'stock']))), [1, 0.05, 0, 0, 0])
    })

    it('takes those that match, and all together under an empty name', async () => {
      const matchers = [{ label: 'service', is: '=' as const, values: ['stock'] }]
      const found = await redBy(store, { ...ofServices, matchers }, ['operation'], window)
      assert.deepEqual([...found.keys()], ['stock.take'])
      const all = await redBy(store, ofGateway, [], window)
      assert.deepEqual([...all.keys()], [''])
      assert.deepEqual(plain(all.get('')).slice(0, 2), [2, 0.025])
      assert.equal((await redBy(store, ofServices, [], { fromMs: 0, toMs: 1_000 })).size, 0)
    })
  })

  describe('joined', () => {
    it('adds rates up, weighs errors by them, and takes the worst durations', () => {
      const one = { rate: 3, errorShare: 0, p50Ms: 1, p95Ms: 2, p99Ms: 9 }
      const other = { rate: 1, errorShare: 0.4, p50Ms: 2, p95Ms: 1, p99Ms: 3 }
      assert.deepEqual(plain(joined([one, other])), [4, 0.1, 2, 2, 9])
      assert.deepEqual(joined([]), noFigures)
    })
  })

  describe('summaries', () => {
    it('have the worst first, with what is wrong in words', async () => {
      const all = await summaries(watchedSystem(store), window)
      assert.deepEqual(
        all.map(({ name, health, why, ready, wanted }) => [name, health, why, `${ready}/${wanted}`]),
        [
          ['orders', 'bad', ['10.0 % of its answers are failures'], '1/1'],
          ['search', 'bad', ['no instance is ready'], '0/1'],
          ['gateway', 'warning', ['2.5 % of its answers are failures'], '1/1'],
          ['stock', 'warning', ['one answer of a hundred takes 1990 ms and more'], '1/1'],
          ['mail', 'warning', ['1 of 2 instances are not ready'], '1/2'],
          ['catalog', 'idle', [], '1/1'],
        ],
      )
    })
  })

  describe('overviewOf', () => {
    it('tells of all together what clients see, and how many processes there are', async () => {
      const { totals, placement, business } = await overviewOf(watchedSystem(store), nowMs, 60_000)
      assert.deepEqual(plain(totals).slice(0, 2), [2, 0.025])
      assert.deepEqual([totals.instances, totals.ready, placement], [7, 5, 'split'])
      assert.deepEqual(
        business.map(({ name, value, unit }) => [name, value, unit]),
        [
          ['shop', 60, 'orders a minute'],
          ['money taken', 30, 'EUR a minute'],
          ['money taken', 3_000, 'JPY a minute'],
        ],
      )
    })

    it('counts sagas once, however many instances tell of them', async () => {
      const { sagas } = await overviewOf(watchedSystem(store), nowMs, 60_000)
      const none = { ready: 0, running: 0, waiting: 0, parked: 0 }
      assert.deepEqual(sagas, [
        { ...none, saga: 'cancel' },
        { ...none, saga: 'checkout', running: 2, parked: 1 },
      ])
    })

    it('has a problem for each service that suffers, with a trace that shows it', async () => {
      const { problems } = await overviewOf(watchedSystem(store), nowMs, 60_000)
      assert.deepEqual(
        problems.map(({ service, severity, traceId }) => [service, severity, traceId]),
        [
          ['orders', 'critical', 'ab'.repeat(16)],
          ['search', 'critical', undefined],
          ['gateway', 'warning', undefined],
          ['stock', 'warning', undefined],
          ['mail', 'warning', undefined],
        ],
      )
      // Since when is not known: now is not when it began.
      assert.ok(problems.every(({ sinceMs }) => sinceMs === undefined))
    })

    it('tells what fires, not what is pending or for information, and no service twice', async () => {
      const alert = {
        rule: 'slow',
        severity: 'critical',
        state: 'firing',
        summary: 'stock is slow',
        labels: { service: 'stock' },
        value: 2,
        since: '2026-01-01T00:00:00.000Z',
      } as const
      const others = [
        { ...alert, severity: 'info' as const },
        { ...alert, state: 'pending' as const },
      ]
      const system = { ...watchedSystem(store), alerts: () => [alert, ...others] }
      const { problems } = await overviewOf(system, nowMs, 60_000)
      assert.deepEqual(problems[0], {
        severity: 'critical',
        title: 'stock is slow',
        detail: 'slow',
        service: 'stock',
        sinceMs: Date.parse(alert.since),
      })
      assert.equal(problems.filter(({ service }) => service === 'stock').length, 1)
    })
  })

  describe('mapOf', () => {
    it('joins callers with those they call, with attempts for each call; databases and topics', async () => {
      const { edges } = await mapOf(watchedSystem(store), window)
      assert.deepEqual(
        edges.map(({ from, to, kind, rate, errorShare, amplification }) => [
          `${from} > ${to}`,
          kind,
          ...[rate, errorShare, amplification].map(round),
        ]),
        [
          ['clients > gateway', 'request', 2, 0.025, 1],
          ['gateway > orders', 'call', 2, 0, 1],
          ['orders > stock', 'call', 1, 0.05, 1.5],
          ['orders > bank', 'request', 0.5, 0.1, 1],
          ['stock > search', 'request', 0, 0, 1],
          ['search > gateway', 'request', 0, 0, 1],
          ['orders > database of orders', 'sql', 10, 0, 1],
          ['orders > topic orders.*', 'event', 1, 0, 1],
          ['topic orders.* > mail', 'event', 1, 0, 1],
        ],
      )
    })

    it('shows services that nobody asks, with their health', async () => {
      const { nodes } = await mapOf(watchedSystem(store), window)
      const of = (id: string) => nodes.find((node) => node.id === id)
      assert.deepEqual([of('catalog')?.health, of('catalog')?.kind], ['idle', 'service'])
      assert.deepEqual([of('gateway')?.kind, of('clients')?.kind], ['gateway', 'client'])
      assert.equal(of('control'), undefined)
    })
  })

  describe('mapOf, of what is outside', () => {
    it('has servers as they were asked, and services that stand for such as the processes that they are', async () => {
      const { nodes, edges } = await mapOf(watchedSystem(store), window)
      assert.deepEqual(
        nodes.filter(({ kind }) => kind === 'outside'),
        [
          {
            id: 'search',
            kind: 'outside',
            name: 'search',
            health: 'bad',
            ready: 0,
            wanted: 1,
            hosts: ['search'],
          },
          { id: 'bank', kind: 'outside', name: 'bank', health: 'bad', ready: 1, wanted: 1, hosts: [] },
        ],
      )
      assert.equal(round(edges.find(({ to }) => to === 'bank')?.p95Ms ?? 0), 190)
    })
  })

  describe('topicsOf', () => {
    it('has who follows each stream, how far behind the slowest instance is, and what is parked', async () => {
      const parked = (service: string, group: string): number =>
        `${service} ${group}` === 'mail mail' ? 4 : 0
      const [orders] = await topicsOf(watchedSystem(store), window, parked)
      assert.deepEqual(orders, {
        topic: 'orders.*',
        publisher: 'orders',
        rate: 1,
        groups: [{ group: 'mail', service: 'mail', lag: 7, lagMs: 475, parked: 4 }],
      })
    })

    it('tells the rate of a stream that nobody follows, too', async () => {
      const found = await topicsOf(watchedSystem(store), window, () => 0)
      assert.deepEqual(found[1], { topic: 'catalog.*', publisher: 'catalog', rate: 0.5, groups: [] })
    })
  })

  describe('routesOf', () => {
    it('has the routes of contracts by path, with figures and the share of kept answers', async () => {
      const routes = await routesOf(watchedSystem(store), window)
      assert.deepEqual(
        routes.map((one) => [one.method, one.path, one.target, plain(one)[0], one.hitShare]),
        [
          ['GET', '/api/v1/catalog', 'catalog.show', 0, undefined],
          ['POST', '/api/v1/orders', 'orders.place', 1.5, undefined],
          ['GET', '/api/v1/orders', 'orders.list', 0.4, 0.75],
          ['*', '', 'upstream legacy', 0.1, undefined],
        ],
      )
    })
  })
})

describe('filled', () => {
  const stepMs = 30_000

  it('has a 0 where nothing moved, up to the last step that is over', () => {
    const points = [
      [2 * stepMs, 4],
      [4 * stepMs, 5],
    ] as const
    const all = [
      [2 * stepMs, 4],
      [3 * stepMs, 0],
      [4 * stepMs, 5],
      [5 * stepMs, 0],
    ]
    assert.deepEqual(filled(points, stepMs, { toMs: 6 * stepMs }), all)
    // One millisecond less, and the last step goes on.
    assert.deepEqual(filled(points, stepMs, { toMs: 6 * stepMs - 1 }), all.slice(0, 3))
    assert.deepEqual(filled([], stepMs, { toMs: 6 * stepMs }), [])
  })

  it('has every step since the first that is known, with what is known of it', () => {
    const steps = fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { minLength: 1 })
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 60 * stepMs }), (some, toMs) => {
        const points = some.sort((a, b) => a - b).map((step): [number, number] => [step * stepMs, step + 1])
        const found = filled(points, stepMs, { toMs })
        const [first = 0] = some
        const over = Math.floor(toMs / stepMs)
        assert.equal(found.length, Math.max(0, over - first))
        for (const [index, [atMs, value]] of found.entries())
          assert.deepEqual(
            [atMs, value],
            [(first + index) * stepMs, some.includes(first + index) ? first + index + 1 : 0],
          )
      }),
    )
  })
})
