/**
 * Points of a diagram out of the samples that came last: what the file would answer, without asking it.
 *
 * @module
 */
import type { RecentRange, RecentSamples } from './recent-samples.ts'

/** A series that is asked about. */
export interface Member {
  /** Its number. */
  readonly id: number
  /** Place of the line it belongs to. */
  readonly group: number
  /** Bound of its bucket; 0 where there are no buckets. */
  readonly le: number
}

/** What is asked. */
export interface PointsQuestion {
  /** Each of another series. */
  readonly members: readonly Member[]
  readonly stepUs: number
  readonly range: RecentRange
  /** `value`: the last one of each series and step. All else: what was added. */
  readonly as: 'value' | 'rate' | 'quantile'
  /** How values of a line become one; what was added is always added up. */
  readonly merge: 'sum' | 'avg' | 'min' | 'max'
}

/** A part of a point: of a line, or of a bucket of it. */
export interface PointRow {
  /** The beginning of the step. */
  readonly us: number
  readonly group_id: number
  readonly le: number
  readonly value: number
}

interface Found {
  timeUs: number
  value: number
}

/** The parts that have samples, by step and bound. */
export function recentPoints(recent: RecentSamples, question: PointsQuestion): PointRow[] {
  const { members, stepUs, range, as } = question
  // By number of the series, which is quicker than any map: 1 + the place among the members, 0 for all others.
  const places = new Int32Array(members.reduce((max, { id }) => Math.max(max, id), 0) + 1)
  for (const [index, { id }] of members.entries()) places[id] = index + 1
  const steps = new Map<number, Map<number, Found>>()
  recent.each(range, (series, timeUs, value, increase) => {
    const place = (places[series] ?? 0) - 1
    if (place < 0) return
    const us = Math.floor(timeUs / stepUs) * stepUs
    let step = steps.get(us)
    if (step === undefined) {
      step = new Map()
      steps.set(us, step)
    }
    const found = step.get(place)
    if (found === undefined) step.set(place, { timeUs, value: as === 'value' ? value : increase })
    else if (as !== 'value') found.value += increase
    else if (timeUs > found.timeUs) {
      found.timeUs = timeUs
      found.value = value
    }
  })
  return [...steps]
    .sort(([one], [other]) => one - other)
    .flatMap(([us, step]) => rowsOf(question, step).map((row) => ({ us, ...row })))
}

/** Those of a step. */
function rowsOf(
  { members, as, merge }: PointsQuestion,
  step: ReadonlyMap<number, Found>,
): Omit<PointRow, 'us'>[] {
  const parts = new Map<string, { readonly member: Member; readonly values: number[] }>()
  for (const [place, { value }] of step) {
    const member = members[place] as Member
    const key = `${member.group} ${member.le}`
    const part = parts.get(key)
    if (part === undefined) parts.set(key, { member, values: [value] })
    else part.values.push(value)
  }
  return [...parts.values()]
    .sort(({ member: one }, { member: other }) => (one.le < other.le ? -1 : one.le > other.le ? 1 : 0))
    .map(({ member: { group, le }, values }) => ({
      group_id: group,
      le,
      value: merged(values, as === 'value' ? merge : 'sum'),
    }))
}

function merged(values: readonly number[], merge: PointsQuestion['merge']): number {
  if (merge === 'min') return values.reduce((least, one) => Math.min(least, one))
  if (merge === 'max') return values.reduce((most, one) => Math.max(most, one))
  const sum = values.reduce((total, one) => total + one, 0)
  return merge === 'avg' ? sum / values.length : sum
}
