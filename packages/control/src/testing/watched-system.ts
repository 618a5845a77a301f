/**
 * A system as the watch sees it, with a minute of telemetry whose figures can be counted by hand.
 *
 * Clients ask the gateway 120 times, which asks `orders` 120 times, which asks `stock` 60 times. `mail` follows what `orders` tells; of
 * `mail` one instance of two is ready, of `search` none; nobody asks `catalog`.
 *
 * @module
 */
import { anyone } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import type { ProcessState } from '../supervisor/fleet.ts'
import type { SlotState } from '../supervisor/process-slot.ts'
import type { StoredSample, StoredSpan } from '../telemetry/rows.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import type { OverviewOptions } from '../watch/overview.ts'
import type { TopicsOptions } from '../watch/topics.ts'

const Order = Type.Object({ orderId: Type.String() })

/** Of the services that have one. */
const contracts = [
  defineContract({
    name: 'orders',
    version: 1,
    summary: 'Orders.',
    operations: {
      place: command({
        summary: 'Places.',
        access: anyone,
        http: 'POST /orders',
        input: Order,
        output: Order,
        idempotency: 'natural',
      }),
      list: query({ summary: 'Lists.', access: anyone, http: 'GET /orders', output: Order }),
      count: query({ summary: 'Counts.', access: anyone, output: Type.Object({ n: Type.Integer() }) }),
    },
    events: { placed: event({ version: 1, key: 'orderId', summary: 'Placed.', data: Order }) },
  }),
  defineContract({
    name: 'catalog',
    version: 1,
    summary: 'Products.',
    operations: {
      show: query({ summary: 'Shows.', access: anyone, http: 'GET /catalog', output: Order }),
    },
    events: { changed: event({ version: 1, key: 'orderId', summary: 'Changed.', data: Order }) },
  }),
]

const services = ['gateway', 'orders', 'stock', 'mail', 'search', 'catalog']
const states: Readonly<Record<string, readonly SlotState[]>> = {
  mail: ['ready', 'starting'],
  search: ['waiting'],
}

/** The system, on a store. */
export function watchedSystem(store: TelemetryStore): OverviewOptions & TopicsOptions {
  const hosts = Object.fromEntries(
    services.map((name) => [name, { services: [name], instances: (states[name] ?? ['ready']).length }]),
  )
  const processes = services.flatMap((host) =>
    (states[host] ?? ['ready']).map((state, index) => aProcess(host, index + 1, state)),
  )
  return {
    app: 'test',
    gateway: 'http://127.0.0.1:1',
    startedAt: '2026-01-01T00:00:00.000Z',
    placement: { name: 'split', hosts },
    contracts,
    fleet: { processes },
    store,
    follows: { mail: ['orders.placed'], search: ['stock.*'], catalog: [] },
    alerts: () => [],
  }
}

function aProcess(host: string, ordinal: number, state: SlotState): ProcessState {
  const name = `${host}-${ordinal}`
  const nothing = { pid: undefined, stats: undefined, lastEnd: undefined }
  const facts = { isLooping: false, instance: `${name}-a`, http: '', starts: 1, uptimeMs: 0 }
  return { name, host, services: [host], state, ...facts, ...nothing }
}

/** The last third of half a minute, so that what was counted ten seconds ago is in the half minute that is not over. */
export function aMoment(nowMs: number): number {
  return Math.floor(nowMs / 30_000) * 30_000 - 40_000
}

/** What its processes told in the minute before `nowMs`. */
export function itsSamples(nowMs: number): readonly StoredSample[] {
  const all: StoredSample[] = []
  const count = (value: number, name: string, labels: Readonly<Record<string, string>>): void => {
    const sample = { name, labels, type: 'counter' as const }
    all.push({ ...sample, timeMs: nowMs - 50_000, value: 0 }, { ...sample, timeMs: nowMs - 10_000, value })
  }
  const gauge = (value: number, name: string, labels: Readonly<Record<string, string>>): void => {
    all.push({ name, labels, type: 'gauge', timeMs: nowMs - 10_000, value })
  }
  const histogram = (
    name: string,
    labels: Readonly<Record<string, string>>,
    upTo: Readonly<Record<string, number>>,
  ) => {
    for (const [le, value] of Object.entries(upTo)) count(value, `${name}_bucket`, { ...labels, le })
  }
  const place = { service: 'orders', operation: 'orders.place' }
  const list = { service: 'orders', operation: 'orders.list' }
  const take = { service: 'stock', operation: 'stock.take' }
  const served = 'flotilla_server_calls_total'
  count(60, served, { ...place, code: 'ok' })
  count(12, served, { ...place, code: 'internal' })
  count(18, served, { ...place, code: 'not_found' })
  count(30, served, { ...list, code: 'ok' })
  count(60, served, { ...take, code: 'ok' })
  const took = 'flotilla_server_duration_seconds'
  histogram(took, place, { '0.1': 45, '0.2': 90, '+Inf': 90 })
  histogram(took, list, { '0.1': 15, '0.2': 30, '+Inf': 30 })
  histogram(took, take, { '1': 0, '2': 60, '+Inf': 60 })

  const requests = 'flotilla_gateway_requests_total'
  count(84, requests, { operation: 'orders.place', status: '201' })
  count(3, requests, { operation: 'orders.place', status: '404' })
  count(3, requests, { operation: 'orders.place', status: '503' })
  count(24, requests, { operation: 'orders.list', status: '200' })
  count(6, requests, { operation: 'upstream legacy', status: '200' })
  histogram('flotilla_gateway_duration_seconds', { operation: 'orders.place' }, { '0.4': 90, '+Inf': 90 })
  const kept = 'flotilla_gateway_cache_requests_total'
  count(30, kept, { operation: 'orders.list', how: 'hit' })
  count(15, kept, { operation: 'orders.list', how: 'stale' })
  count(15, kept, { operation: 'orders.list', how: 'miss' })

  const called = 'flotilla_client_calls_total'
  count(120, called, { caller: 'gateway', ...place, code: 'ok' })
  count(57, called, { caller: 'orders', ...take, code: 'ok' })
  count(3, called, { caller: 'orders', ...take, code: 'unavailable' })
  count(60, called, { caller: 'control', ...place, code: 'ok' })
  const decided = 'flotilla_client_decisions_total'
  for (const decision of ['retry', 'hedge']) count(15, decided, { caller: 'orders', ...take, decision })
  count(60, decided, { caller: 'orders', ...take, decision: 'shed' })
  count(600, 'flotilla_database_wait_seconds_count', { service: 'orders' })

  count(60, 'flotilla_events_relayed_total', { service: 'orders' })
  count(30, 'flotilla_events_relayed_total', { service: 'catalog' })
  for (const [instance, lag] of [['mail-1', 7] as const, ['mail-2', 3] as const])
    gauge(lag, 'flotilla_group_lag', { service: 'mail', group: 'mail', instance })
  gauge(9, 'flotilla_group_lag', { service: 'search', group: 'search', instance: 'search-1' })
  histogram('flotilla_event_delay_seconds', { service: 'mail', group: 'mail' }, { '0.5': 100, '+Inf': 100 })
  // 30 orders in each half minute.
  const [agoMs, values] = [
    [50_000, 25_000, 10_000],
    [0, 30, 60],
  ]
  for (const [index, value] of values.entries()) {
    const timeMs = nowMs - (agoMs[index] as number)
    all.push({ name: 'shop_business_total', labels: { unit: 'orders' }, type: 'counter', timeMs, value })
  }
  return all
}

/** A span of one of its services that failed in its last minute. */
export function aFailedSpan(nowMs: number, service: string): StoredSpan {
  return {
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    name: `${service}.place`,
    kind: 'server',
    service,
    instance: `${service}-1`,
    startUs: (nowMs - 20_000) * 1_000,
    durationUs: 5_000,
    status: 'internal',
  }
}
