/**
 * The searching half of the observing API: traces, log lines, series.
 *
 * @module
 */
import { type Clock, parseIsoTime } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import type { Handlers, OperationContext } from '@flotilla/core/service'
import type { observeContract } from '../api/observe-contract.ts'
import type { MetricInfo } from '../api/shapes.ts'
import type { LabelMatcher } from '../telemetry/series-index.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { filled, ofGateway, type Window } from './figures.ts'
import { entryOf, followLines } from './follow-lines.ts'
import { summaryOf, traceOf } from './read-traces.ts'
import { byOf, matchersOf } from './series-input.ts'
import { GATEWAY } from './system-state.ts'

type Observes = Handlers<typeof observeContract>
type Asks = OperationContext<{ bad_query: { code: 'invalid_argument'; title: string } }>

const MINUTE_MS = 60_000
const RANGE_MS = 15 * MINUTE_MS
const POINTS = 120
const STEP_MS_MIN = 5_000
const BUCKETS = 60
const LIMIT = 100
/** Lines of one trace; so many are found at once. */
const LINES_COUNTED = 500
/** As many of the steps as this get one trace that shows how slow it was. */
const EXEMPLAR_STEPS = 4

/** Traces and log lines. */
export function searches(
  store: TelemetryStore,
  clock: Clock,
): Pick<Observes, 'traces' | 'trace' | 'logs' | 'logHistogram' | 'followLogs'> {
  const rangeOf = rangesBy(clock)
  return {
    async traces({ service, name, minMs, maxMs, isFailed, limit = LIMIT, cursor, ...range }, ctx) {
      const filter = { service, name, isFailed, durationMsMin: minMs, durationMsMax: maxMs, limit, cursor }
      const found = await understood(ctx, () => store.findTraces({ ...rangeOf(range), ...filter }))
      return { items: found.traces.map(summaryOf), ...restOf(found, found.traces.length < limit) }
    },
    async trace({ traceId }, ctx) {
      const { spans, isTruncated } = await store.trace(traceId)
      const trace = traceOf(traceId, spans)
      if (trace === undefined) throw ctx.fail('no_trace', `There is no trace ${traceId}, or no more.`)
      const startMs = parseIsoTime(trace.startAt)
      const near = { fromMs: startMs - MINUTE_MS, toMs: startMs + trace.durationMs + MINUTE_MS }
      const found = await store.searchLogs({ ...near, query: `trace=${traceId}`, limit: LINES_COUNTED })
      const hasMoreLogLines = found.cursor !== undefined
      return { ...trace, isTruncated, logLines: found.lines.length, hasMoreLogLines }
    },
    async logs({ q = '', limit = LIMIT, cursor, ...range }, ctx) {
      const found = await understood(ctx, () =>
        store.searchLogs({ ...rangeOf(range), query: q, limit, cursor }),
      )
      return { items: found.lines.map(entryOf), ...restOf(found, found.lines.length < limit) }
    },
    async logHistogram({ q = '', buckets = BUCKETS, ...range }, ctx) {
      const window = rangeOf(range)
      const stepMs = Math.max(1_000, Math.ceil((window.toMs - window.fromMs) / buckets / 1_000) * 1_000)
      const found = await understood(ctx, () => store.logHistogram({ ...window, query: q, stepMs }))
      return {
        stepMs,
        items: found.buckets.map(({ timeMs, counts }) => ({ atMs: timeMs, levels: { ...counts } })),
        cutShortAtMs: found.countedFromMs > window.fromMs ? found.countedFromMs : null,
      }
    },
    async *followLogs({ q = '' }, ctx) {
      const lines = followLines(store, clock, q, ctx.signal)
      while (true) {
        const next = await understood(ctx, () => lines.next())
        if (next.done) return
        yield next.value
      }
    },
  }
}

/** Where a search goes on. One that could go on and has fewer than were wanted had no time left. */
function restOf(
  { cursor, searchedFromMs }: { readonly cursor: string | undefined; readonly searchedFromMs: number },
  isShort: boolean,
): { nextCursor: string | null; cutShortAtMs: number | null } {
  return {
    nextCursor: cursor ?? null,
    cutShortAtMs: cursor !== undefined && isShort ? searchedFromMs : null,
  }
}

/** What is measured. */
export function measures(store: TelemetryStore, clock: Clock): Pick<Observes, 'metrics' | 'series'> {
  const rangeOf = rangesBy(clock)
  return {
    metrics: () => ({ items: metricsOf(store) }),
    async series({ name, where, by, as = 'value', quantile, stepMs, ...range }, ctx) {
      const window = rangeOf(range)
      const matchers = await understood(ctx, async () => matchersOf(where))
      const step = stepMs ?? Math.max(STEP_MS_MIN, Math.ceil((window.toMs - window.fromMs) / POINTS))
      const found = await understood(ctx, () =>
        store.series({
          ...window,
          name,
          as,
          quantile,
          stepMs: step,
          matchers,
          by: byOf(by),
        }),
      )
      return {
        items: found.series.map(({ labels, points }) => ({
          labels: { ...labels },
          points: (as === 'rate' ? filled(points, step, window) : points).map(
            ([atMs, value]): [number, number] => [atMs, value],
          ),
        })),
        exemplars:
          as === 'quantile' ? await exemplarsOf(store, { name, matchers, stepMs: step, ...window }) : [],
      }
    },
  }
}

/** What is meant when nothing is said: the last 15 minutes. */
function rangesBy(clock: Clock): (given: { fromMs?: number; toMs?: number }) => Window {
  return ({ fromMs, toMs = clock.now() }) => ({ fromMs: fromMs ?? toMs - RANGE_MS, toMs })
}

/** Of durations of a service: the slowest trace of every few steps. */
async function exemplarsOf(
  store: TelemetryStore,
  {
    name,
    matchers,
    stepMs,
    ...window
  }: Window & { readonly name: string; readonly matchers: readonly LabelMatcher[]; readonly stepMs: number },
): Promise<{ atMs: number; value: number; traceId: string }[]> {
  if (!name.endsWith('_duration_seconds')) return []
  const named = matchers.find(
    ({ label, is, values }) => label === 'service' && is === '=' && values.length === 1,
  )
  const service = name === ofGateway.durations ? GATEWAY : named?.values[0]
  if (service === undefined) return []
  const question = {
    ...window,
    service,
    kind: 'server' as const,
    stepMs: stepMs * EXEMPLAR_STEPS,
    boundsMs: [],
  }
  const { exemplars } = await store.exemplars(question)
  return exemplars.map(({ timeMs, traceId, durationUs }) => ({
    atMs: timeMs,
    value: durationUs / 1e6,
    traceId,
  }))
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

/** Buckets, sum and count of a histogram are shown as one. */
function metricsOf(store: TelemetryStore): MetricInfo[] {
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
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function labelsOf(store: TelemetryStore, name: string): string[] {
  return Object.keys(store.labels(name)).filter((label) => label !== 'le')
}
