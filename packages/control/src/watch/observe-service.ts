/**
 * The server of the observing API.
 *
 * @module
 */
import { describeAccess } from '@flotilla/core/access'
import { type Clock, isoTime } from '@flotilla/core/clock'
import { operationsOf } from '@flotilla/core/contract'
import { countParked } from '@flotilla/core/parked-admin'
import { defineService, type Handlers, type Service } from '@flotilla/core/service'
import type { Audit } from '../api/audit.ts'
import { ServiceDatabases } from '../api/databases.ts'
import { observeContract } from '../api/observe-contract.ts'
import type { Overview, ServiceDetail } from '../api/shapes.ts'
import { DatabaseFigures } from './database-figures.ts'
import { keyOf, noFigures, ofServices, redBy, type Window } from './figures.ts'
import { JointAnswers } from './joint-answers.ts'
import { type OverviewOptions, overviewOf, summaries } from './overview.ts'
import { pathOf, routesOf } from './routes.ts'
import { measures, searches } from './searches.ts'
import { mapOf } from './system-map.ts'
import { serviceNames } from './system-state.ts'
import { type TopicsOptions, topicsOf } from './topics.ts'

/** What it tells of. */
export interface ObserveOptions extends OverviewOptions, TopicsOptions {
  readonly audit: Pick<Audit, 'latest'>
  readonly storeBytesMax: number
  /** By service. */
  readonly databaseUrls: Readonly<Record<string, string>>
}

type Observes = Handlers<typeof observeContract>

type SystemMap = Awaited<ReturnType<typeof mapOf>>

const MINUTE_MS = 60_000
const OVERVIEW_MS = 2_000
/** Everybody who looks at the same page gets the same figures. */
const SHARED_MS = 1_500
/** A page that shows them asks every five seconds; connecting to all of them costs a third of a second. */
const ASKED_AGAIN_MS = 15_000

/** Declares the service. */
export function observeService(options: ObserveOptions): Service {
  return defineService({
    contract: observeContract,
    open({ clock, random, newId, closing }) {
      const databases = new ServiceDatabases(options.databaseUrls, { clock, random, newId }, ASKED_AGAIN_MS)
      closing.defer('databases of services', () => databases.close())
      return {
        ...glances(options, databases, clock),
        ...searches(options.store, clock),
        ...measures(options.store, clock),
        ...states(options, new DatabaseFigures(databases, clock)),
      }
    },
  })
}

function glances(
  options: ObserveOptions,
  databases: ServiceDatabases,
  clock: Clock,
): Pick<Observes, 'overview' | 'followOverview' | 'map' | 'service' | 'topics' | 'routes'> {
  const over = (windowMs = MINUTE_MS): Window => ({ fromMs: clock.now() - windowMs, toMs: clock.now() })
  const overviews = new JointAnswers<Overview>(clock, SHARED_MS)
  const maps = new JointAnswers<SystemMap>(clock, SHARED_MS)
  const mapOver = (windowMs?: number): Promise<SystemMap> =>
    maps.get(String(windowMs), () => mapOf(options, over(windowMs)))
  return {
    overview: ({ windowMs = MINUTE_MS }) =>
      overviews.get(String(windowMs), () => overviewOf(options, clock.now(), windowMs)),
    async *followOverview({ windowMs = MINUTE_MS }, ctx) {
      while (!ctx.signal.aborted) {
        yield await overviews.get(String(windowMs), () => overviewOf(options, clock.now(), windowMs))
        await clock.sleep(OVERVIEW_MS, ctx.signal)
      }
    },
    map: ({ windowMs }) => mapOver(windowMs),
    async service({ service, windowMs }, ctx) {
      if (!serviceNames(options).includes(service))
        throw ctx.fail('no_service', `There is no service ${service}.`)
      return detailOf(options, service, over(windowMs), mapOver(windowMs))
    },
    async topics(_, ctx) {
      const parked = await databases.inEach(ctx, countParked)
      const parkedOf = (service: string, group: string): number => parked.get(service)?.get(group) ?? 0
      return { items: await topicsOf(options, over(), parkedOf) }
    },
    routes: async ({ windowMs }) => ({ items: await routesOf(options, over(windowMs)) }),
  }
}

async function detailOf(
  options: ObserveOptions,
  name: string,
  window: Window,
  map: Promise<SystemMap>,
): Promise<ServiceDetail> {
  const { store, contracts, follows } = options
  const matchers = [{ label: 'service', is: '=' as const, values: [name] }]
  const [all, figures, { edges }] = await Promise.all([
    summaries(options, window),
    redBy(store, { ...ofServices, matchers }, ['operation'], window),
    map,
  ])
  const contract = contracts.find((one) => one.name === name)
  const operations = contract === undefined ? [] : operationsOf(contract)
  return {
    ...(all.find((one) => one.name === name) as ServiceDetail),
    summary: contract?.summary ?? '',
    operations: operations.map((operation) => ({
      operation: operation.id,
      summary: operation.summary,
      kind: operation.kind,
      access: describeAccess(operation.access),
      ...(operation.rest === undefined ? {} : { http: `${operation.rest.method} ${pathOf(operation)}` }),
      ...(figures.get(keyOf([operation.id])) ?? noFigures),
    })),
    publishes: Object.keys(contract?.events ?? {}).map((event) => `${name}.${event}`),
    follows: [...(follows[name] ?? [])],
    edges: edges.filter(({ from, to }) => from === name || to === name),
  }
}

function states(
  { store, alerts, audit, storeBytesMax }: ObserveOptions,
  databaseFigures: DatabaseFigures,
): Pick<Observes, 'alerts' | 'databases' | 'audit' | 'store'> {
  return {
    alerts: () => ({ items: [...alerts()] }),
    databases: async (_, ctx) => ({ items: await databaseFigures.all(ctx) }),
    audit: () => ({ items: [...audit.latest] }),
    async store() {
      const { fileBytes, seriesCount, kinds } = await store.stats()
      const oldest = Math.min(
        ...Object.values(kinds).map(({ oldestMs = Number.POSITIVE_INFINITY }) => oldestMs),
      )
      return {
        bytes: fileBytes,
        bytesMax: storeBytesMax,
        spans: kinds.spans.rows,
        logs: kinds.lines.rows,
        series: seriesCount,
        oldest: Number.isFinite(oldest) ? isoTime(Math.trunc(oldest)) : null,
        dropped: Object.fromEntries(Object.entries(kinds).map(([kind, { dropped }]) => [kind, dropped])),
      }
    },
  }
}
