/**
 * Gives events their positions.
 *
 * Appends that wait at the same time go into one transaction: while one runs, the next gathers. The transaction, which is one call
 * of the function `append_events_at` in the database, first locks the one row that says where the log ends, and so holds every other
 * transaction of this kind back until it has committed: positions become visible in order, and without gaps, also when
 * several instances of the service append. Only under that lock does it look at the producers' numbers, so that it sees
 * what the one before it has written.
 *
 * A transaction that fails for good is taken apart: each append then has one of its own, so that what is wrong with one
 * append fails that one only.
 *
 * @module
 */
import { codes } from '@flotilla/core/code'
import { crashpoint } from '@flotilla/core/crashpoint'
import type { Envelope } from '@flotilla/core/envelope'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX } from '@flotilla/core/event-log'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import { loggedAs, type WrittenEvent, writtenOf } from './event-row.ts'
import type { RingEntry } from './ring.ts'
import type { UseDatabase } from './use-database.ts'

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

/** Told of what was committed: the position after which it begins, and all of it, in order and without gaps. */
export type OnCommitted = (after: number, entries: readonly RingEntry[]) => void

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
    let ends: readonly (number | null)[]
    crashpoint('log.before-append', 'events')
    try {
      ends = await this.#use((db) => write(db, group))
    } catch (error) {
      if (group.length > 1 && !isPassing(error)) {
        for (const one of group) await this.#commit([one])
      } else for (const { settle } of group) settle(error)
      return
    }
    crashpoint('log.after-append', 'events')
    const accepted = group.filter((_, index) => ends[index] !== null)
    const after = ends.find((end) => end !== null)
    for (const [index, { settle, source }] of group.entries())
      settle(ends[index] === null ? fenced(source) : undefined)
    if (after != null) this.#onCommitted(after, entriesOf(after, accepted))
  }
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

function entriesOf(after: number, accepted: readonly Append[]): RingEntry[] {
  const written = accepted.flatMap(({ events }) => events)
  return written.map((one, index) => ({
    logged: loggedAs(after + 1 + index, one),
    bytes: Buffer.byteLength(one.data),
  }))
}

/** Writes the appends whose producers were not replaced; where the log ended before, for each of these, else null. */
async function write(db: Session, group: readonly Append[]): Promise<readonly (number | null)[]> {
  const events = group.flatMap((append, index) =>
    append.events.map((event) => ({ ...event, append: index + 1 })),
  )
  const column = <T>(of: (written: (typeof events)[number]) => T): T[] => events.map(of)
  const { ends } = await db.one<{ ends: readonly (number | null)[] }>(sql`
    select append_events_at(
      ${group.map(({ source }) => source)},
      ${group.map(({ fencing }) => fencing)},
      ${column(({ append }) => append)},
      ${column(({ partition }) => partition)},
      ${column(({ event }) => event.id)},
      ${column(({ event }) => event.type)},
      ${column(({ event }) => event.version)},
      ${column(({ event }) => event.source)},
      ${column(({ time }) => time)},
      ${column(({ event }) => event.key)},
      ${column(({ event }) => event.correlationId)},
      ${column(({ event }) => event.causationId)},
      ${column(({ event }) => event.traceparent)},
      ${column(({ data }) => data)}
    ) as ends`)
  return ends
}
