/**
 * Log lines in the order in which they arrived, whatever their time: for those who follow them.
 *
 * A follower remembers the place (`seq`) up to which it has seen everything, and asks what came after it. What is taken and not yet written has no
 * part in an answer; it comes with a later one, since its places are greater.
 *
 * @module
 */
import { type FoundLine, LINE_COLUMNS, type LineRow, lineCondition, lineOf } from './log-search.ts'
import { badInput, STATEMENT_MS, type TelemetrySource } from './search-back.ts'

/** Which lines. */
export interface ArrivalQuery {
  /** As in a search; empty: all. */
  readonly query: string
  /** Those after that place. */
  readonly afterSeq: number
}

/** Lines that arrived. */
export interface Arrivals {
  /** By their place, the first first. */
  readonly lines: readonly FoundLine[]
  /** The place up to which everything was seen: where the next question begins. */
  readonly seq: number
  /** True: there were more than wanted, and the next question need not wait. */
  readonly isMore: boolean
}

/**
 * The first `limit` lines after a place.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function linesAfter(
  { database }: TelemetrySource,
  { query, afterSeq, limit }: ArrivalQuery & { readonly limit: number },
): Promise<Arrivals> {
  const condition = lineCondition(query)
  const after = seqOf(afterSeq)
  // Asked first, so that what is written between the two questions is left to the next one.
  const [newest] = await database.ask<{ seq: number }>(
    `select coalesce(max(seq), ${after})::double as seq from lines where lines.seq > ${after}`,
    [],
    STATEMENT_MS,
  )
  const seq = newest?.seq ?? after
  if (seq === after) return { lines: [], seq, isMore: false }
  const rows = await database.ask<LineRow>(
    `select ${LINE_COLUMNS} from lines where lines.seq > ${after} and lines.seq <= ${seq} and ${condition.text}
     order by lines.seq limit ${limit}`,
    condition.values,
    STATEMENT_MS,
  )
  const last = rows.length === limit ? rows.at(-1) : undefined
  return { lines: rows.map(lineOf), seq: last?.seq ?? seq, isMore: last !== undefined }
}

/**
 * How many lines there are after a place, and the place of the last line of all.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function countAfter(
  { database }: TelemetrySource,
  { query, afterSeq }: ArrivalQuery,
): Promise<{ readonly count: number; readonly seq: number }> {
  const condition = lineCondition(query)
  const after = seqOf(afterSeq)
  const [found] = await database.ask<{ n: number; seq: number }>(
    `select (count(*) filter (${condition.text}))::double as n, coalesce(max(seq), ${after})::double as seq
     from lines where lines.seq > ${after}`,
    condition.values,
    STATEMENT_MS,
  )
  return { count: found?.n ?? 0, seq: found?.seq ?? after }
}

function seqOf(seq: number): number {
  if (!Number.isSafeInteger(seq) || seq < 0)
    throw badInput('/afterSeq', 'The place must be a whole number, 0 or more.')
  return seq
}
