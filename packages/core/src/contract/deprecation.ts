/**
 * Operations that are going to go: since when nobody should begin to use one, from when on it may be gone, and what to use instead.
 *
 * @source https://www.rfc-editor.org/rfc/rfc9745
 * @source https://www.rfc-editor.org/rfc/rfc8594
 * @module
 */
import { isoTime, parseIsoTime } from '../kernel/clock.ts'

/** That an operation is going to go. It changes nothing by itself, not even after `sunset`. */
export interface Deprecation {
  /** The day from which on nobody should begin to use it, such as `2026-11-01`; it may be still to come. */
  readonly since: string
  /** The day from which on it may be gone, after `since`. Absent: that is not decided. */
  readonly sunset?: string
  /** Name of the operation of the same contract to use instead; it has a route. Absent: there is none. */
  readonly successor?: string
}

const DATE = /^\d{4}-\d\d-\d\d$/

/** Milliseconds since 1970 of a day's beginning in UTC; NaN for what is no day, such as `2026-02-30`. */
export function dayMs(day: string): number {
  const ms = DATE.test(day) ? parseIsoTime(day) : Number.NaN
  // A day that the month does not have is read as one of the next.
  return !Number.isNaN(ms) && isoTime(ms).startsWith(day) ? ms : Number.NaN
}

/**
 * What is wrong with it, each so that the name of the operation `name` can stand before it.
 *
 * @param hasRoute of an operation of the same contract; undefined: there is none of this name
 */
export function deprecationMistakes(
  name: string,
  { since, sunset, successor }: Deprecation,
  hasRoute: (name: string) => boolean | undefined,
): string[] {
  const mistakes: string[] = []
  for (const day of sunset === undefined ? [since] : [since, sunset]) {
    if (Number.isNaN(dayMs(day))) mistakes.push(`is deprecated with ${day}, which is no day like 2026-11-01`)
  }
  if (sunset !== undefined && dayMs(sunset) <= dayMs(since))
    mistakes.push(`may be gone on ${sunset}, which is not after ${since}`)
  if (successor === undefined) return mistakes
  if (successor === name) mistakes.push('names itself to be used instead')
  else if (hasRoute(successor) === undefined)
    mistakes.push(`names ${successor} to be used instead, and there is no such operation`)
  else if (!hasRoute(successor)) mistakes.push(`names ${successor} to be used instead, which has no route`)
  return mistakes
}

/**
 * For people, with a full stop.
 *
 * @param service whose operation it is
 */
export function describeDeprecation(service: string, { since, sunset, successor }: Deprecation): string {
  const instead = successor === undefined ? '' : `; use ${service}.${successor} instead`
  const end = sunset === undefined ? '' : `; it may be gone from ${sunset} on`
  return `Deprecated since ${since}${instead}${end}.`
}
