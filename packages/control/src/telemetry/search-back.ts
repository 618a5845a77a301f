/**
 * Searching back in time, piece by piece: from the newest on, until there is enough or a search has had its share of time. So every answer comes soon,
 * however much there is; one that is not complete says how far it came, and the next question goes on there.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { RecentSamples } from './recent-samples.ts'
import type { RowCounts, TimeSpan } from './row-counts.ts'
import type { SeriesIndex } from './series-index.ts'
import type { TelemetryDatabase } from './telemetry-database.ts'

/** What questions are asked of. */
export interface TelemetrySource {
  readonly database: TelemetryDatabase
  readonly clock: Clock
  readonly counts: { readonly spans: RowCounts; readonly lines: RowCounts }
  readonly series: SeriesIndex
  readonly recent: RecentSamples
}

/** The time a question is about, in milliseconds since 1970: from this on, up to that, which is no part of it. */
export interface TimeRange {
  readonly fromMs: number
  readonly toMs: number
}

/** After this the next piece is left to the next question. */
const SEARCH_MS = 120
const SLICE_ROWS = 40_000
/** One statement; far more than a piece takes. */
export const STATEMENT_MS = 5_000

/**
 * Asks of one piece after the other until `ask` says that there is enough.
 *
 * @returns the beginning of what was searched, in microseconds since 1970; that of `span` when nothing is left to search.
 */
export async function searchBack(
  { clock, counts }: Pick<TelemetrySource, 'clock' | 'counts'>,
  table: 'spans' | 'lines',
  span: TimeSpan,
  ask: (slice: TimeSpan) => Promise<boolean>,
): Promise<number> {
  const endMs = clock.monotonicMs() + SEARCH_MS
  for (const slice of counts[table].slices(span, SLICE_ROWS)) {
    if (await ask(slice)) return slice.fromUs
    if (clock.monotonicMs() >= endMs) return slice.fromUs
  }
  return span.fromUs
}

/**
 * A time in microseconds.
 *
 * @throws FlotillaError `invalid_argument` when it is none.
 */
export function spanOf({ fromMs, toMs }: TimeRange): TimeSpan {
  if (!(Number.isFinite(fromMs) && Number.isFinite(toMs) && fromMs >= 0 && fromMs < toMs && toMs < 1e14)) {
    throw badInput('/fromMs', 'The time must have a beginning before its end.')
  }
  return { fromUs: Math.trunc(fromMs * 1_000), toUs: Math.trunc(toMs * 1_000) }
}

/**
 * A number of results within its bounds.
 *
 * @throws FlotillaError `invalid_argument` when it is outside.
 */
export function limitOf(limit: number | undefined, usual: number, max: number): number {
  if (limit === undefined) return usual
  if (!Number.isInteger(limit) || limit < 1 || limit > max)
    throw badInput('/limit', `The limit must be from 1 to ${max}.`)
  return limit
}

/**
 * A step in milliseconds that cuts a time into at most `stepsMax`.
 *
 * @throws FlotillaError `invalid_argument` when there would be more.
 */
export function stepOf(stepMs: number, { fromMs, toMs }: TimeRange, stepsMax: number): number {
  const isRight = Number.isInteger(stepMs) && stepMs >= 1 && (toMs - fromMs) / stepMs <= stepsMax
  if (!isRight)
    throw badInput(
      '/stepMs',
      `The step must be whole milliseconds, and cut the time into at most ${stepsMax} parts.`,
    )
  return stepMs
}

/** An `invalid_argument` about one field of a question. */
export function badInput(pointer: string, message: string): FlotillaError {
  return new FlotillaError('invalid_argument', message, { executed: 'no', issues: [{ pointer, message }] })
}
