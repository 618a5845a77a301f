/**
 * The server of the observing API.
 *
 * @module
 */
import { describeAccess } from '@flotilla/core/access'
import { type Clock, isoTime } from '@flotilla/core/clock'
import { operationsOf } from '@flotilla/core/contract'
import { isFlotillaError } from '@flotilla/core/error'
import { countParked } from '@flotilla/core/parked-admin'
import { defineService, type Handlers, type OperationContext, type Service } from '@flotilla/core/service'
import type { Audit } from '../api/audit.ts'
import { ServiceDatabases } from '../api/databases.ts'
import { observeContract } from '../api/observe-contract.ts'
import type { LogEntry, MetricInfo, Overview, ServiceDetail } from '../api/shapes.ts'
import type { FoundLine } from '../telemetry/log-search.ts'
import { DatabaseFigures } from './database-figures.ts'
import { keyOf, noFigures, ofServices, redBy, type Window } from './figures.ts'
import { type OverviewOptions, overviewOf, summaries } from './overview.ts'
import { summaryOf, traceOf } from './read-traces.ts'
import { routesOf } from './routes.ts'
import { byOf, matchersOf } from './series-input.ts'
import { Shared } from './shared.ts'
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
type Asks = OperationContext<{ bad_query: { code: 'invalid_argument'; title: string } }>

const MINUTE_MS = 60_000
const RANGE_MS = 15 * MINUTE_MS
const POINTS = 120
const STEP_MS_MIN = 5_000
const BUCKETS = 60
const LIMIT = 100
const FOLLOW_MS = 500
/** Everybody who looks at the same page gets the same figures. */
const SHARED_MS = 1_500

/** Declares the service. */
export function observeService(options: ObserveOptions): Service {
  return defineService({
    contract: observeContract,
    open({ clock, random, newId }) {
      const databases = new ServiceDatabases(options.databaseUrls, { clock, random, newId })
      return {
        ...glances(options, databases, clock),
        ...searches(options, clock),
        ...states(options, new DatabaseFigures(databases, clock)),
      }
    },
  })
}

function glances(
  options: ObserveOptions,
  databases: ServiceDatabases,
  clock: Clock,
): Pick<Observes, 'overview' | 'map' | 'service' | 'topics' | 'routes'> {
  const over = (windowMs = MINUTE_MS): Window => ({ fromMs: clock.now() - windowMs, toMs: clock.now() })
  const overviews = new Shared<Overview>(clock, SHARED_MS)
  const maps = new Shared<Awaited<ReturnType<typeof mapOf>>>(clock, SHARED_MS)
  return {
    overview: ({ windowMs = MINUTE_MS }) =>
      overviews.get(String(windowMs), () => overviewOf(options, clock.now(), windowMs)),
    map: ({ windowMs }) => maps.get(String(windowMs), () => mapOf(options, over(windowMs))),
    async service({ service, windowMs }, ctx) {
      if (!serviceNames(options).includes(service))
        throw ctx.fail('no_service', `There is no service ${service}.`)
      return detailOf(options, service, over(windowMs))
    },
    async topics(_, ctx) {
      const parked = await databases.inEach(ctx, countParked)
      const parkedOf = (service: string, group: string): number => parked.get(service)?.get(group) ?? 0
      return { items: await topicsOf(options, over(), parkedOf) }
    },
    routes: async () => ({ items: await routesOf(options, over()) }),
  }
}

async function detailOf(options: ObserveOptions, name: string, window: Window): Promise<ServiceDetail> {
  const { store, contracts, follows } = options
  const matchers = [{ label: 'service', is: '=' as const, values: [name] }]
  const [all, figures, { edges }] = await Promise.all([
    summaries(options, window),
    redBy(store, { ...ofServices, matchers }, ['operation'], window),
    mapOf(options, window),
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
      ...(operation.rest === undefined ? {} : { http: `${operation.rest.method} ${operation.rest.path}` }),
      ...(figures.get(keyOf([operation.id])) ?? noFigures),
    })),
    publishes: Object.keys(contract?.events ?? {}).map((event) => `${name}.${event}`),
    follows: [...(follows[name] ?? [])],
    edges: edges.filter(({ from, to }) => from === name || to === name),
  }
}

function searches(
  { store }: ObserveOptions,
  clock: Clock,
): Pick<Observes, 'traces' | 'trace' | 'logs' | 'logHistogram' | 'followLogs' | 'metrics' | 'series'> {
  const rangeOf = ({ fromMs, toMs = clock.now() }: { fromMs?: number; toMs?: number }): Window => ({
    fromMs: fromMs ?? toMs - RANGE_MS,
    toMs,
  })
  return {
    async traces({ service, name, minMs, maxMs, isFailed, limit = LIMIT, cursor, ...range }, ctx) {
      const filter = { service, name, isFailed, durationMsMin: minMs, durationMsMax: maxMs, limit, cursor }
      const found = await understood(ctx, () => store.findTraces({ ...rangeOf(range), ...filter }))
      return { items: found.traces.map(summaryOf), nextCursor: found.cursor ?? null }
    },
    async trace({ traceId }, ctx) {
      const { spans } = await store.trace(traceId)
      const trace = traceOf(traceId, spans)
      if (trace === undefined) throw ctx.fail('no_trace', `There is no trace ${traceId}, or no more.`)
      const startMs = Date.parse(trace.startAt)
      const near = { fromMs: startMs - MINUTE_MS, toMs: startMs + trace.durationMs + MINUTE_MS }
      const found = await store.searchLogs({ ...near, query: `trace=${traceId}`, limit: 500 })
      return { ...trace, logLines: found.lines.length }
    },
    async logs({ q = '', limit = LIMIT, cursor, ...range }, ctx) {
      const found = await understood(ctx, () =>
        store.searchLogs({ ...rangeOf(range), query: q, limit, cursor }),
      )
      return { items: found.lines.map(entryOf), nextCursor: found.cursor ?? null }
    },
    async logHistogram({ q = '', buckets = BUCKETS, ...range }, ctx) {
      const window = rangeOf(range)
      const stepMs = Math.max(1_000, Math.ceil((window.toMs - window.fromMs) / buckets / 1_000) * 1_000)
      const found = await understood(ctx, () => store.logHistogram({ ...window, query: q, stepMs }))
      return {
        stepMs,
        items: found.buckets.map(({ timeMs, counts }) => ({ atMs: timeMs, levels: { ...counts } })),
      }
    },
    async *followLogs({ q = '' }, ctx) {
      let afterSeq = store.newestSeq
      const fromMs = clock.now() - MINUTE_MS
      while (!ctx.signal.aborted) {
        const found = await understood(ctx, () =>
          store.searchLogs({ fromMs, toMs: clock.now() + MINUTE_MS, query: q, limit: 500, afterSeq }),
        )
        for (const line of found.lines.toReversed()) {
          afterSeq = Math.max(afterSeq, line.seq)
          yield entryOf(line)
        }
        await clock.sleep(FOLLOW_MS, ctx.signal)
      }
    },
    metrics: () => ({ items: metricsOf(store) }),
    async series({ name, where, by, as = 'value', quantile, stepMs, ...range }, ctx) {
      const window = rangeOf(range)
      const step = stepMs ?? Math.max(STEP_MS_MIN, Math.ceil((window.toMs - window.fromMs) / POINTS))
      const found = await understood(ctx, () =>
        store.series({
          ...window,
          name,
          as,
          quantile,
          stepMs: step,
          matchers: matchersOf(where),
          by: byOf(by),
        }),
      )
      return {
        items: found.series.map(({ labels, points }) => ({
          labels: { ...labels },
          points: points.map(([atMs, value]): [number, number] => [atMs, value]),
        })),
        exemplars: [],
      }
    },
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

/** What the store does not understand is the asker's mistake, and told as such. */
async function understood<T>(ctx: Pick<Asks, 'fail'>, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (isFlotillaError(error) && error.code === 'invalid_argument')
      throw ctx.fail('bad_query', error.issues?.[0]?.message ?? error.message)
    throw error
  }
}

function entryOf({
  timeUs,
  level,
  service,
  instance,
  message,
  traceId,
  spanId,
  fields,
}: FoundLine): LogEntry {
  return {
    time: isoTime(Math.trunc(timeUs / 1_000)),
    level,
    service,
    instance,
    message,
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    fields: { ...fields },
  }
}

/** Buckets, sum and count of a histogram are shown as one. */
function metricsOf(store: ObserveOptions['store']): MetricInfo[] {
  const all = store.metrics()
  const histograms = new Set(
    all.flatMap(({ name }) => (name.endsWith('_bucket') ? [name.slice(0, -'_bucket'.length)] : [])),
  )
  const isPart = (name: string): boolean =>
    histograms.has(name.replace(/_(?:bucket|sum|count)$/, '')) && !histograms.has(name)
  return [
    ...[...histograms].map((name) => ({
      name,
      kind: 'histogram' as const,
      labels: labelsOf(store, `${name}_bucket`),
    })),
    ...all
      .filter(({ name }) => !isPart(name))
      .map(({ name, type }) => ({ name, kind: type, labels: labelsOf(store, name) })),
  ]
    .map((metric) => ({ ...metric, help: '' }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function labelsOf(store: ObserveOptions['store'], name: string): string[] {
  return Object.keys(store.labels(name)).filter((label) => label !== 'le')
}
