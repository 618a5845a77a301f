/**
 * A system as the watch sees it, with a minute of telemetry whose figures can be counted by hand.
 *
 * Clients ask the gateway 120 times, which asks `orders` 120 times, which asks `stock` 60 times. `mail` follows what `orders` tells; of
 * `mail` one instance of two is ready, of `search` none, which stands for the outside world; nobody asks `catalog`. `orders` asks a bank 30 times.
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
  const told = new Told(nowMs)
  tellCalls(told)
  tellWork(told)
  tellBusiness(told)
  return told.samples
}

type Labels = Readonly<Record<string, string>>

/** Samples of a minute. */
class Told {
  readonly samples: StoredSample[] = []
  readonly #nowMs: number

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  /** Nothing at its beginning, `value` ten seconds before its end. */
  readonly count = (value: number, name: string, labels: Labels): void =>
    this.steps(name, labels, [
      [50_000, 0],
      [10_000, value],
    ])

  readonly gauge = (value: number, name: string, labels: Labels): void => {
    this.samples.push({ name, labels, type: 'gauge', timeMs: this.#nowMs - 10_000, value })
  }

  readonly histogram = (name: string, labels: Labels, upTo: Readonly<Record<string, number>>): void => {
    for (const [le, value] of Object.entries(upTo)) this.count(value, `${name}_bucket`, { ...labels, le })
  }

  /** A counter, by milliseconds before now. */
  readonly steps = (name: string, labels: Labels, values: readonly (readonly [number, number])[]): void => {
    for (const [agoMs, value] of values)
      this.samples.push({ name, labels, type: 'counter', timeMs: this.#nowMs - agoMs, value })
  }
}

function tellCalls({ count, histogram }: Told): void {
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
}

function tellWork({ count, gauge, histogram }: Told): void {
  count(60, 'flotilla_events_relayed_total', { service: 'orders' })
  count(30, 'flotilla_events_relayed_total', { service: 'catalog' })
  for (const [instance, lag] of [['mail-1', 7] as const, ['mail-2', 3] as const])
    gauge(lag, 'flotilla_group_lag', { service: 'mail', group: 'mail', instance })
  gauge(9, 'flotilla_group_lag', { service: 'search', group: 'search', instance: 'search-1' })
  histogram('flotilla_event_delay_seconds', { service: 'mail', group: 'mail' }, { '0.5': 100, '+Inf': 100 })
  const asked = 'flotilla_outside_requests_total'
  const bank = { caller: 'orders', peer: 'bank' }
  count(27, asked, { ...bank, code: 'ok' })
  count(3, asked, { ...bank, code: 'unavailable' })
  histogram('flotilla_outside_duration_seconds', bank, { '0.2': 30, '+Inf': 30 })
  gauge(1, 'flotilla_outside_pending', bank)
  // Nobody has yet.
  gauge(0, 'flotilla_outside_pending', { caller: 'stock', peer: 'search' })
  gauge(0, 'flotilla_outside_pending', { caller: 'search', peer: 'gateway' })

  for (const [instance, running] of [['orders-1', 2] as const, ['orders-2', 1] as const]) {
    gauge(running, 'flotilla_sagas', { saga: 'checkout', status: 'running', instance })
    gauge(1, 'flotilla_sagas', { saga: 'checkout', status: 'parked', instance })
    gauge(0, 'flotilla_sagas', { saga: 'cancel', status: 'waiting', instance })
  }
}

/** In each half minute 30 orders, of 15.00 EUR and 1500 JPY together. */
function tellBusiness({ steps }: Told): void {
  const business = (name: string, unit: string, each: number): void =>
    steps(`${name}_business_total`, { unit }, [
      [50_000, 0],
      [25_000, each],
      [10_000, 2 * each],
    ])
  business('shop', 'orders', 30)
  business('test_money_taken', 'EUR', 1_500)
  business('test_money_taken', 'JPY', 1_500)
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
