/**
 * Telling one follower what it wants, from where it stands to the end and on.
 *
 * A follower near the end is served from the ring; one further back reads the table, piece by piece, until it has caught up
 * with the ring. Either way it gets batches that each say up to where everything was told, which also holds
 * for stretches in which nothing was wanted.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import {
  BATCH_BYTES_MAX,
  BATCH_EVENTS_MAX,
  type Batch,
  type FollowOptions,
  type LoggedEvent,
} from '@flotilla/core/event-log'
import type { Logger } from '@flotilla/core/log'
import { sql } from '@flotilla/core/sql'
import { type EventRow, loggedOf, readHead } from './event-row.ts'
import type { RingEntry } from './ring.ts'
import type { Tail } from './tail.ts'
import type { UseDatabase } from './use-database.ts'
import { Wanted } from './wanted.ts'

/** Positions that one reading of the table looks at, so that it is short though nothing in there be wanted. */
const SCAN_MAX = 10_000
/** So often a follower is told how far the log goes while nothing is for it. */
const TELL_MS = 2_000

/** What following takes. */
export interface FollowParts {
  readonly use: UseDatabase
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  readonly tail: Tail
}

/**
 * As `EventLog.follow`; also ends when the tail is closed.
 *
 * @throws FlotillaError as `EventLog.follow`.
 */
export async function* follow(
  parts: FollowParts,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  const { tail, clock } = parts
  const wanted = new Wanted(options)
  const eventsMax = Math.min(options.limit ?? BATCH_EVENTS_MAX, BATCH_EVENTS_MAX)
  const hasHeartbeat = options.heartbeatMs !== undefined
  const signs = new SignsOfLife(clock, options.heartbeatMs)
  if (wanted.furthest > tail.head) await checkEnd(parts, wanted.furthest)
  let cursor = wanted.from
  while (!signal.aborted && !tail.isClosed) {
    const batch =
      fromRing(tail, cursor, wanted, eventsMax) ?? (await fromTable(parts, cursor, wanted, eventsMax))
    cursor = batch.upTo
    const isAtEnd = cursor >= tail.head
    if (isNews(batch) || signs.isDue(cursor, isAtEnd)) {
      // Whoever relies on hearing of everything must not be told that nothing came when nobody can look.
      if (hasHeartbeat && tail.isFailing) throw unreadable()
      yield hasHeartbeat ? { ...batch, isEnd: isAtEnd } : batch
      signs.gave(cursor)
    } else if (isAtEnd) await tail.news(signal, signs.waitMs(cursor))
  }
}

function isNews({ events, forgottenUpTo }: Batch): boolean {
  return events.length > 0 || forgottenUpTo !== undefined
}

/** When a follower is told how far the log goes though there is nothing that it wants. */
class SignsOfLife {
  readonly #clock: Clock
  readonly #everyMs: number
  /** Also where the follower knows it already. */
  readonly #isAlways: boolean
  /** Where the follower knows itself to be; undefined before the first batch. */
  #told: number | undefined
  #toldMs: number

  constructor(clock: Clock, heartbeatMs: number | undefined) {
    this.#clock = clock
    this.#everyMs = heartbeatMs ?? TELL_MS
    this.#isAlways = heartbeatMs !== undefined
    this.#toldMs = clock.monotonicMs()
  }

  isDue(cursor: number, isAtEnd: boolean): boolean {
    if (this.#told === undefined && isAtEnd) return true
    return this.#isWanted(cursor) && this.#dueMs() <= 0
  }

  /** Until the next one; undefined: it takes news. */
  waitMs(cursor: number): number | undefined {
    return this.#isWanted(cursor) ? this.#dueMs() : undefined
  }

  gave(cursor: number): void {
    this.#told = cursor
    this.#toldMs = this.#clock.monotonicMs()
  }

  #isWanted(cursor: number): boolean {
    return this.#isAlways || this.#told !== cursor
  }

  #dueMs(): number {
    return this.#toldMs + this.#everyMs - this.#clock.monotonicMs()
  }
}

function unreadable(): FlotillaError {
  return new FlotillaError('unavailable', 'The log cannot be read right now.')
}

/** Another instance may know more of the log than this one does yet, so the database decides. */
async function checkEnd({ use }: FollowParts, position: number): Promise<void> {
  const head = await readHead(use)
  if (position <= head.position) return
  const message = `The log ends at ${head.position}; position ${position} is one of another log.`
  throw new FlotillaError('failed_precondition', message, { executed: 'no', reason: 'beyond_end' })
}

function fromRing(tail: Tail, cursor: number, wanted: Wanted, eventsMax: number): Batch | undefined {
  const entries = tail.ring.after(cursor)
  return entries && batchOf(entries, wanted, eventsMax, Math.max(cursor, tail.head))
}

/** As many of `entries` as are wanted and fit; `end`: up to where they are all there is. */
function batchOf(entries: Iterable<RingEntry>, wanted: Wanted, eventsMax: number, end: number): Batch {
  const events: LoggedEvent[] = []
  let total = 0
  for (const { logged, bytes } of entries) {
    if (!wanted.has(logged)) continue
    events.push(logged)
    total += bytes
    if (events.length === eventsMax || total >= BATCH_BYTES_MAX) return { events, upTo: logged.position }
  }
  return { events, upTo: end }
}

interface TableRow extends EventRow {
  readonly floor: number
  readonly bytes: number
}

/** The next piece of the table. What is below the tail's head is there for good, but for what is forgotten. */
async function fromTable(
  { use, tail, log }: FollowParts,
  cursor: number,
  wanted: Wanted,
  eventsMax: number,
): Promise<Batch> {
  const end = Math.min(tail.head, cursor + SCAN_MAX)
  // One statement, so that what was forgotten and what is there are of the same moment.
  const rows = await use((db) =>
    db.many<TableRow>(sql`
      select f.position as floor, e.* from log_floor f left join lateral (
        select position, partition, id, type, version, source, "time", key, correlation_id, causation_id, traceparent,
          data, octet_length(data::text) as bytes, sum(octet_length(data::text)) over (order by position) as total
        from event
        where position > ${cursor} and position <= ${end} and partition = any(${wanted.partitions}::smallint[])
          and (${wanted.isEverything} or type = any(${wanted.types}::text[]) or source = any(${wanted.sources}::text[]))
        order by position limit ${eventsMax}
      ) e on e.total - e.bytes < ${BATCH_BYTES_MAX} order by e.position`),
  )
  const floor = rows[0]?.floor ?? 0
  if (floor > cursor) return skip(log, cursor, floor)
  const found = rows.filter(({ id }) => (id as string | null) !== null)
  const total = found.reduce((sum, { bytes }) => sum + bytes, 0)
  const isAll = found.length < eventsMax && total < BATCH_BYTES_MAX
  return {
    events: found.map(loggedOf).filter((logged) => wanted.has(logged)),
    upTo: isAll ? end : (found.at(-1)?.position ?? end),
  }
}

/** Goes on where the log begins. */
function skip(log: Pick<Logger, 'warn'>, cursor: number, floor: number): Batch {
  // From the beginning means from wherever that is.
  if (cursor > 0)
    log.warn('a follower wants events that are forgotten', { after: cursor, forgottenUpTo: floor })
  return { events: [], upTo: floor, forgottenUpTo: floor }
}
