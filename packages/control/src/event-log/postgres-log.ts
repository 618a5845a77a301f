/**
 * The event log in a table of PostgreSQL.
 *
 * - `sequencer`: appends, several to a transaction, at positions that become visible in order.
 * - `tail`, `ring`: what is new is read once, for all followers that keep up.
 * - `follow`: what one follower is told.
 *
 * Several instances may serve one log: all they have in common is the database.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import type { Envelope } from '@flotilla/core/envelope'
import type { Batch, EventLog, FollowOptions, Head } from '@flotilla/core/event-log'
import type { Logger } from '@flotilla/core/log'
import { Metrics } from '@flotilla/core/metrics'
import { sql } from '@flotilla/core/sql'
import { readHead } from './event-row.ts'
import { follow } from './follow.ts'
import type { RingLimits } from './ring.ts'
import { Sequencer } from './sequencer.ts'
import { CHANNEL, Tail } from './tail.ts'
import type { UseDatabase } from './use-database.ts'

/** What a log is made of. */
export interface PostgresLogOptions {
  /** The log's database, migrated. */
  readonly use: UseDatabase
  readonly clock: Clock
  readonly log: Pick<Logger, 'warn'>
  /** Unique among the instances of the log. */
  readonly instance: string
  /** As `Database.listen`. */
  readonly listen: (channel: string, onNotify: (payload: string | undefined) => void) => unknown
  /** Default nobody looks. */
  readonly metrics?: Metrics
  /** Default 10,000 events of 16 MiB in all. */
  readonly ring?: RingLimits
}

const RING: RingLimits = { eventsMax: 10_000, bytesMax: 16 * 1024 * 1024 }
/** Rows that are deleted in one transaction. */
const PRUNE_MAX = 5_000

/** An instance of the log. */
export class PostgresLog implements EventLog {
  readonly #options: PostgresLogOptions
  readonly #sequencer: Sequencer
  readonly #tail: Tail
  readonly #followers: { add(by: number): void }

  /** Opens it where the log ends now. */
  static async open(options: PostgresLogOptions): Promise<PostgresLog> {
    const { position } = await readHead(options.use)
    return new PostgresLog(options, position)
  }

  private constructor(options: PostgresLogOptions, head: number) {
    const { use, listen, metrics = new Metrics() } = options
    this.#options = options
    const tail = new Tail(head, { ...options, limits: options.ring ?? RING })
    const appended = metrics.counter('flotilla_events_appended_total', 'Events appended.').with()
    const commits = metrics
      .counter('flotilla_events_commits_total', 'Transactions that appended events.')
      .with()
    const headGauge = metrics.gauge('flotilla_events_head', 'Position of the newest event.').with()
    this.#followers = metrics.gauge('flotilla_events_followers', 'Followers of the event log.').with()
    metrics.onScrape(() => headGauge.set(tail.head))
    this.#tail = tail
    this.#sequencer = new Sequencer(use, (after, entries) => {
      appended.add(entries.length)
      commits.add()
      tail.committed(after, entries)
    })
    listen(CHANNEL, (payload) => tail.notified(payload))
  }

  append(source: string, fencing: number, events: readonly Envelope[]): Promise<void> {
    return this.#sequencer.append(source, fencing, events)
  }

  async *follow(options: FollowOptions, signal: AbortSignal): AsyncGenerator<Batch> {
    this.#followers.add(1)
    try {
      yield* follow({ ...this.#options, tail: this.#tail }, options, signal)
    } finally {
      this.#followers.add(-1)
    }
  }

  head(): Promise<Head> {
    return readHead(this.#options.use)
  }

  /**
   * Forgets events that were appended more than `ageMs` ago, a bounded number of the oldest ones.
   *
   * @returns how many; as long as it is not 0, there may be more.
   */
  async prune(ageMs: number): Promise<number> {
    const { count } = await this.#options.use((db) =>
      db.one<{ count: number }>(sql`
        with oldest as (
          select position, appended_at from event order by position limit ${PRUNE_MAX}
        ), gone as (
          delete from event where position <= (
            select max(position) from oldest where appended_at < now() - make_interval(secs => ${ageMs / 1_000})
          ) returning position
        ), forgotten as (
          update log_floor set position = greatest(position, (select max(position) from gone))
          where exists (select from gone)
        )
        select count(*)::int as count from gone`),
    )
    return count
  }

  /** Followers end; what waits to be appended goes on. */
  close(): void {
    this.#tail.close()
  }
}
