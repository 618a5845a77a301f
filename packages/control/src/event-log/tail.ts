/**
 * The end of the log as this instance knows it, once for all followers, which it wakes when there is something new.
 *
 * What this instance has committed itself need not be read where it follows on what is known. Otherwise it reads: when another
 * instance notifies, and every second all the same, because notifications get lost. The others are notified after the commit, not in it (see `store/listen.ts`), and at
 * most every few milliseconds.
 *
 * @module
 */
import type { Clock, Timer } from '@flotilla/core/clock'
import type { Logger } from '@flotilla/core/log'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import { type EventRow, loggedOf } from './event-row.ts'
import { Ring, type RingEntry, type RingLimits, type Stretch } from './ring.ts'
import type { UseDatabase } from './use-database.ts'

/** The channel on which instances wake each other; the payload names the one that speaks. */
export const CHANNEL = 'event_log'

/** What a tail is made of. */
export interface TailOptions {
  readonly use: UseDatabase
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  /** Unique among the instances of the log. */
  readonly instance: string
  readonly limits: RingLimits
}

const POLL_MS = 1_000
/** Two notifications are so far apart at least. */
const NOTIFY_MS = 5
/** Bounds of one reading. */
const ROWS_MAX = 500
const BYTES_MAX = 4 * 1024 * 1024

interface NewRow extends EventRow {
  readonly bytes: number
}

/** The tail. */
export class Tail {
  readonly ring: Ring
  readonly #options: TailOptions
  readonly #stop = new AbortController()
  readonly #wakeUps = new Set<() => void>()
  #reading: Promise<void> | undefined
  /** True when something may have come since the reading began. */
  #isStale = false
  #isFailing = false
  #notifyTimer: Timer | undefined
  #mayNotifyAtMs = 0

  /** `head`: where the log ended a moment ago. */
  constructor(head: number, options: TailOptions) {
    this.ring = new Ring(head, options.limits)
    this.#options = options
    void this.#poll()
  }

  get head(): number {
    return this.ring.head
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted
  }

  /** True while what is new cannot be read. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** This instance has committed `entries`, which are all there is after `after`, up to the last of them. */
  committed(after: number, entries: readonly RingEntry[]): void {
    if (after === this.head) {
      this.ring.push(after, { entries, upTo: after + entries.length })
      this.#wakeAll()
    } else void this.refresh()
    this.#notifySoon()
  }

  /** Another instance has, or may have: there was an interruption. */
  notified(payload: string | undefined): void {
    if (payload !== this.#options.instance) void this.refresh()
  }

  /** Resolves when all that was committed before the call has been read, or could not be. */
  refresh(): Promise<void> {
    this.#isStale = true
    this.#reading ??= this.#read()
    return this.#reading
  }

  /** Resolves when there is news, after `withinMs` if given, when `signal` aborts, or when the tail is closed. */
  news(signal: AbortSignal, withinMs: number | undefined): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      let timer: Timer | undefined
      const wakeUp = (): void => {
        this.#wakeUps.delete(wakeUp)
        signal.removeEventListener('abort', wakeUp)
        timer?.cancel()
        resolve()
      }
      this.#wakeUps.add(wakeUp)
      signal.addEventListener('abort', wakeUp)
      if (withinMs !== undefined) timer = clock.schedule(Math.max(0, withinMs), wakeUp)
      if (signal.aborted || this.isClosed) wakeUp()
    })
  }

  /** Followers end. */
  close(): void {
    this.#stop.abort()
    this.#notifyTimer?.cancel()
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const wakeUp of [...this.#wakeUps]) wakeUp()
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#options.clock.sleep(POLL_MS, signal).catch(() => {
        // Closed: the loop looks for itself.
      })
      if (!signal.aborted) await this.refresh()
    }
  }

  /** Never rejects: what cannot be read now is read with the next poll. */
  async #read(): Promise<void> {
    try {
      while (this.#isStale && !this.isClosed) {
        this.#isStale = false
        const after = this.head
        const { head, ...stretch } = await this.#options.use((db) => readNew(db, after))
        if (Math.max(stretch.upTo, this.head) < head) this.#isStale = true
        // What we committed meanwhile was added without us.
        if (stretch.upTo === after || this.head !== after) continue
        this.ring.push(after, stretch)
        this.#wakeAll()
      }
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing && !this.isClosed) this.#options.log.warn('cannot read what is new', { error })
      this.#isFailing = true
    } finally {
      // Here and not when the promise has resolved: somebody may want another reading in between.
      this.#reading = undefined
    }
  }

  #notifySoon(): void {
    if (this.#notifyTimer !== undefined || this.isClosed) return
    const { clock, use, instance } = this.#options
    const waitMs = Math.max(0, this.#mayNotifyAtMs - clock.monotonicMs())
    this.#notifyTimer = clock.schedule(waitMs, () => {
      this.#notifyTimer = undefined
      this.#mayNotifyAtMs = clock.monotonicMs() + NOTIFY_MS
      // What wakes need not last: no wait for the disk.
      const notify = sql`select set_config('synchronous_commit', 'off', true), pg_notify(${CHANNEL}, ${instance})`
      use((db) => db.execute(notify)).catch(() => {
        // The others look every second.
      })
    })
  }
}

interface News extends Stretch {
  /** Where the log ends; beyond `upTo` when there is more than one reading may hold. */
  readonly head: number
}

async function readNew(db: Session, after: number): Promise<News> {
  // One statement, so that head and events are of the same moment: where no row is left out, none is missing up to the head.
  const rows = await db.many<NewRow & { readonly head: number }>(sql`
    select h.position as head, e.* from log_head h left join lateral (
      select position, partition, id, type, version, source, "time", key, correlation_id, causation_id, traceparent, data,
        octet_length(data::text) as bytes, sum(octet_length(data::text)) over (order by position) as total
      from event where position > ${after} order by position limit ${ROWS_MAX}
    ) e on e.total - e.bytes < ${BYTES_MAX} order by e.position`)
  const head = rows[0]?.head ?? after
  // Without events the one row is the head's, its other columns null.
  const found = rows.filter(({ id }) => (id as string | null) !== null)
  const entries = found.map((row) => ({ logged: loggedOf(row), bytes: row.bytes }))
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0)
  const isAll = entries.length < ROWS_MAX && total < BYTES_MAX
  return { head, entries, upTo: isAll ? head : (entries.at(-1)?.logged.position ?? head) }
}
