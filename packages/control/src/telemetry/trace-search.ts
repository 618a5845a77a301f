/**
 * Searches for traces by their spans, one trace whole, and examples of what took how long.
 *
 * @module
 */
import type { TimeSpan } from './row-counts.ts'
import { type Fields, type SpanKind, type StoredSpan, spanKinds } from './rows.ts'
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

/** Which spans; all that is given must be true of one span. */
export interface SpanFilter extends TimeRange {
  readonly service?: string | undefined
  /** Part of its name, in any case. */
  readonly name?: string | undefined
  readonly kind?: SpanKind | undefined
  /** True: only spans whose status is not `ok`. */
  readonly isFailed?: boolean | undefined
  readonly durationMsMin?: number | undefined
  readonly durationMsMax?: number | undefined
  /** Of an attribute, as people write it; at most 5. */
  readonly attributes?: Readonly<Record<string, string>> | undefined
}

/** Which traces: those with such a span. */
export interface TraceQuery extends SpanFilter {
  /** At most 200; default 50. */
  readonly limit?: number | undefined
  /** What an earlier answer gave: goes on after it, with older ones. A trace with fitting spans on both sides of it is found twice. */
  readonly cursor?: string | undefined
}

/** What a trace is about. */
export interface TraceSummary {
  readonly traceId: string
  /** Of its first span. */
  readonly name: string
  readonly service: string
  readonly startUs: number
  /** From the beginning of the earliest to the end of the latest span. */
  readonly durationUs: number
  readonly spanCount: number
  readonly failedCount: number
  /** In alphabetical order. */
  readonly services: readonly string[]
}

/** Newest first, by the latest span that fits. */
export interface FoundTraces {
  readonly traces: readonly TraceSummary[]
  /** Absent: there are no more. */
  readonly cursor: string | undefined
  /** Everything from here on was searched; milliseconds since 1970. */
  readonly searchedFromMs: number
}

/** A trace whole. */
export interface WholeTrace {
  /** By their beginning. */
  readonly spans: readonly StoredSpan[]
  /** True: it has more than 5,000 spans, which are not all here. */
  readonly isTruncated: boolean
}

/** The slowest span within a step of time and a band of durations: what a point of a diagram leads to. */
export interface Exemplar {
  /** The beginning of the step. */
  readonly timeMs: number
  /** Which band: how many of the bounds are at most the duration. */
  readonly band: number
  readonly traceId: string
  readonly durationUs: number
}

/** By time, then by band. */
export interface FoundExemplars {
  readonly exemplars: readonly Exemplar[]
  /** Everything from here on was searched; milliseconds since 1970. */
  readonly searchedFromMs: number
}

interface SpanRowRead {
  readonly trace_id: string
  readonly span_id: string
  readonly parent_id: string | null
  readonly name: string
  readonly kind: number
  readonly service: string
  readonly instance: string
  readonly start_us: number
  readonly duration_us: number
  readonly status: string
  readonly attributes: string | null
  readonly events: string | null
  readonly resource: string | null
}

const TRACE_ID = /^[0-9a-f]{32}$/
const CURSOR = /^(\d{1,16})-([0-9a-f]{32})$/
const LAST_ID = 'f'.repeat(32)
const SPANS_MAX = 5_000
/**
 * Spans of a trace that are further than this from the one that was found are not counted in its summary, nor are those with more spans of all
 * traces in between: so a summary costs as much with a gigabyte as with ten minutes.
 */
const AROUND_US = 3_600_000_000
const AROUND_ROWS = 60_000
const STEPS_MAX = 1_000

/**
 * Finds traces, the newest first.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function findTraces(source: TelemetrySource, query: TraceQuery): Promise<FoundTraces> {
  const span = spanOf(query)
  const limit = limitOf(query.limit, 50, 200)
  const condition = conditionOf(query)
  const cursor = cursorOf(query.cursor)
  const toUs = cursor === undefined ? span.toUs : Math.min(span.toUs, endOf(cursor))
  // Of those of the cursor's microsecond, the ones before it were told.
  const after =
    cursor === undefined ? '' : `having max(start_us) < ${cursor.us} or trace_id > '${cursor.traceId}'`
  const found = new Map<string, number>()
  const traces: TraceSummary[] = []
  const searchedUs = await searchBack(source, 'spans', { fromUs: span.fromUs, toUs }, async (slice) => {
    const rows = await source.database.ask<{ trace_id: string; us: number }>(
      `select trace_id, max(start_us)::double as us from spans
       where start_us >= ${slice.fromUs} and start_us < ${slice.toUs} and ${condition.text}
       group by 1 ${after} order by max(start_us) desc, 1 limit ${limit + found.size}`,
      condition.values,
      STATEMENT_MS,
    )
    const fresh = rows.filter(({ trace_id: traceId }) => !found.has(traceId)).slice(0, limit - found.size)
    for (const { trace_id: traceId, us } of fresh) found.set(traceId, us)
    traces.push(
      ...(await summaries(
        source,
        slice,
        fresh.map(({ trace_id: traceId }) => traceId),
      )),
    )
    return found.size === limit
  })
  const last = found.size === limit ? [...found].at(-1) : undefined
  const [traceId, us] = last ?? [LAST_ID, searchedUs]
  const isComplete = last === undefined && searchedUs <= span.fromUs
  return {
    traces,
    cursor: isComplete ? undefined : `${us}-${traceId}`,
    searchedFromMs: (last?.[1] ?? searchedUs) / 1_000,
  }
}

/** What traces are about that have a span in `slice`. */
async function summaries(
  { database, counts }: TelemetrySource,
  slice: TimeSpan,
  ids: readonly string[],
): Promise<TraceSummary[]> {
  if (ids.length === 0) return []
  const { fromUs, toUs } = counts.spans.around(slice, AROUND_ROWS, AROUND_US)
  const rows = await database.ask<{
    trace_id: string
    name: string
    service: string
    start_us: number
    duration_us: number
    spans: number
    failed: number
    services: string
  }>(
    `select trace_id, coalesce(any_value(name) filter (parent_id is null), arg_min(name, start_us)) as name,
       coalesce(any_value(service) filter (parent_id is null), arg_min(service, start_us)) as service,
       min(start_us)::double as start_us, (max(start_us + duration_us) - min(start_us))::double as duration_us,
       count(*)::double as spans, (count(*) filter (status <> 'ok'))::double as failed,
       string_agg(distinct service, '\n' order by service) as services
     from spans where trace_id in (${ids.map((_, index) => `$${index + 1}`).join(',')})
       and spans.start_us >= ${fromUs} and spans.start_us < ${toUs} group by 1`,
    ids,
    STATEMENT_MS,
  )
  const byId = new Map(rows.map((row) => [row.trace_id, row]))
  return ids.flatMap((traceId) => {
    const row = byId.get(traceId)
    if (row === undefined) return []
    const { name, service, start_us: startUs, duration_us: durationUs, spans, failed, services } = row
    return {
      traceId,
      name,
      service,
      startUs,
      durationUs,
      spanCount: spans,
      failedCount: failed,
      services: services.split('\n'),
    }
  })
}

/**
 * All spans of a trace; none when there is no such trace.
 *
 * @throws FlotillaError `invalid_argument` when `traceId` is no trace id.
 */
export async function readTrace({ database }: TelemetrySource, traceId: string): Promise<WholeTrace> {
  if (!TRACE_ID.test(traceId))
    throw badInput('/traceId', 'A trace id has 32 hexadecimal digits, in lower case.')
  const rows = await database.ask<SpanRowRead>(
    `select * replace (start_us::double as start_us, duration_us::double as duration_us) from spans where trace_id = $1
     order by spans.start_us, span_id limit ${SPANS_MAX + 1}`,
    [traceId],
    STATEMENT_MS,
  )
  return { spans: rows.slice(0, SPANS_MAX).map(spanFrom), isTruncated: rows.length > SPANS_MAX }
}

/**
 * For each step of time and band of durations the slowest span that fits. `boundsMs` grow; n bounds make n + 1 bands.
 *
 * @throws FlotillaError `invalid_argument` for a question that is wrong.
 */
export async function findExemplars(
  source: TelemetrySource,
  query: SpanFilter & { readonly stepMs: number; readonly boundsMs: readonly number[] },
): Promise<FoundExemplars> {
  const span = spanOf(query)
  const stepUs = stepOf(query.stepMs, query, STEPS_MAX) * 1_000
  const { boundsMs } = query
  if (boundsMs.length > 30 || !boundsMs.every(Number.isFinite))
    throw badInput('/boundsMs', 'Bounds must be numbers, at most 30.')
  const band = boundsMs.map((ms) => `(duration_us >= ${Math.trunc(ms * 1_000)})::integer`).join(' + ') || '0'
  const condition = conditionOf(query)
  const slowest = new Map<string, Exemplar>()
  const searchedUs = await searchBack(source, 'spans', span, async (slice) => {
    const rows = await source.database.ask<{
      us: number
      band: number
      trace_id: string
      duration_us: number
    }>(
      `select (start_us // ${stepUs} * ${stepUs})::double as us, (${band})::integer as band,
         arg_max(trace_id, duration_us) as trace_id, max(duration_us)::double as duration_us
       from spans where start_us >= ${slice.fromUs} and start_us < ${slice.toUs} and ${condition.text} group by 1, 2`,
      condition.values,
      STATEMENT_MS,
    )
    for (const { us, band: bandOf, trace_id: traceId, duration_us: durationUs } of rows) {
      const key = `${us}-${bandOf}`
      const known = slowest.get(key)
      if (known === undefined || known.durationUs < durationUs)
        slowest.set(key, { timeMs: us / 1_000, band: bandOf, traceId, durationUs })
    }
    return false
  })
  const exemplars = [...slowest.values()].sort((a, b) => a.timeMs - b.timeMs || a.band - b.band)
  return { exemplars, searchedFromMs: searchedUs / 1_000 }
}

function conditionOf(filter: SpanFilter): { readonly text: string; readonly values: readonly string[] } {
  const values: string[] = []
  const texts: string[] = []
  if (filter.service !== undefined) texts.push(`service = $${values.push(filter.service)}`)
  if (filter.name !== undefined) texts.push(`contains(lower(name), lower($${values.push(filter.name)}))`)
  if (filter.kind !== undefined) texts.push(`kind = ${spanKinds.indexOf(filter.kind)}`)
  if (filter.isFailed) texts.push("status <> 'ok'")
  for (const [ms, comparison] of [
    [filter.durationMsMin, '>='],
    [filter.durationMsMax, '<='],
  ] as const) {
    if (ms === undefined) continue
    if (!Number.isFinite(ms)) throw badInput('/durationMs', 'A duration must be a number.')
    texts.push(`duration_us ${comparison} ${Math.trunc(ms * 1_000)}`)
  }
  const attributes = Object.entries(filter.attributes ?? {})
  if (attributes.length > 5) throw badInput('/attributes', 'At most five attributes.')
  for (const [name, value] of attributes) {
    // A cheap look first: reading JSON costs a microsecond a span.
    const seen = `contains(attributes, $${values.push(JSON.stringify(name))})`
    const path = `$${values.push(`$.${JSON.stringify(name)}`)}`
    texts.push(`(${seen} and (attributes ->> ${path}) = $${values.push(value)})`)
  }
  return { text: texts.length === 0 ? 'true' : texts.join(' and '), values }
}

/** Where the rest begins: where the time ran out all of a microsecond was searched, else there may be more of the last one. */
function endOf({ us, traceId }: { readonly us: number; readonly traceId: string }): number {
  return traceId === LAST_ID ? us : us + 1
}

function cursorOf(text: string | undefined): { readonly us: number; readonly traceId: string } | undefined {
  if (text === undefined) return undefined
  const [, us, traceId] = CURSOR.exec(text) ?? []
  if (us === undefined || traceId === undefined)
    throw badInput('/cursor', 'The cursor is none that an answer gave.')
  return { us: Number(us), traceId }
}

function spanFrom(row: SpanRowRead): StoredSpan {
  return {
    traceId: row.trace_id,
    spanId: row.span_id,
    parentId: row.parent_id ?? undefined,
    name: row.name,
    kind: spanKinds[row.kind] ?? 'internal',
    service: row.service,
    instance: row.instance,
    startUs: row.start_us,
    durationUs: row.duration_us,
    status: row.status,
    attributes: fieldsFrom(row.attributes),
    events: row.events === null ? undefined : JSON.parse(row.events),
    resource: fieldsFrom(row.resource),
  }
}

function fieldsFrom(text: string | null): Fields | undefined {
  return text === null ? undefined : JSON.parse(text)
}
