/**
 * Gives events their positions.
 *
 * Appends that wait at the same time go into one transaction: while one runs, the next gathers. The transaction first
 * locks the one row that says where the log ends, and so holds every other transaction of this kind back until it has
 * committed: positions become visible in order, and without gaps, also when several instances of the service append. Only
 * under that lock does it look at the producers' numbers, so that it sees what the one before it has written.
 *
 * A transaction that fails for good is taken apart: each append then has one of its own, so that what is wrong with one
 * append fails that one only.
 *
 * @module
 */
import { codes } from '@flotilla/core/code'
import type { Envelope } from '@flotilla/core/envelope'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX } from '@flotilla/core/event-log'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { type WrittenEvent, writtenOf } from './event-row.ts'

/** Uses the log's database for a while, with a deadline of its own. */
export type UseDatabase = <T>(work: (db: Session) => Promise<T>) => Promise<T>

/** Bounds of one transaction; it always has room for one append. */
const GROUP_EVENTS_MAX = 2_000
const GROUP_BYTES_MAX = 4 * 1024 * 1024
/** Appends that may wait. */
const WAITING_MAX = 1_000
const WAITING_BYTES_MAX = 64 * 1024 * 1024

interface Append {
  readonly source: string
  readonly fencing: number
  readonly events: readonly WrittenEvent[]
  readonly bytes: number
  readonly settle: (error?: unknown) => void
}

/** Told of what was committed. */
export type OnCommitted = (events: number) => void

/** The queue in front of the log. */
export class Sequencer {
  readonly #use: UseDatabase
  readonly #onCommitted: OnCommitted
  readonly #waiting: Append[] = []
  #waitingBytes = 0
  #isRunning = false

  constructor(use: UseDatabase, onCommitted: OnCommitted) {
    this.#use = use
    this.#onCommitted = onCommitted
  }

  /** As `EventLog.append`. */
  append(source: string, fencing: number, events: readonly Envelope[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const written = events.map((event) => writtenOf(source, event))
      const bytes = written.reduce((sum, { data }) => sum + Buffer.byteLength(data), 0)
      this.#checkRoom(written.length, bytes)
      const settle = (error?: unknown): void => (error === undefined ? resolve() : reject(error))
      this.#waiting.push({ source, fencing, events: written, bytes, settle })
      this.#waitingBytes += bytes
      if (!this.#isRunning) void this.#run()
    })
  }

  #checkRoom(count: number, bytes: number): void {
    if (count === 0 || count > APPEND_EVENTS_MAX || bytes > APPEND_BYTES_MAX) {
      const message = `An append holds 1 to ${APPEND_EVENTS_MAX} events, of ${APPEND_BYTES_MAX} bytes in all.`
      throw new FlotillaError('invalid_argument', message, { executed: 'no' })
    }
    if (this.#waiting.length >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      throw new FlotillaError('unavailable', 'Too much waits to be appended.', { executed: 'no' })
    }
  }

  /** Never rejects: failures belong to the appends. */
  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.length > 0) await this.#commit(this.#takeGroup())
    this.#isRunning = false
  }

  #takeGroup(): readonly Append[] {
    let [count, events, bytes] = [0, 0, 0]
    for (const append of this.#waiting) {
      events += append.events.length
      bytes += append.bytes
      if (count > 0 && (events > GROUP_EVENTS_MAX || bytes > GROUP_BYTES_MAX)) break
      this.#waitingBytes -= append.bytes
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #commit(group: readonly Append[]): Promise<void> {
    let accepted: ReadonlySet<Append>
    try {
      accepted = await this.#use((db) => db.transaction((tx) => write(tx, group)))
    } catch (error) {
      if (group.length > 1 && !isPassing(error)) {
        for (const one of group) await this.#commit([one])
      } else for (const { settle } of group) settle(error)
      return
    }
    for (const append of group) append.settle(accepted.has(append) ? undefined : fenced(append.source))
    if (accepted.size > 0) this.#onCommitted(eventsOf(accepted).length)
  }
}

function eventsOf(appends: Iterable<Append>): readonly WrittenEvent[] {
  return [...appends].flatMap(({ events }) => events)
}

/** True when the group is not to blame, or it is unknown what became of it: taken apart, it would do no better. */
function isPassing(error: unknown): boolean {
  return isFlotillaError(error) && codes[error.code].isTransient
}

function fenced(source: string): FlotillaError {
  return new FlotillaError('failed_precondition', `A later producer of ${source} has taken over.`, {
    executed: 'no',
    reason: 'fenced',
    status: 409,
  })
}

/** Writes the appends whose producers were not replaced; which they are. */
async function write(tx: Transaction, group: readonly Append[]): Promise<ReadonlySet<Append>> {
  const sources = [...new Set(group.map(({ source }) => source))]
  // Two statements, for one would look at the producers with the eyes of the moment before it got the lock.
  const [{ position }, producers] = await Promise.all([
    tx.one<{ position: number }>(sql`select position from log_head for update`),
    tx.many<{ source: string; fencing: number }>(
      sql`select source, fencing from producer where source = any(${sources}::text[])`,
    ),
  ])
  const newest = new Map(producers.map(({ source, fencing }) => [source, fencing]))
  const accepted = new Set<Append>()
  for (const append of group) {
    if (append.fencing < (newest.get(append.source) ?? 0)) continue
    newest.set(append.source, append.fencing)
    accepted.add(append)
  }
  const events = eventsOf(accepted)
  if (events.length > 0) await insert(tx, position, events, newest)
  return accepted
}

async function insert(
  tx: Transaction,
  position: number,
  events: readonly WrittenEvent[],
  newest: ReadonlyMap<string, number>,
): Promise<void> {
  const column = <T>(of: (written: WrittenEvent) => T): T[] => events.map(of)
  await tx.execute(sql`
    with moved as (
      update log_head set position = position + ${events.length}
    ), known as (
      insert into producer (source, fencing)
      select * from unnest(${[...newest.keys()]}::text[], ${[...newest.values()]}::bigint[])
      on conflict (source) do update set fencing = excluded.fencing where producer.fencing < excluded.fencing
    )
    insert into event (position, partition, id, type, version, source, "time", key, correlation_id, causation_id,
      traceparent, data)
    select ${position}::bigint + e.number, e.partition, e.id, e.type, e.version, e.source, e."time", e.key,
      e.correlation_id, e.causation_id, e.traceparent, e.data::json
    from unnest(
      ${column(({ partition }) => partition)}::smallint[],
      ${column(({ event }) => event.id)}::text[],
      ${column(({ event }) => event.type)}::text[],
      ${column(({ event }) => event.version)}::integer[],
      ${column(({ event }) => event.source)}::text[],
      ${column(({ time }) => time)}::timestamptz[],
      ${column(({ event }) => event.key)}::text[],
      ${column(({ event }) => event.correlationId)}::text[],
      ${column(({ event }) => event.causationId)}::text[],
      ${column(({ event }) => event.traceparent)}::text[],
      ${column(({ data }) => data)}::text[]
    ) with ordinality as e(partition, id, type, version, source, "time", key, correlation_id, causation_id, traceparent,
      data, number)`)
}
