/**
 * Series for an assistant: of each line its extremes and its values, without a time for each.
 *
 * @module
 */
import type { OutputOf } from '@flotilla/core/operation'
import type { observeContract } from '../api/observe-contract.ts'
import type { Series } from '../api/shapes.ts'
import { type Answer, bounded, compact } from './answer-text.ts'

type Found = OutputOf<(typeof observeContract)['operations']['series']>

/** As many as a line of a diagram has; where there are more, times are told. */
const STEPS_MAX = 1_000

/** Lines of a diagram as text. */
export function seriesAnswer({ items, exemplars, ...facts }: Found, narrowBy: string): Answer {
  const lines = [
    ...(Object.keys(facts).length === 0 ? [] : [compact(facts)]),
    `series (${items.length}), values from fromMs on, one every everyMs, null where nothing is known:`,
    ...items.map((one) => compact(told(one))),
    ...(exemplars.length === 0
      ? []
      : ['traces that show it (atMs, seconds, id):', ...exemplars.map(compact)]),
  ]
  return { text: bounded(lines, narrowBy) }
}

function told({ labels, points }: Series): Readonly<Record<string, unknown>> {
  const values = points.flatMap(([, value]) => (value === null ? [] : [value]))
  const extremes = values.length === 0 ? {} : { min: Math.min(...values), max: Math.max(...values) }
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined) return { labels, values: [] }
  const steps = points.slice(1).map(([atMs], index) => atMs - (points[index]?.[0] ?? 0))
  const everyMs = Math.min(...steps)
  const count = (last[0] - first[0]) / everyMs
  const begin = { labels, ...extremes, last: last[1] }
  if (points.length === 1) return { ...begin, fromMs: first[0], values }
  const isEven = steps.every((step) => step % everyMs === 0) && count <= STEPS_MAX
  if (!isEven) return { ...begin, points }
  const known = new Map(points)
  const all = Array.from({ length: count + 1 }, (_, index) => known.get(first[0] + index * everyMs) ?? null)
  return { ...begin, fromMs: first[0], everyMs, values: all }
}
