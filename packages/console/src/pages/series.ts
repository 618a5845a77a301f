/**
 * Series as lines of a chart.
 *
 * @module
 */
import type { Series } from '@flotilla/control/shapes'
import type { Line, Points } from '../parts/chart-data.ts'
import type { Api } from '../state/api.ts'
import { type Asked, useAsked } from '../state/asked.ts'
import { range, rangeMs } from '../state/place.ts'

/** Points in a chart: about one for each three pixels of a narrow one. */
const POINTS_MAX = 120
/** Processes are asked every 5 s: shorter steps would have holes. */
const STEP_MIN_MS = 10_000

type SeriesInput = Omit<Api['observe.series']['input'], 'fromMs' | 'toMs' | 'stepMs'>

/** Asks for a metric over the range that is looked at; undefined asks nothing. */
export function useSeries(input: SeriesInput | undefined): Asked<Api['observe.series']['output']> {
  const stepMs = Math.max(STEP_MIN_MS, Math.ceil(rangeMs.value / POINTS_MAX / 1_000) * 1_000)
  return useAsked('observe.series', input && { ...input, ...range.value, stepMs })
}

/** One line that is the sum of those whose labels `isPart` takes; null where none of them is known. */
export function sumOf(
  all: readonly Series[],
  isPart: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): Points {
  const sums = new Map<number, number | null>()
  for (const { points } of all.filter(({ labels }) => isPart(labels))) {
    for (const [atMs, value] of points) {
      const before = sums.get(atMs) ?? null
      sums.set(atMs, value === null ? before : value + (before ?? 0))
    }
  }
  return [...sums].sort(([a], [b]) => a - b)
}

/** Lines by their labels, the highest last values first, at most `linesMax` of them. */
export function linesOf(all: readonly Series[], linesMax: number): Line[] {
  const last = ({ points }: Series): number => points.findLast(([, value]) => value !== null)?.[1] ?? 0
  return [...all]
    .sort((a, b) => last(b) - last(a))
    .slice(0, linesMax)
    .map(({ labels, points }) => ({ label: labelText(labels), points }))
}

/** `operation orders.place, code ok`; `all` without labels. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name} ${value}`)
  return parts.length === 0 ? 'all' : parts.join(', ')
}
