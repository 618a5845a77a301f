/**
 * Rates, errors and durations out of the telemetry store: the three figures of whatever is asked.
 *
 * @module
 */
import { codes } from '@flotilla/core/code'
import type { LabelMatcher } from '../telemetry/series-index.ts'
import type { SeriesPoints } from '../telemetry/series-query.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'

/** Figures of something over a time. */
export interface Red {
  /** Per second. */
  readonly rate: number
  /** 0 to 1. */
  readonly errorShare: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** A time, in milliseconds since 1970. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
}

/** Where figures come from. */
export interface RedSource {
  /** Counter with a label that tells how it ended. */
  readonly calls: string
  /** Histogram. */
  readonly durations: string
  /** The label of `calls` that tells it: a code, or a status. */
  readonly outcome: 'code' | 'status'
  readonly matchers?: readonly LabelMatcher[]
}

/** Of nothing. */
export const noFigures: Red = { rate: 0, errorShare: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0 }

/** What services answered. */
export const ofServices: RedSource = {
  calls: 'flotilla_server_calls_total',
  durations: 'flotilla_server_duration_seconds',
  outcome: 'code',
}
/** What services asked of one another, as those saw it who asked. */
export const ofCalls: RedSource = {
  calls: 'flotilla_client_calls_total',
  durations: 'flotilla_client_duration_seconds',
  outcome: 'code',
}
/** What servers outside answered, as those saw it who asked. */
export const ofOutside: RedSource = {
  calls: 'flotilla_outside_requests_total',
  durations: 'flotilla_outside_duration_seconds',
  outcome: 'code',
}
/** What the gateway answered. */
export const ofGateway: RedSource = {
  calls: 'flotilla_gateway_requests_total',
  durations: 'flotilla_gateway_duration_seconds',
  outcome: 'status',
}

const SEPARATOR = '\u0000'
const QUANTILES = [0.5, 0.95, 0.99]
const FAILED_STATUS = 500
const STATUS_END = 600
/** Failures of ours, by what tells them: what a caller did wrong is none. */
const FAILURES = {
  code: Object.entries(codes).flatMap(([code, { status }]) => (status >= FAILED_STATUS ? [code] : [])),
  status: Array.from({ length: STATUS_END - FAILED_STATUS }, (_, index) => String(FAILED_STATUS + index)),
}

/** Figures by the values of some labels, joined by `keyOf`. Without labels: of all together, under ''. */
export async function redBy(
  store: Pick<TelemetryStore, 'series'>,
  source: RedSource,
  by: readonly string[],
  window: Window,
): Promise<ReadonlyMap<string, Red>> {
  const { calls, durations, outcome, matchers = [] } = source
  const failed = { label: outcome, is: '=' as const, values: FAILURES[outcome] }
  const [counted, errors, quantiles] = await Promise.all([
    store.series({ ...window, name: calls, as: 'rate', by, matchers }),
    store.series({ ...window, name: calls, as: 'rate', by, matchers: [...matchers, failed] }),
    store.series({ ...window, name: durations, as: 'quantile', quantiles: QUANTILES, by, matchers }),
  ])
  const all = new Map<string, { rate: number; errors: number; ms: number[] }>()
  const nameOf = ({ labels }: SeriesPoints): string => keyOf(by.map((label) => labels[label] ?? ''))
  for (const one of counted.series) all.set(nameOf(one), { rate: lastOf(one), errors: 0, ms: [0, 0, 0] })
  for (const one of errors.series) {
    const its = all.get(nameOf(one))
    if (its !== undefined) its.errors = lastOf(one)
  }
  for (const one of quantiles.series) {
    const its = all.get(nameOf(one))
    if (its !== undefined) its.ms[QUANTILES.indexOf(Number(one.labels['quantile']))] = lastOf(one) * 1_000
  }
  return new Map([...all].map(([key, its]) => [key, figuresOf(its)]))
}

/** One name for several labels' values. */
export function keyOf(values: readonly string[]): string {
  return values.join(SEPARATOR)
}

/** The values again. */
export function valuesOf(key: string): readonly string[] {
  return key.split(SEPARATOR)
}

/** The last point; 0 where there is none. */
export function lastOf({ points }: SeriesPoints): number {
  return points.at(-1)?.[1] ?? 0
}

/**
 * Rates of every step up to now: what did not move left no sample, and its rate is 0. Before the first sample nothing is known.
 *
 * @param points each at a multiple of `stepMs`, by time
 */
export function filled(
  points: SeriesPoints['points'],
  stepMs: number,
  { toMs }: Pick<Window, 'toMs'>,
): readonly (readonly [timeMs: number, value: number])[] {
  const [first] = points
  if (first === undefined) return []
  const known = new Map(points)
  const all: [number, number][] = []
  // The step that is going on is not over.
  for (let atMs = first[0]; atMs + stepMs <= toMs; atMs += stepMs) all.push([atMs, known.get(atMs) ?? 0])
  return all
}

function figuresOf({ rate, errors, ms }: { rate: number; errors: number; ms: readonly number[] }): Red {
  const [p50Ms = 0, p95Ms = 0, p99Ms = 0] = ms
  return { rate, errorShare: rate === 0 ? 0 : errors / rate, p50Ms, p95Ms, p99Ms }
}

/** Figures together: rates add up, and the worst durations stand for all. */
export function joined(figures: readonly Red[]): Red {
  const rate = figures.reduce((sum, one) => sum + one.rate, 0)
  const errors = figures.reduce((sum, one) => sum + one.rate * one.errorShare, 0)
  const worst = (name: 'p50Ms' | 'p95Ms' | 'p99Ms'): number => Math.max(0, ...figures.map((one) => one[name]))
  return {
    rate,
    errorShare: rate === 0 ? 0 : errors / rate,
    p50Ms: worst('p50Ms'),
    p95Ms: worst('p95Ms'),
    p99Ms: worst('p99Ms'),
  }
}
