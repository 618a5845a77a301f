/**
 * Who tells what to whom: streams of events by their publisher, the groups that follow them, and how far behind those are.
 *
 * @module
 */
import type { OutputOf } from '@flotilla/core/operation'
import type { observeContract } from '../api/observe-contract.ts'
import type { TopicInfo } from '../api/shapes.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { lastOf, type Window } from './figures.ts'
import type { SystemOptions } from './system-state.ts'

/** What reacts to what, by service: topics such as `orders.confirmed`, `orders.*` or `*`. */
export type Follows = Readonly<Record<string, readonly string[]>>

/** What it is made of. */
export interface TopicsOptions extends Pick<SystemOptions, 'contracts'> {
  readonly store: TelemetryStore
  readonly follows: Follows
}

/** Events on their way from one service to another. */
export interface EventWay {
  readonly from: string
  readonly to: string
  /** Such as `orders.*`. */
  readonly topic: string
  /** That `from` publishes, per second. */
  readonly rate: number
}

/** Every way that events take. */
export async function eventsOf(
  { store, contracts, follows }: TopicsOptions,
  window: Window,
): Promise<EventWay[]> {
  const rates = await ratesOf(store, window)
  return contracts.flatMap(({ name, events }) => {
    if (Object.keys(events).length === 0) return []
    const rate = rates.get(name) ?? 0
    return followersOf(name, follows).map((to) => ({ from: name, to, topic: `${name}.*`, rate }))
  })
}

/** Events each service publishes, per second. */
async function ratesOf(store: TelemetryStore, window: Window): Promise<ReadonlyMap<string, number>> {
  const { series } = await store.series({
    ...window,
    name: 'flotilla_events_relayed_total',
    as: 'rate',
    by: ['service'],
  })
  return new Map(series.map((line) => [line.labels['service'] ?? '', lastOf(line)]))
}

/** Services that hear of something that `publisher` tells. */
function followersOf(publisher: string, follows: Follows): string[] {
  return Object.entries(follows).flatMap(([service, topics]) =>
    topics.some((topic) => topic === '*' || topic.startsWith(`${publisher}.`)) ? [service] : [],
  )
}

/** All streams; `parkedOf` tells how many events of a group are parked. */
export async function topicsOf(
  options: TopicsOptions,
  window: Window,
  parkedOf: (service: string, group: string) => number,
): Promise<OutputOf<(typeof observeContract)['operations']['topics']>['items']> {
  const { store, contracts, follows } = options
  const [rates, lags, delays] = await Promise.all([
    ratesOf(store, window),
    store.series({
      ...window,
      name: 'flotilla_group_lag',
      as: 'value',
      by: ['service', 'group'],
      merge: 'max',
    }),
    store.series({
      ...window,
      name: 'flotilla_event_delay_seconds',
      as: 'quantile',
      quantile: 0.95,
      by: ['service', 'group'],
    }),
  ])
  return contracts
    .filter(({ events }) => Object.keys(events).length > 0)
    .map(({ name }): TopicInfo => {
      const followers = new Set(followersOf(name, follows))
      const groups = lags.series.flatMap((line) => {
        const { service = '', group = '' } = line.labels
        if (!followers.has(service)) return []
        const delay = delays.series.find(
          ({ labels }) => labels['service'] === service && labels['group'] === group,
        )
        return [
          {
            group,
            service,
            lag: Math.round(lastOf(line)),
            lagMs: delay === undefined ? 0 : lastOf(delay) * 1_000,
            parked: parkedOf(service, group),
          },
        ]
      })
      return {
        topic: `${name}.*`,
        publisher: name,
        rate: rates.get(name) ?? 0,
        groups,
      }
    })
}
