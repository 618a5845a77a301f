/**
 * The way of rows into the file: they wait in bounded buffers, all that wait are written each second in one commit, and what is too old or
 * too much is removed, oldest first. Whoever brings rows never waits and is never told of a failure: what cannot be written in time is dropped
 * and counted.
 *
 * A batch that could not be written (the disk is full, say) is tried again, before anything newer; a file that keeps failing is opened anew.
 *
 * @module
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Timer } from '@flotilla/core/clock'
import { RecentSamples } from './recent-samples.ts'
import { removeOld, removeSeries } from './retention.ts'
import { RowCounts } from './row-counts.ts'
import {
  lineRow,
  type StoredLine,
  type StoredSample,
  type StoredSpan,
  spanRow,
  type WaitingRow,
} from './rows.ts'
import { SeriesIndex } from './series-index.ts'
import {
  FILE,
  type RowKind,
  rowKinds,
  type TableRows,
  TelemetryDatabase,
  timeColumns,
  WAL,
} from './telemetry-database.ts'
import { WaitingRows } from './waiting-rows.ts'

/** What bounds the store; all optional. */
export interface TelemetryLimits {
  /** Of the file. When it is larger, the oldest tenth of all rows goes. Default 1 GiB. */
  readonly bytesMax?: number | undefined
  /** Older rows go, a hundredth of it later at the latest. Default 7 days. */
  readonly ageMsMax?: number | undefined
  /** What the database may hold in memory of the file. Default 96 MB; the process grows by about twice that. */
  readonly memoryBytesMax?: number | undefined
  /** Samples of further series are dropped. Default 20,000. */
  readonly seriesMax?: number | undefined
  /** Rows of a kind that may wait to be written. Default 20,000. */
  readonly waitingRowsMax?: number | undefined
  /** Bytes of them. Default 16 MB. */
  readonly waitingBytesMax?: number | undefined
}

/** What it is made of. */
export interface TelemetryWriterOptions extends TelemetryLimits {
  readonly folder: string
  readonly clock: Clock
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void }
}

const FLUSH_MS = 1_000
const RETAIN_MS = 10_000
/**
 * What is too old is looked for so many times in the time that rows are kept. Once there is any, there is some more each second, and to
 * remove it rewrites parts of the file and reads all samples for which series are left.
 */
const AGE_LOOKS = 100
const ASK_MS = 10_000
const REOPEN_AFTER = 3
const HOUR_US = 3_600_000_000
/** The writer, and what readers need of it. */
export class TelemetryWriter {
  readonly series: SeriesIndex
  readonly recent = new RecentSamples()
  readonly counts = { spans: new RowCounts(), lines: new RowCounts() }
  readonly #options: TelemetryWriterOptions
  readonly #ageUsMax: number
  readonly #bytesMax: number
  readonly #waiting: Readonly<Record<RowKind, WaitingRows<WaitingRow>>>
  readonly #newSeries: WaitingRows<WaitingRow>
  #database: TelemetryDatabase
  /** Taken from the buffers and not yet written. */
  #batch: Readonly<Record<RowKind | 'series', readonly WaitingRow[]>> | undefined
  #flushing: Promise<void> | undefined
  /** What is done each second, as far as it has come. */
  #turning: Promise<void> = Promise.resolve()
  #seq = 0
  #failures = 0
  #retainedMs = 0
  /** When what is too old is looked for again. */
  #ageLookMs = Number.NEGATIVE_INFINITY
  #isClosing = false
  #timer: Timer | undefined

  private constructor(options: TelemetryWriterOptions, database: TelemetryDatabase) {
    const { ageMsMax = 7 * 86_400_000, bytesMax = 2 ** 30, seriesMax = 20_000 } = options
    this.#options = options
    this.#database = database
    this.#ageUsMax = ageMsMax * 1_000
    this.#bytesMax = bytesMax
    this.series = new SeriesIndex(seriesMax)
    const bounds = { rowsMax: options.waitingRowsMax ?? 20_000, bytesMax: options.waitingBytesMax ?? 16e6 }
    const waiting = (): WaitingRows<WaitingRow> => new WaitingRows(bounds)
    this.#waiting = { spans: waiting(), lines: waiting(), samples: waiting() }
    // A series is told once and must not be lost; there are never more than the index allows.
    this.#newSeries = new WaitingRows({
      rowsMax: Number.POSITIVE_INFINITY,
      bytesMax: Number.POSITIVE_INFINITY,
    })
  }

  /**
   * Opens the file and begins.
   *
   * @throws FlotillaError `failed_precondition`, as `TelemetryDatabase.open` says.
   */
  static async open(options: TelemetryWriterOptions): Promise<TelemetryWriter> {
    const writer = new TelemetryWriter(options, await openDatabase(options))
    await writer.#recall()
    writer.#retainedMs = options.clock.monotonicMs()
    writer.#schedule()
    return writer
  }

  /** The file as it is open now. */
  get database(): TelemetryDatabase {
    return this.#database
  }

  /** The place of the newest line in the order of arrival. */
  get newestSeq(): number {
    return this.#seq
  }

  /** Takes spans. */
  takeSpans(spans: readonly StoredSpan[]): void {
    for (const span of spans) this.#take('spans', span.startUs, () => spanRow(span))
  }

  /** Takes lines. */
  takeLines(lines: readonly StoredLine[]): void {
    for (const line of lines) this.#take('lines', line.timeUs, () => lineRow(line, ++this.#seq))
  }

  /** Takes samples. */
  takeSamples(samples: readonly StoredSample[]): void {
    for (const sample of samples) {
      const timeUs = Math.trunc(sample.timeMs * 1_000)
      // Not a number, or without bound: nothing that could be shown.
      if (!Number.isFinite(sample.value)) continue
      this.#take('samples', timeUs, () => {
        const taken = this.series.take(sample)
        if (taken === undefined) return undefined
        const { series, increase, isNew } = taken
        if (isNew) this.#newSeries.push(seriesRow(series, timeUs))
        this.recent.add(timeUs, series.id, sample.value, increase)
        return { cells: [BigInt(timeUs), series.id, sample.value, increase], timeUs, bytes: 100 }
      })
    }
  }

  /** Rows of a kind that were dropped since it was opened, and that wait. */
  buffered(kind: RowKind): { readonly dropped: number; readonly waiting: number } {
    const { dropped, count } = this.#waiting[kind]
    return { dropped, waiting: count + (this.#batch?.[kind].length ?? 0) }
  }

  /** Bytes of the file on the disk. */
  get fileBytes(): number {
    return [FILE, WAL].reduce((sum, name) => sum + bytesOf(join(this.#options.folder, name)), 0)
  }

  /** Writes what waits; afterwards it is found by searches, and survives a kill. Rejects when it could not be written; it is tried again. */
  async flush(): Promise<void> {
    // What came while another flush ran is not part of it.
    await this.#flushing?.catch(() => {
      // Its own caller was told.
    })
    this.#flushing ??= this.#flush().finally(() => {
      this.#flushing = undefined
    })
    await this.#flushing
  }

  /** Removes what is too old, where that was not looked for just now, and the oldest tenth when the file is too large. */
  async retain(): Promise<void> {
    const { clock } = this.#options
    const nowMs = clock.monotonicMs()
    const isAgeLook = nowMs >= this.#ageLookMs
    const before = await removeOld(this.#database, {
      tooOldUs: isAgeLook ? clock.now() * 1_000 - this.#ageUsMax : undefined,
      bytesMax: this.#bytesMax,
      walPath: join(this.#options.folder, WAL),
    })
    if (isAgeLook) this.#ageLookMs = nowMs + this.#ageUsMax / 1_000 / AGE_LOOKS
    if (before === undefined) return
    this.counts.spans.forgetBefore(before)
    this.counts.lines.forgetBefore(before)
    // A series whose first sample still waits has none in the file.
    const isSettled = this.#batch === undefined && this.#newSeries.count === 0
    if (isSettled) await removeSeries(this.#database, this.series)
  }

  /** Writes what waits, and closes the file. */
  async close(): Promise<void> {
    this.#isClosing = true
    this.#timer?.cancel()
    await this.#turning
    await this.flush().catch((error: unknown) => this.#options.log.warn('telemetry is lost', { error }))
    await this.#database.close()
  }

  #take(kind: RowKind, timeUs: number, make: () => WaitingRow | undefined): void {
    const nowUs = this.#options.clock.now() * 1_000
    // The clock of a foreign client may be wrong; what is far off would never be found, or never go.
    const isTimely = timeUs > nowUs - this.#ageUsMax && timeUs < nowUs + HOUR_US
    const row = isTimely ? make() : undefined
    if (row === undefined) this.#waiting[kind].refuse(1)
    else this.#waiting[kind].push(row)
  }

  async #flush(): Promise<void> {
    // One that could not be written comes first; what has come since is to be written, too.
    if (this.#batch !== undefined) await this.#writeBatch()
    await this.#writeBatch()
  }

  async #writeBatch(): Promise<void> {
    const { spans, lines, samples } = this.#waiting
    this.#batch ??= {
      spans: spans.take(),
      lines: lines.take(),
      samples: samples.take(),
      series: this.#newSeries.take(),
    }
    const batch = this.#batch
    const tables = (['series', ...rowKinds] as const)
      .map((table): TableRows => ({ table, rows: batch[table].map(({ cells }) => cells) }))
      .filter(({ rows }) => rows.length > 0)
    if (tables.length > 0) await this.#database.append(tables)
    for (const kind of ['spans', 'lines'] as const) {
      for (const { timeUs } of batch[kind]) this.counts[kind].add(timeUs, 1)
    }
    this.#batch = undefined
  }

  #schedule(): void {
    if (this.#isClosing) return
    this.#timer = this.#options.clock.schedule(FLUSH_MS, () => {
      this.#turning = this.#turn().then(
        () => {
          this.#failures = 0
          this.#schedule()
        },
        async (error: unknown) => {
          await this.#recover(error)
          this.#schedule()
        },
      )
    })
  }

  async #turn(): Promise<void> {
    await this.flush()
    const nowMs = this.#options.clock.monotonicMs()
    if (this.#isClosing || nowMs - this.#retainedMs < RETAIN_MS) return
    this.#retainedMs = nowMs
    await this.retain()
  }

  /** What is open after an error of the disk may refuse everything from then on. */
  async #recover(error: unknown): Promise<void> {
    this.#failures++
    const { log } = this.#options
    if (this.#failures === 1) log.warn('telemetry cannot be written', { error })
    if (this.#failures % REOPEN_AFTER !== 0 || this.#isClosing) return
    try {
      await this.#database.close()
      this.#database = await openDatabase(this.#options)
    } catch (cause) {
      log.warn('the telemetry store cannot be opened again', { error: cause })
    }
  }

  /** What an earlier process wrote. */
  async #recall(): Promise<void> {
    for (const kind of ['spans', 'lines'] as const) {
      const quarters = await this.#ask<{ us: number; n: number }>(
        `select (${timeColumns[kind]} // 15000000 * 15000000)::double as us, count(*)::double as n from ${kind} group by 1`,
      )
      for (const { us, n } of quarters) this.counts[kind].add(us, n)
    }
    const [newest] = await this.#ask<{ seq: number }>(
      'select coalesce(max(seq), 0)::double as seq from lines',
    )
    this.#seq = newest?.seq ?? 0
    const series = await this.#ask<{
      id: number
      name: string
      labels: string
      type: StoredSample['type']
      us: number
      value: number
    }>(
      `select id, name, labels, type, coalesce(us, 0)::double as us, coalesce(value, 0) as value from series left join
       (select series, max(time_us) as us, arg_max(value, time_us) as value from samples group by 1) on series = id`,
    )
    for (const { labels, us, value, ...one } of series) {
      this.series.restore({ ...one, labels: JSON.parse(labels) }, { timeMs: us / 1_000, value })
      this.recent.forgotten(us)
    }
  }

  #ask<Row>(text: string): Promise<Row[]> {
    return this.#database.ask<Row>(text, [], ASK_MS)
  }
}

function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}

function openDatabase(options: TelemetryWriterOptions): Promise<TelemetryDatabase> {
  const { folder, clock, memoryBytesMax = 96e6 } = options
  return TelemetryDatabase.open({ folder, clock, memoryBytesMax })
}

function seriesRow(
  series: { readonly id: number; readonly name: string; readonly labels: unknown; readonly type: string },
  timeUs: number,
): WaitingRow {
  return {
    cells: [series.id, series.name, JSON.stringify(series.labels), series.type],
    timeUs,
    bytes: 100,
  }
}
