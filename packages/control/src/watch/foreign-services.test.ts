import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import type { StoredSample, StoredSpan } from '../telemetry/rows.ts'
import { openTestStore } from '../testing/test-store.ts'
import { watchedSystem } from '../testing/watched-system.ts'
import { ofOutside } from './figures.ts'
import { foreignCalls, foreignServices } from './foreign-services.ts'
import { overviewOf } from './overview.ts'
import { mapOf } from './system-map.ts'

const nowMs = systemClock.now()
const window = { fromMs: nowMs - 60_000, toMs: nowMs + 1_000 }

let number = 0
/** A span of `service` that answers `parent`, or asks for it. */
function span(
  service: string,
  kind: StoredSpan['kind'],
  parent?: StoredSpan,
  more: Partial<StoredSpan> = {},
): StoredSpan {
  const spanId = String(++number).padStart(16, '0')
  return {
    traceId: parent?.traceId ?? spanId.padStart(32, 'a'),
    spanId,
    ...(parent === undefined ? {} : { parentId: parent.spanId }),
    name: 'work',
    kind,
    service,
    instance: `${service}-1`,
    startUs: (nowMs - 20_000) * 1_000,
    durationUs: 40_000,
    status: 'ok',
    ...more,
  }
}

describe('foreignCalls', () => {
  it('are what services that are none of ours ask and answer, and nothing of what ours do among themselves', async (t) => {
    const store = await openTestStore(t)
    const asked = span('orders', 'client')
    const served = span('billing', 'server', asked, { status: 'error' })
    const back = span('billing', 'client', served)
    const long = span('orders', 'client', undefined, { startUs: (nowMs - 90_000) * 1_000 })
    store.appendSpans([
      asked,
      served,
      back,
      span('orders', 'server', back),
      span('billing', 'server'),
      // Who asked may have begun before the time that is looked at.
      long,
      span('billing', 'consumer', long, { durationUs: 80_000 }),
      span('stock', 'server', span('orders', 'client')),
      span('billing', 'server', undefined, { startUs: (nowMs - 90_000) * 1_000 }),
    ])
    await store.flush()
    const found = await foreignCalls(store, ['orders', 'stock'], window)
    const told = found.map(({ from, to, figures: { rate, errorShare, p50Ms } }) => [
      `${from} > ${to}`,
      Math.round(rate * 61),
      errorShare,
      p50Ms,
    ])
    assert.deepEqual(told.sort(), [
      [' > billing', 1, 0, 40],
      ['billing > orders', 1, 0, 40],
      ['orders > billing', 2, 0.5, 60],
    ])
    assert.deepEqual(await foreignCalls(store, ['orders', 'stock', 'billing'], window), [])
  })

  it('are on the map, beside what is ours', async (t) => {
    const store = await openTestStore(t)
    const asked = span('orders', 'client')
    const failed = span('billing', 'server', undefined, { status: 'error' })
    store.appendSpans([asked, span('billing', 'server', asked), failed])
    await store.flush()
    const { nodes, edges } = await mapOf(watchedSystem(store), window)
    assert.deepEqual(
      nodes.filter(({ name }) => name === 'billing').map(({ kind, health }) => [kind, health]),
      [['outside', 'bad']],
    )
    assert.deepEqual(
      edges.map(({ from, to, kind }) => [from, to, kind]).filter((all) => all.includes('billing')),
      [
        ['orders', 'billing', 'request'],
        ['clients', 'billing', 'request'],
      ].sort(),
    )
  })
})

describe('mapOf', () => {
  it('shows as outside what services ask, and not our own processes, which the registry asks whether they live', async (t) => {
    const store = await openTestStore(t)
    const labels = { peer: '127.0.0.1:1', code: 'ok' }
    const told = (caller: string, agoMs: number, value: number): StoredSample => ({
      name: ofOutside.calls,
      type: 'counter',
      labels: { ...labels, caller },
      timeMs: nowMs - agoMs,
      value,
    })
    for (const caller of ['registry', 'orders'])
      store.appendSamples([told(caller, 40_000, 0), told(caller, 10_000, 6)])
    await store.flush()
    const system = watchedSystem(store)
    const hosts = { ...system.placement.hosts, registry: { services: ['registry'], instances: 1 } }
    const { edges } = await mapOf({ ...system, placement: { name: 'split', hosts } }, window)
    const asking = edges.filter(({ to }) => to === labels.peer).map(({ from }) => from)
    assert.deepEqual(asking, ['orders'])
  })
})

describe('foreignServices', () => {
  it('are those that sent spans and are none of ours, with what they answered', async (t) => {
    const store = await openTestStore(t)
    const asked = span('orders', 'client')
    store.appendSpans([
      asked,
      span('billing', 'server', asked, { status: 'error' }),
      span('billing', 'consumer', undefined, { durationUs: 80_000 }),
      span('billing', 'internal', undefined, { durationUs: 900_000, status: 'error' }),
      // It answers nobody.
      span('nightly', 'internal'),
      span('orders', 'server'),
      span('old', 'server', undefined, { startUs: (nowMs - 90_000) * 1_000 }),
    ])
    await store.flush()
    const found = await foreignServices(store, ['orders', 'stock'], window)
    assert.deepEqual(
      found.map(({ name, rate, errorShare, p50Ms }) => [name, Math.round(rate * 61), errorShare, p50Ms]),
      [
        ['billing', 2, 0.5, 60],
        ['nightly', 0, 0, 0],
      ],
    )
    const { foreign, services, problems } = await overviewOf(watchedSystem(store), nowMs + 1_000, 60_000)
    assert.deepEqual(
      foreign.map(({ name }) => name),
      ['billing', 'nightly'],
    )
    // They are not ours to start or mend.
    assert.ok([...services, ...problems].every((one) => !JSON.stringify(one).includes('billing')))
  })
})
