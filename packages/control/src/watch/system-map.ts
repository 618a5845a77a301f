/**
 * The map: who asks whom, how often, and how it ends; out of the figures that callers keep.
 *
 * @module
 */
import type { MapEdge, MapNode, ServiceSummary } from '../api/shapes.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import {
  joined,
  keyOf,
  lastOf,
  noFigures,
  ofCalls,
  ofGateway,
  ofOutside,
  type Red,
  redBy,
  valuesOf,
  type Window,
} from './figures.ts'
import { foreignCalls } from './foreign-services.ts'
import { judge, type OverviewOptions, summaries } from './overview.ts'
import { GATEWAY, ownNames, PLATFORM } from './system-state.ts'
import { eventsOf, type TopicsOptions } from './topics.ts'

const CLIENTS = 'clients'

/** The map of a system, over a window. */
export async function mapOf(
  options: OverviewOptions & TopicsOptions,
  window: Window,
): Promise<{ nodes: MapNode[]; edges: MapEdge[] }> {
  const { store } = options
  const [services, foreign, calls, edge, outside, retries, waits, events] = await Promise.all([
    summaries(options, window),
    foreignCalls(store, ownNames(options), window),
    redBy(store, ofCalls, ['caller', 'service'], window),
    redBy(store, ofGateway, [], window),
    outsideOf(store, window),
    store.series({
      ...window,
      name: 'flotilla_client_decisions_total',
      as: 'rate',
      by: ['caller', 'service'],
      matchers: [{ label: 'decision', is: '=', values: ['retry', 'hedge'] }],
    }),
    store.series({ ...window, name: 'flotilla_database_wait_seconds_count', as: 'rate', by: ['service'] }),
    eventsOf(options, window),
  ])
  const map = new Sketch(services)
  map.join(CLIENTS, GATEWAY, 'request', edge.get('') ?? noFigures)
  for (const [key, figures] of calls) {
    const [from = '', to = ''] = valuesOf(key)
    const again = retries.series.find(({ labels }) => labels['caller'] === from && labels['service'] === to)
    const extra = again === undefined || figures.rate === 0 ? 0 : lastOf(again) / figures.rate
    if (!PLATFORM.has(to)) map.join(from, to, 'call', figures, 1 + extra)
  }
  for (const peer of new Set(outside.map(({ to }) => to))) {
    map.addOutside(peer, joined(outside.filter(({ to }) => to === peer).map(({ figures }) => figures)))
  }
  for (const { from, to, figures } of outside) map.join(from, to, 'request', figures)
  // After those that are counted: not every span is sent.
  for (const { from, to, figures } of foreign) {
    for (const name of [from, to]) {
      const answered = foreign.filter((one) => one.to === name)
      if (name !== '') map.addForeign(name, joined(answered.map((one) => one.figures)))
    }
    map.join(from || CLIENTS, to, 'request', figures)
  }
  for (const one of waits.series) {
    const service = one.labels['service'] ?? ''
    map.add('database', `database of ${service}`, service)
    map.join(service, `database of ${service}`, 'sql', { ...noFigures, rate: lastOf(one) })
  }
  for (const { from, to, topic, rate } of events) {
    map.add('topic', `topic ${topic}`, topic)
    map.join(from, `topic ${topic}`, 'event', { ...noFigures, rate })
    map.join(`topic ${topic}`, to, 'event', { ...noFigures, rate })
  }
  return map.drawn()
}

/** Who asks whom outside: those, too, that can and have not. */
async function outsideOf(
  store: Pick<TelemetryStore, 'series'>,
  window: Window,
): Promise<{ readonly from: string; readonly to: string; readonly figures: Red }[]> {
  const by = ['caller', 'peer']
  const [asked, pending] = await Promise.all([
    redBy(store, ofOutside, by, window),
    store.series({ ...window, name: 'flotilla_outside_pending', as: 'value', by }),
  ])
  const known = pending.series.map(({ labels }) => keyOf(by.map((label) => labels[label] ?? '')))
  return [...new Set([...asked.keys(), ...known])].flatMap((key) => {
    const [from = '', to = ''] = valuesOf(key)
    // What the platform asks are our own processes, whether they live.
    return PLATFORM.has(from) ? [] : [{ from, to, figures: asked.get(key) ?? noFigures }]
  })
}

/** A map in the making. */
class Sketch {
  readonly #nodes = new Map<string, MapNode>()
  readonly #edges = new Map<string, MapEdge>()

  constructor(services: readonly ServiceSummary[]) {
    this.add('client', CLIENTS, CLIENTS)
    for (const { name, health, ready, wanted, hosts } of services) {
      const kind = name === GATEWAY ? 'gateway' : 'service'
      this.#nodes.set(name, { id: name, kind, name, health, ready, wanted, hosts })
    }
  }

  add(kind: MapNode['kind'], id: string, name: string): void {
    if (this.#nodes.has(id)) return
    this.#nodes.set(id, { id, kind, name, health: 'ok', ready: 1, wanted: 1, hosts: [] })
  }

  /** A server outside; one that runs here to stand for such a one is on the map already. The gateway may be asked from outside: it is ours. */
  addOutside(peer: string, figures: Red): void {
    const known = this.#nodes.get(peer)
    if (known?.kind === 'gateway') return
    const { hosts = [], ready = 1, wanted = 1 } = known ?? {}
    const { health } = judge(figures, { hosts, ready, wanted })
    this.#nodes.set(peer, { id: peer, kind: 'outside', name: peer, health, ready, wanted, hosts: [...hosts] })
  }

  /** A program that is none of ours and tells of itself; where both ends tell, one of them is ours. */
  addForeign(name: string, figures: Red): void {
    if (!this.#nodes.has(name)) this.addOutside(name, figures)
  }

  /** Nothing where one end is not on the map: the control process calls, too. */
  join(from: string, to: string, kind: MapEdge['kind'], figures: Red, amplification = 1): void {
    const key = `${from} > ${to}`
    if (!this.#nodes.has(from) || !this.#nodes.has(to) || this.#edges.has(key)) return
    const { rate, errorShare, p95Ms } = figures
    this.#edges.set(key, { from, to, kind, rate, errorShare, p95Ms, amplification })
  }

  /** What nothing leads to or from is left out, but services. */
  drawn(): { nodes: MapNode[]; edges: MapEdge[] } {
    const edges = [...this.#edges.values()]
    const ends = new Set(edges.flatMap(({ from, to }) => [from, to]))
    const isShown = ({ id, kind }: MapNode): boolean =>
      ends.has(id) || kind === 'service' || kind === 'gateway'
    return { nodes: [...this.#nodes.values()].filter(isShown), edges }
  }
}
