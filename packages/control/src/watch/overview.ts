/**
 * The state of everything at a glance: figures of each service, and what is wrong.
 *
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import type { AlertInfo, Overview, Problem, SagaCounts, ServiceSummary } from '../api/shapes.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import {
  filled,
  joined,
  keyOf,
  lastOf,
  noFigures,
  ofGateway,
  ofServices,
  type Red,
  redBy,
  type Window,
} from './figures.ts'
import { foreignServices } from './foreign-services.ts'
import {
  GATEWAY,
  type Instances,
  instancesOf,
  ownNames,
  placedProcesses,
  type SystemOptions,
  serviceNames,
} from './system-state.ts'

/** What it is made of. */
export interface OverviewOptions extends SystemOptions {
  readonly store: TelemetryStore
  readonly alerts: () => readonly AlertInfo[]
}

const SPARK_MS = 15 * 60_000
const SPARK_STEP_MS = 30_000
const SLOW_MS = 1_000
const MINUTE_S = 60
const ERRORS_WARNING = 0.01
const ERRORS_BAD = 0.05
/** Traces that show a problem are looked for so far back. */
const EXAMPLE_MS = 5 * 60_000

/** Everything, over the last `windowMs`. */
export async function overviewOf(
  options: OverviewOptions,
  nowMs: number,
  windowMs: number,
): Promise<Overview> {
  const { app, placement, gateway, startedAt } = options
  const window = { fromMs: nowMs - windowMs, toMs: nowMs }
  const [services, foreign, business, sagas] = await Promise.all([
    summaries(options, window),
    foreignServices(options.store, ownNames(options), window),
    businessOf(options, { fromMs: nowMs - SPARK_MS, toMs: nowMs }),
    sagasOf(options.store, window),
  ])
  const edge = services.find(({ name }) => name === GATEWAY)
  const inner = services.filter(({ name }) => name !== GATEWAY)
  // What clients see; without a gateway, what all services do.
  const totals = edge ?? joined(inner)
  const { rate, errorShare, p50Ms, p95Ms, p99Ms } = totals
  const places = placedProcesses(options)
  const ready = places.filter(({ state }) => state === 'ready').length
  return {
    at: isoTime(nowMs),
    app,
    placement: placement.name,
    gateway,
    startedAt,
    totals: { rate, errorShare, p50Ms, p95Ms, p99Ms, instances: places.length, ready },
    problems: await problemsOf(options, services, nowMs),
    services,
    foreign,
    business,
    sagas,
  }
}

/** Services, the worst first. */
export async function summaries(options: OverviewOptions, window: Window): Promise<ServiceSummary[]> {
  const { store } = options
  const past = { fromMs: window.toMs - SPARK_MS, toMs: window.toMs }
  const [byService, edge, sparks, edgeSpark] = await Promise.all([
    redBy(store, ofServices, ['service'], window),
    redBy(store, ofGateway, [], window),
    store.series({ ...past, name: ofServices.calls, as: 'rate', by: ['service'], stepMs: SPARK_STEP_MS }),
    store.series({ ...past, name: ofGateway.calls, as: 'rate', by: [], stepMs: SPARK_STEP_MS }),
  ])
  const sparkOf = (service: string): number[] => {
    const found = service === GATEWAY ? edgeSpark : sparks
    const line = found.series.find(({ labels }) => service === GATEWAY || labels['service'] === service)
    return filled(line?.points ?? [], SPARK_STEP_MS, past).map(([, value]) => value)
  }
  const all = serviceNames(options).map((name): ServiceSummary => {
    const figures = (name === GATEWAY ? edge.get('') : byService.get(keyOf([name]))) ?? noFigures
    const instances = instancesOf(options, name)
    return {
      name,
      ...judge(figures, instances),
      ...instances,
      hosts: [...instances.hosts],
      ...figures,
      spark: sparkOf(name),
    }
  })
  const badness = { bad: 0, warning: 1, ok: 2, idle: 3 }
  return all.sort((a, b) => badness[a.health] - badness[b.health] || b.rate - a.rate)
}

/** How well something is that answers so, of which there are so many. */
export function judge(
  { rate, errorShare, p99Ms }: Red,
  { ready, wanted }: Instances,
): Pick<ServiceSummary, 'health' | 'why'> {
  const bad: string[] = []
  const warnings: string[] = []
  const percent = `${(errorShare * 100).toFixed(1)} % of its answers are failures`
  if (ready === 0) bad.push('no instance is ready')
  else if (ready < wanted) warnings.push(`${wanted - ready} of ${wanted} instances are not ready`)
  if (errorShare > ERRORS_BAD) bad.push(percent)
  else if (errorShare > ERRORS_WARNING) warnings.push(percent)
  if (p99Ms > SLOW_MS) warnings.push(`one answer of a hundred takes ${Math.round(p99Ms)} ms and more`)
  const usual = rate === 0 ? 'idle' : 'ok'
  const health = bad.length > 0 ? 'bad' : warnings.length > 0 ? 'warning' : usual
  return { health, why: [...bad, ...warnings] }
}

/** What fires, and what services suffer from that no alert has told yet; each with a trace that shows it, where there is one. */
async function problemsOf(
  { store, alerts }: OverviewOptions,
  services: readonly ServiceSummary[],
  nowMs: number,
): Promise<Problem[]> {
  const firing = alerts().filter(({ state, severity }) => state === 'firing' && severity !== 'info')
  const told = firing.map(
    ({ severity, rule, summary, labels, since }): Problem => ({
      severity: severity === 'critical' ? 'critical' : 'warning',
      title: summary,
      detail: rule,
      sinceMs: parseIsoTime(since),
      ...(labels['service'] === undefined ? {} : { service: labels['service'] }),
    }),
  )
  const failing = new Set(
    services.filter(({ errorShare }) => errorShare > ERRORS_WARNING).map(({ name }) => name),
  )
  const known = new Set(told.flatMap(({ service = [] }) => service))
  const own = services
    .filter(({ name, health }) => (health === 'bad' || health === 'warning') && !known.has(name))
    .map(
      ({ name, health, why }): Problem => ({
        severity: health === 'bad' ? 'critical' : 'warning',
        title: `${name}: ${why[0] ?? ''}`,
        detail: why.slice(1).join('; '),
        service: name,
      }),
    )
  return Promise.all(
    [...told, ...own].map(async (problem) => {
      const { service } = problem
      const traceId =
        service === undefined ? undefined : await exampleOf(store, service, failing.has(service), nowMs)
      return traceId === undefined ? problem : { ...problem, traceId }
    }),
  )
}

/** A trace with a failed span of the service, or with one of it that was slow: what it suffers from first. */
async function exampleOf(
  store: TelemetryStore,
  service: string,
  isFailing: boolean,
  nowMs: number,
): Promise<string | undefined> {
  const range = { fromMs: nowMs - EXAMPLE_MS, toMs: nowMs, service, limit: 1 }
  const failed = { ...range, isFailed: true }
  const slow = { ...range, durationMsMin: SLOW_MS / 2 }
  for (const sought of isFailing ? [failed, slow] : [slow, failed]) {
    const [found] = (await store.findTraces(sought)).traces
    if (found !== undefined) return found.traceId
  }
  return undefined
}

/** Every instance of a service counts all of its sagas, so the largest number is the number. */
async function sagasOf(store: TelemetryStore, window: Window): Promise<SagaCounts[]> {
  const by = ['saga', 'status']
  const { series } = await store.series({ ...window, name: 'flotilla_sagas', as: 'value', by, merge: 'max' })
  const countOf = (name: string, status: string): number => {
    const found = series.find(({ labels }) => labels['saga'] === name && labels['status'] === status)
    return found === undefined ? 0 : lastOf(found)
  }
  return [...new Set(series.map(({ labels }) => labels['saga'] ?? ''))].sort().map((saga) => ({
    saga,
    ready: countOf(saga, 'ready'),
    running: countOf(saga, 'running'),
    waiting: countOf(saga, 'waiting'),
    parked: countOf(saga, 'parked'),
  }))
}

/** A currency in a unit: then minor units of it are counted. */
const CURRENCY = /^[A-Z]{3}$/

/**
 * What counts for the business, where the app measures it: `<app>_<name>_business_total`, with what is counted in its label `unit`; for money
 * that is the currency. Shown by the minute, money in whole units.
 */
async function businessOf({ store, app }: OverviewOptions, past: Window): Promise<Overview['business']> {
  const names = store
    .metrics()
    .map(({ name }) => name)
    .filter((name) => name.endsWith('_business_total'))
  const all = names.sort().map(async (name) => {
    const { series } = await store.series({ ...past, name, as: 'rate', by: ['unit'], stepMs: SPARK_STEP_MS })
    return series.map(({ labels, points }) => {
      const { unit = '' } = labels
      const scale = MINUTE_S / minorUnitsOf(unit)
      const spark = filled(points, SPARK_STEP_MS, past).map(([, value]) => value * scale)
      const words = name.replace(/_business_total$/, '').split('_')
      if (words.length > 1 && words[0] === app) words.shift()
      return { name: words.join(' '), value: spark.at(-1) ?? 0, unit: `${unit} a minute`.trim(), spark }
    })
  })
  return (await Promise.all(all)).flat()
}

/** How many minor units are one of a currency; 1 of all else. */
function minorUnitsOf(unit: string): number {
  if (!CURRENCY.test(unit)) return 1
  const format = new Intl.NumberFormat('en', { style: 'currency', currency: unit })
  return 10 ** (format.resolvedOptions().maximumFractionDigits ?? 0)
}
