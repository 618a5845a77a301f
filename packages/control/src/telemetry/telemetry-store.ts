/**
 * The telemetry store: spans, log lines and samples of the whole system, kept in one file for a while and found again.
 *
 * Whoever brings something never waits and is never told of a failure: rows wait in bounded buffers and are written each second; what is too
 * much is dropped, the oldest first, and counted. Whoever asks gets an answer soon: every question has bounds, and a search that has had its
 * share of time says how far it came. What was written survives a kill.
 *
 * @module
 */
import { type ArrivalQuery, type Arrivals, countAfter, linesAfter } from './log-arrivals.ts'
import type { FoundLines, LogHistogram, LogQuery } from './log-search.ts'
import { countLines, searchLines } from './log-search.ts'
import type { StoredLine, StoredSample, StoredSpan } from './rows.ts'
import { STATEMENT_MS, spanOf, type TelemetrySource, type TimeRange } from './search-back.ts'
import { askSeries, type FoundSeries, type SeriesQuery } from './series-query.ts'
import {
  findOtherServices,
  findServiceCalls,
  type ServiceAnswers,
  type ServiceCalls,
  type ServiceCallsQuery,
} from './service-calls.ts'
import { type RowKind, rowKinds, timeColumns } from './telemetry-database.ts'
import { TelemetryWriter, type TelemetryWriterOptions } from './telemetry-writer.ts'
import {
  type FoundExemplars,
  type FoundTraces,
  findExemplars,
  findTraces,
  readTrace,
  type SpanFilter,
  type TraceQuery,
  type WholeTrace,
} from './trace-search.ts'

/** How the store is. */
export interface TelemetryStats {
  /** Of the file on the disk. */
  readonly fileBytes: number
  readonly seriesCount: number
  readonly kinds: Readonly<Record<RowKind, KindStats>>
}

/** How the rows of one kind are. */
export interface KindStats {
  /** In the file. */
  readonly rows: number
  /** Taken and not yet written. */
  readonly waiting: number
  /** Since the store was opened: because too many waited, or too many series were there, or their time was far off. */
  readonly dropped: number
  /** Milliseconds since 1970; absent when there is none. */
  readonly oldestMs: number | undefined
  readonly newestMs: number | undefined
}

/** The store. All questions throw `invalid_argument` when they are wrong, `resource_exhausted` when too many ask at once. */
export interface TelemetryStore extends AsyncDisposable {
  appendSpans(spans: readonly StoredSpan[]): void
  appendLogs(lines: readonly StoredLine[]): void
  appendSamples(samples: readonly StoredSample[]): void
  findTraces(query: TraceQuery): Promise<FoundTraces>
  /** No spans: there is no such trace, or it has not been written yet. */
  trace(traceId: string): Promise<WholeTrace>
  searchLogs(query: LogQuery): Promise<FoundLines>
  /** Lines in the order of their arrival, those that are written. */
  logsAfter(query: ArrivalQuery & { readonly limit: number }): Promise<Arrivals>
  /** How many such lines there are, and the place of the last line of all. */
  countLogsAfter(query: ArrivalQuery): Promise<{ readonly count: number; readonly seq: number }>
  logHistogram(query: TimeRange & { readonly query: string; readonly stepMs: number }): Promise<LogHistogram>
  series(query: SeriesQuery): Promise<FoundSeries>
  exemplars(
    query: SpanFilter & { readonly stepMs: number; readonly boundsMs: readonly number[] },
  ): Promise<FoundExemplars>
  /** Who asked whom, as spans tell. */
  serviceCalls(query: ServiceCallsQuery): Promise<readonly ServiceCalls[]>
  /** Services that are not known, as far as they sent spans. */
  otherServices(query: ServiceCallsQuery): Promise<readonly ServiceAnswers[]>
  /** Services with the names of their spans, those of a time; at most 1,000 names. */
  spanNames(range: TimeRange): Promise<readonly { readonly service: string; readonly name: string }[]>
  /** All metrics there are. */
  metrics(): readonly {
    readonly name: string
    readonly type: StoredSample['type']
    readonly seriesCount: number
  }[]
  /** Labels of a metric, each with its values; at most 1,000 values a label. */
  labels(metric: string): Readonly<Record<string, readonly string[]>>
  stats(): Promise<TelemetryStats>
  /** The place of the newest line in the order of arrival: what a follower begins after. */
  readonly newestSeq: number
  /** Writes what waits, so that questions find it. Rejects when it could not be written; it is tried again each second. */
  flush(): Promise<void>
  /** Writes what waits, and closes the file. */
  close(): Promise<void>
}

const VALUES_MAX = 1_000

/**
 * Opens the store in a folder of its own, which is made when it is not there.
 *
 * @throws FlotillaError `failed_precondition` when the optional package @duckdb/node-api is not installed, or another process has the file.
 */
export async function openTelemetryStore(options: TelemetryWriterOptions): Promise<TelemetryStore> {
  const writer = await TelemetryWriter.open(options)
  const source = (): TelemetrySource => ({
    database: writer.database,
    clock: options.clock,
    counts: writer.counts,
    series: writer.series,
    recent: writer.recent,
  })
  const close = (): Promise<void> => writer.close()
  return {
    appendSpans: (spans) => writer.takeSpans(spans),
    appendLogs: (lines) => writer.takeLines(lines),
    appendSamples: (samples) => writer.takeSamples(samples),
    findTraces: (query) => findTraces(source(), query),
    trace: (traceId) => readTrace(source(), traceId),
    searchLogs: (query) => searchLines(source(), query),
    logsAfter: (query) => linesAfter(source(), query),
    countLogsAfter: (query) => countAfter(source(), query),
    logHistogram: (query) => countLines(source(), query),
    series: (query) => askSeries(source(), query),
    exemplars: (query) => findExemplars(source(), query),
    serviceCalls: (query) => findServiceCalls(source(), query),
    otherServices: (query) => findOtherServices(source(), query),
    spanNames: (range) => spanNames(source(), range),
    metrics: () => [...writer.series.names()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    labels: (metric) => labelsOf(writer, metric),
    stats: () => statsOf(writer),
    get newestSeq() {
      return writer.newestSeq
    },
    flush: () => writer.flush(),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function spanNames(
  { database }: TelemetrySource,
  range: TimeRange,
): Promise<{ readonly service: string; readonly name: string }[]> {
  const { fromUs, toUs } = spanOf(range)
  return database.ask(
    `select distinct service, name from spans where start_us >= ${fromUs} and start_us < ${toUs} order by 1, 2 limit ${VALUES_MAX}`,
    [],
    STATEMENT_MS,
  )
}

function labelsOf(writer: TelemetryWriter, metric: string): Record<string, readonly string[]> {
  const values = new Map<string, Set<string>>()
  for (const { labels } of writer.series.find(metric, [])) {
    for (const [label, value] of Object.entries(labels)) {
      const known = values.get(label) ?? new Set()
      if (known.size < VALUES_MAX) values.set(label, known.add(value))
    }
  }
  return Object.fromEntries([...values].map(([label, all]) => [label, [...all].sort()]))
}

async function statsOf(writer: TelemetryWriter): Promise<TelemetryStats> {
  const kinds = await Promise.all(
    rowKinds.map(async (kind): Promise<[RowKind, KindStats]> => {
      const time = timeColumns[kind]
      const [row] = await writer.database.ask<{ rows: number; oldest: number | null; newest: number | null }>(
        `select count(*)::double as rows, min(${time})::double as oldest, max(${time})::double as newest from ${kind}`,
        [],
        STATEMENT_MS,
      )
      const inMs = (us: number | null | undefined): number | undefined =>
        us === null || us === undefined ? undefined : us / 1_000
      const stats = { rows: row?.rows ?? 0, oldestMs: inMs(row?.oldest), newestMs: inMs(row?.newest) }
      return [kind, { ...stats, ...writer.buffered(kind) }]
    }),
  )
  const byKind = Object.fromEntries(kinds) as Record<RowKind, KindStats>
  return { fileBytes: writer.fileBytes, seriesCount: writer.series.count, kinds: byKind }
}
