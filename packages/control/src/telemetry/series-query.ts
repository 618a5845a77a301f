/**
 * Questions about series: values, rates and quantiles over time.
 *
 * What a counter has added since its last sample stands beside each sample, so that a rate is a sum, and a quantile comes from the sums of
 * the buckets. What is about the last minutes is answered from memory, all else by the file; both give the same.
 *
 * @module
 */
import { bucketQuantile } from './bucket-quantile.ts'
import { type Member, type PointRow, type PointsQuestion, recentPoints } from './recent-points.ts'
import {
  badInput,
  STATEMENT_MS,
  spanOf,
  stepOf,
  type TelemetrySource,
  type TimeRange,
} from './search-back.ts'
import type { LabelMatcher, Series } from './series-index.ts'

/** What is asked about series. */
export interface SeriesQuery extends TimeRange {
  /** Of a quantile: that of the histogram, without `_bucket`. */
  readonly name: string
  /** Default: none, all series of the metric. */
  readonly matchers?: readonly LabelMatcher[] | undefined
  /** A point for each step that has samples; whole milliseconds, at most 1,000 steps. Absent: one point for all the time. */
  readonly stepMs?: number | undefined
  /** `value`: the last one of a step. `rate`: what was added, a second. `quantile`: of a histogram. */
  readonly as: 'value' | 'rate' | 'quantile'
  /** Of a quantile: 0 to 1, default 0.99. */
  readonly quantile?: number | undefined
  /** Several of them at the price of one: a line for each, with the label `quantile`. */
  readonly quantiles?: readonly number[] | undefined
  /** Series that agree in these labels become one. Absent: each for itself; empty: one in all. */
  readonly by?: readonly string[] | undefined
  /** How values of series become one; rates are always added. Default sum. */
  readonly merge?: 'sum' | 'avg' | 'min' | 'max' | undefined
}

/** A line of a diagram. */
export interface SeriesPoints {
  readonly labels: Readonly<Record<string, string>>
  /** Time in milliseconds since 1970, at the beginning of a step, and value; by time. */
  readonly points: readonly (readonly [timeMs: number, value: number])[]
}

/** What was found. */
export interface FoundSeries {
  readonly series: readonly SeriesPoints[]
  /** True: there are more than 200 lines, or more than 10,000 series to make them of; the rest is left out. */
  readonly isTruncated: boolean
}

const STEPS_MAX = 1_000
const GROUPS_MAX = 200
const SERIES_MAX = 10_000

interface Group {
  readonly labels: Readonly<Record<string, string>>
  readonly series: Series[]
}

/**
 * Answers it.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong; `deadline_exceeded` when it is about too much.
 */
export async function askSeries(source: TelemetrySource, query: SeriesQuery): Promise<FoundSeries> {
  const { fromUs, toUs } = spanOf(query)
  // A step that begins at 0 and ends with the time asked about is one for all of it.
  const stepUs = query.stepMs === undefined ? toUs : stepOf(query.stepMs, query, STEPS_MAX) * 1_000
  const seconds = (query.stepMs === undefined ? toUs - fromUs : stepUs) / 1e6
  const isQuantile = query.as === 'quantile'
  const shares = query.quantiles ?? [query.quantile ?? 0.99]
  if (!shares.every((share) => share >= 0 && share <= 1))
    throw badInput('/quantile', 'A quantile must be from 0 to 1.')
  const found = source.series.find(isQuantile ? `${query.name}_bucket` : query.name, query.matchers ?? [])
  const all = groupsOf(found.slice(0, SERIES_MAX), query.by, isQuantile)
  const groups = all.slice(0, GROUPS_MAX)
  const isTruncated = found.length > SERIES_MAX || all.length > GROUPS_MAX
  if (groups.length === 0) return { series: [], isTruncated }
  const members = groups.flatMap(({ series }, group) =>
    series.map(({ id, labels }): Member => ({ id, group, le: isQuantile ? boundOf(labels['le']) : 0 })),
  )
  const question: PointsQuestion = {
    members,
    stepUs,
    range: { fromUs, toUs },
    as: query.as,
    merge: query.merge ?? 'sum',
  }
  const rows = source.recent.covers(fromUs)
    ? recentPoints(source.recent, question)
    : await filedPoints(source.database, question)
  const lines = (
    points: readonly [number, number][][],
    more: Readonly<Record<string, string>>,
  ): SeriesPoints[] =>
    groups.map(({ labels }, index) => ({ labels: { ...labels, ...more }, points: points[index] ?? [] }))
  const series = isQuantile
    ? shares.flatMap((share) =>
        lines(quantiles(rows, share, groups.length), query.quantiles ? { quantile: String(share) } : {}),
      )
    : lines(plain(rows, query.as === 'rate' ? seconds : 1, groups.length), {})
  return { series: series.filter((one) => one.points.length > 0), isTruncated }
}

function filedPoints(
  database: TelemetrySource['database'],
  { members, stepUs, range, as, merge }: PointsQuestion,
): Promise<PointRow[]> {
  const bounds = members.map(({ le }) => (le === Number.POSITIVE_INFINITY ? "'inf'::double" : le))
  return database.ask<PointRow>(
    `with members as (select unnest([${members.map(({ id }) => id)}]) as id, unnest([${members.map(({ group }) => group)}]) as group_id,
       unnest([${bounds}])::double as le)
     ${as === 'value' ? values(merge) : increases}`
      .replaceAll('$step', String(stepUs))
      .replace('$range', `time_us >= ${range.fromUs} and time_us < ${range.toUs}`),
    [],
    STATEMENT_MS,
  )
}

const values = (merge: string): string =>
  `select us, group_id, 0.0::double as le, ${merge}(value)::double as value from (
     select (time_us // $step * $step)::double as us, id, group_id, arg_max(value, time_us) as value
     from samples join members on series = id where $range group by 1, 2, 3)
   group by 1, 2 order by 1`

const increases = `select (time_us // $step * $step)::double as us, group_id, le, sum(increase)::double as value
   from samples join members on series = id where $range group by 1, 2, 3 order by 1, 3`

function plain(rows: readonly PointRow[], divisor: number, count: number): [number, number][][] {
  const points = Array.from({ length: count }, (): [number, number][] => [])
  for (const { us, group_id: group, value } of rows) points[group]?.push([us / 1_000, value / divisor])
  return points
}

/** Rows come by time, and within a time by bound. */
function quantiles(rows: readonly PointRow[], share: number, count: number): [number, number][][] {
  const buckets = Array.from({ length: count }, () => new Map<number, [number, number][]>())
  for (const { us, group_id: group, le, value } of rows) {
    const ofGroup = buckets[group] as Map<number, [number, number][]>
    const ofTime = ofGroup.get(us) ?? []
    ofTime.push([le, value])
    ofGroup.set(us, ofTime)
  }
  return buckets.map((ofGroup) =>
    [...ofGroup].flatMap(([us, bounds]): [number, number][] => {
      const value = bucketQuantile(bounds, share)
      return value === undefined ? [] : [[us / 1_000, value]]
    }),
  )
}

function groupsOf(
  series: readonly Series[],
  by: readonly string[] | undefined,
  isQuantile: boolean,
): readonly Group[] {
  const groups = new Map<string, Group>()
  for (const one of series) {
    const names = by ?? Object.keys(one.labels).sort()
    const entries = names
      .filter((name) => !(isQuantile && name === 'le'))
      .map((name): [string, string] => [name, one.labels[name] ?? ''])
    const key = JSON.stringify(entries)
    const group = groups.get(key) ?? { labels: Object.fromEntries(entries), series: [] }
    group.series.push(one)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function boundOf(le: string | undefined): number {
  const bound = Number(le)
  return le === '+Inf' || !Number.isFinite(bound) ? Number.POSITIVE_INFINITY : bound
}
