/**
 * Searches in log lines, by the language of `log-query.ts`.
 *
 * @module
 */
import { type LogTerm, parseLogQuery } from './log-query.ts'
import { type Fields, type LineLevel, lineLevels } from './rows.ts'
import {
  badInput,
  limitOf,
  STATEMENT_MS,
  searchBack,
  spanOf,
  stepOf,
  type TelemetrySource,
  type TimeRange,
} from './search-back.ts'

/** Which lines. */
export interface LogQuery extends TimeRange {
  /** Empty: all. */
  readonly query: string
  /** At most 500; default 100. */
  readonly limit?: number | undefined
  /** What an earlier answer gave: goes on after it, with older lines. */
  readonly cursor?: string | undefined
}

/** A line that was found. */
export interface FoundLine {
  /** Its place in the order of arrival. */
  readonly seq: number
  readonly timeUs: number
  readonly level: LineLevel
  readonly service: string
  readonly instance: string
  readonly message: string
  readonly traceId: string | undefined
  readonly spanId: string | undefined
  /** Flat: nested ones by their path. */
  readonly fields: Fields
}

/** Newest first. */
export interface FoundLines {
  readonly lines: readonly FoundLine[]
  /** Absent: there are no more. Else there may be, also when no line was found yet. */
  readonly cursor: string | undefined
  /** Everything from here on was searched; milliseconds since 1970. */
  readonly searchedFromMs: number
}

/** How many lines there are, by time. */
export interface LogHistogram {
  /** Only those with lines, oldest first; each begins at a multiple of the step. */
  readonly buckets: readonly {
    readonly timeMs: number
    readonly counts: Readonly<Partial<Record<LineLevel, number>>>
  }[]
  /** Everything from here on was counted; later than asked for when there was too much for one answer. */
  readonly countedFromMs: number
}

/** A question as SQL: a condition, and what stands for its `$1`, `$2` … */
interface Condition {
  readonly text: string
  readonly values: readonly string[]
}

/** What `LINE_COLUMNS` gives. */
export interface LineRow {
  readonly seq: number
  readonly time_us: number
  readonly level: number
  readonly service: string
  readonly instance: string
  readonly message: string
  readonly trace_id: string | null
  readonly span_id: string | null
  readonly fields: string | null
}

/** What is read of a line. */
export const LINE_COLUMNS =
  'seq::double as seq, time_us::double as time_us, level, service, instance, message, trace_id, span_id, fields'
const COLUMNS = {
  service: 'lower(service)',
  instance: 'lower(instance)',
  trace: 'trace_id',
  span: 'span_id',
} as const
const CURSOR = /^(\d{1,16})-(\d{1,16})$/
const BUCKETS_MAX = 1_000

/**
 * Finds lines, the newest first.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function searchLines(source: TelemetrySource, query: LogQuery): Promise<FoundLines> {
  const span = spanOf(query)
  const limit = limitOf(query.limit, 100, 500)
  const condition = lineCondition(query.query)
  const cursor = cursorOf(query.cursor)
  const lines: FoundLine[] = []
  // Nothing is numbered 0: that is where the time ran out, and all of the microsecond was searched.
  const endUs = cursor === undefined ? span.toUs : cursor.timeUs + (cursor.seq === 0 ? 0 : 1)
  const toUs = Math.min(span.toUs, endUs)
  const before =
    cursor === undefined ? '' : `and (lines.time_us, lines.seq) < (${cursor.timeUs}, ${cursor.seq})`
  const searchedUs = await searchBack(source, 'lines', { fromUs: span.fromUs, toUs }, async (slice) => {
    const rows = await source.database.ask<LineRow>(
      `select ${LINE_COLUMNS} from lines
       where lines.time_us >= ${slice.fromUs} and lines.time_us < ${slice.toUs} ${before} and ${condition.text}
       order by lines.time_us desc, lines.seq desc limit ${limit - lines.length}`,
      condition.values,
      STATEMENT_MS,
    )
    for (const row of rows) lines.push(lineOf(row))
    return lines.length === limit
  })
  const last = lines.length === limit ? lines.at(-1) : undefined
  const isComplete = last === undefined && searchedUs <= span.fromUs
  return {
    lines,
    cursor: isComplete ? undefined : `${last?.timeUs ?? searchedUs}-${last?.seq ?? 0}`,
    searchedFromMs: (last?.timeUs ?? searchedUs) / 1_000,
  }
}

/**
 * Counts lines by time and level, from the newest on.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function countLines(
  source: TelemetrySource,
  query: TimeRange & { readonly query: string; readonly stepMs: number },
): Promise<LogHistogram> {
  const span = spanOf(query)
  const stepUs = stepOf(query.stepMs, query, BUCKETS_MAX) * 1_000
  const condition = lineCondition(query.query)
  const buckets = new Map<number, Partial<Record<LineLevel, number>>>()
  const countedUs = await searchBack(source, 'lines', span, async (slice) => {
    const rows = await source.database.ask<{ time_us: number; level: number; n: number }>(
      `select (time_us // ${stepUs} * ${stepUs})::double as time_us, level, count(*)::double as n from lines
       where lines.time_us >= ${slice.fromUs} and lines.time_us < ${slice.toUs} and ${condition.text} group by 1, 2`,
      condition.values,
      STATEMENT_MS,
    )
    for (const { time_us: timeUs, level, n } of rows) {
      const counts = buckets.get(timeUs) ?? {}
      const name = levelOf(level)
      buckets.set(timeUs, { ...counts, [name]: (counts[name] ?? 0) + n })
    }
    return false
  })
  return {
    buckets: [...buckets]
      .sort(([a], [b]) => a - b)
      .map(([timeUs, counts]) => ({ timeMs: timeUs / 1_000, counts })),
    countedFromMs: countedUs / 1_000,
  }
}

/**
 * What people search for as a condition in SQL.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export function lineCondition(query: string): Condition {
  const values: string[] = []
  const value = (text: string): string => `$${values.push(text)}`
  const texts = parseLogQuery(query).map((term) => {
    switch (term.is) {
      case 'text':
        return textCondition(term.text, value)
      case 'field':
        return `${term.isNot ? 'not ' : ''}contains(search, ${value(`\n${term.field}=${term.value}\n`)})`
      case 'column':
        return columnCondition(term, value)
      case 'level':
        return `level ${term.comparison} ${lineLevels.indexOf(term.level)}`
      default:
        return term satisfies never
    }
  })
  return { text: texts.length === 0 ? 'true' : texts.join(' and '), values }
}

function textCondition(text: string, value: (text: string) => string): string {
  const place = value(text)
  const names = /\s/.test(text) ? '' : ` or lower(service) = ${place} or lower(instance) = ${place}`
  const trace = /^[0-9a-f]{32}$/.test(text) ? ` or trace_id = ${place}` : ''
  return `(contains(search, ${place})${names}${trace})`
}

function columnCondition(
  { column, value: text, isNot }: LogTerm & { readonly is: 'column' },
  value: (text: string) => string,
): string {
  // The message is the first line of the search text.
  if (column === 'message') return `${isNot ? 'not ' : ''}starts_with(search, ${value(`${text}\n`)})`
  const name = COLUMNS[column as keyof typeof COLUMNS]
  return `${name} is ${isNot ? '' : 'not '}distinct from ${value(text)}`
}

function cursorOf(text: string | undefined): { readonly timeUs: number; readonly seq: number } | undefined {
  if (text === undefined) return undefined
  const [, timeUs, seq] = CURSOR.exec(text) ?? []
  if (timeUs === undefined) throw badInput('/cursor', 'The cursor is none that an answer gave.')
  return { timeUs: Number(timeUs), seq: Number(seq) }
}

/** A row as a line. */
export function lineOf(row: LineRow): FoundLine {
  return {
    seq: row.seq,
    timeUs: row.time_us,
    level: levelOf(row.level),
    service: row.service,
    instance: row.instance,
    message: row.message,
    traceId: row.trace_id ?? undefined,
    spanId: row.span_id ?? undefined,
    fields: row.fields === null ? {} : JSON.parse(row.fields),
  }
}

function levelOf(index: number): LineLevel {
  return lineLevels[index] ?? 'info'
}
