/**
 * Moves a service's events from its outbox to the event log.
 *
 * One instance at a time does it: the owner of the one row of `flotilla.relay`. The others try to become owner every half a
 * second, which works once the owner is dead or gone. Each change of owner draws a new fencing number, and the log refuses what
 * comes under an older one than it has seen: an owner that was stopped, and wakes up after another one took over, can put
 * nothing into the log any more, which would be behind what the other one sent.
 *
 * Events leave in the order of their ids, by *taking what is there*, not by remembering how far we got: ids are given out at the
 * insert and seen at the commit, so a reader that went on from the last id would jump over a smaller one that is committed
 * later. What is there in one snapshot is in order for each key: who wrote the second event of a key had seen the first one
 * committed. A row is deleted when the log has acknowledged it; a crash in between sends it once more, with the same event
 * id, which the consumers' inboxes see through.
 *
 * @module
 */
import { Cancellation } from '../kernel/cancellation.ts'
import type { Ports } from '../kernel/context.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { Ticker } from '../kernel/ticker.ts'
import type { Database } from '../store/database.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import { type Worker, workerIsDead } from '../store/worker.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Counter, Gauge } from '../telemetry/metrics.ts'
import type { Envelope } from './envelope.ts'
import { APPEND_BYTES_MAX, APPEND_EVENTS_MAX, type EventLog } from './log.ts'

/** In which an owner looks without being woken, and the others try to become owner. */
const LOOK_MS = 500
const STATEMENT_MS_MAX = 10_000
const GOODBYE_MS_MAX = 1_000

/** What a relay is made of. */
export interface RelayOptions {
  readonly service: string
  readonly database: Database
  readonly worker: Worker
  readonly eventLog: EventLog
  readonly ports: Ports
  readonly log: Logger
  /** Told how many were sent. */
  readonly relayed: Counter
  /** Set to the number of events that are on their way; at most one batch, 0 when the outbox is empty or another instance's. */
  readonly waiting: Gauge
  /** Tells the instance that owns the relay, when it is not this one, that there is something to send. */
  readonly tellOwner: () => void
}

interface Row {
  readonly id: number
  readonly event: Envelope
}

/** One instance's part in relaying. */
export class Relay {
  readonly #options: RelayOptions
  readonly #ticker: Ticker
  /** Absent: somebody else's turn. */
  #fencing: number | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    const { ports, log } = options
    this.#ticker = new Ticker({
      clock: ports.clock,
      random: ports.random,
      intervalMs: LOOK_MS,
      turn: () => this.#turn(),
      onError: (error) => log.warn('events are waiting to be sent to the log', { error }),
    })
  }

  /** Something was published here. */
  wake(): void {
    if (this.#fencing === undefined) this.#options.tellOwner()
    else this.#ticker.wake()
  }

  /** Something was published somewhere. */
  wakeIfOwner(): void {
    if (this.#fencing !== undefined) this.#ticker.wake()
  }

  /** Ends after the batch that is on its way, and lets another instance go on. Never rejects. */
  async close(): Promise<void> {
    await this.#ticker.close()
    if (this.#fencing === undefined) return
    const { worker, log } = this.#options
    const leave = sql`
      update flotilla.relay set owner = null where owner = ${worker.id} and fencing = ${this.#fencing}`
    await this.#session(GOODBYE_MS_MAX)
      .execute(leave)
      .catch((error: unknown) => {
        log.debug('the relay could not say goodbye; others go on when its worker is dead', { error })
      })
  }

  async #turn(): Promise<void> {
    const { waiting } = this.#options
    this.#fencing ??= await this.#claim()
    if (this.#fencing === undefined) return waiting.set(0)
    try {
      await this.#sendAll(this.#fencing)
    } catch (error) {
      if (!isFencedOff(error)) throw error
      this.#fencing = undefined
    }
  }

  /** Also takes over from ourselves: where the log knows a later number (this database is a restored one), ours must grow. */
  async #claim(): Promise<number | undefined> {
    const { worker } = this.#options
    const row = await this.#session().maybe<{ fencing: number }>(sql`
      update flotilla.relay set owner = ${worker.id}, fencing = fencing + 1
      where owner = ${worker.id} or ${workerIsDead(sql`owner`)}
      returning fencing`)
    return row?.fencing
  }

  async #sendAll(fencing: number): Promise<void> {
    const { service, eventLog, relayed, waiting } = this.#options
    let rows = await this.#next([], fencing)
    waiting.set(rows.length)
    while (rows.length > 0) {
      crashpoint('relay.before-append', service)
      await eventLog.append(
        service,
        fencing,
        rows.map(({ event }) => event),
      )
      crashpoint('relay.after-append', service)
      const sent = rows.length
      rows = await this.#next(rows, fencing)
      crashpoint('relay.after-delete', service)
      relayed.add(sent)
      waiting.set(rows.length)
      if (this.#ticker.isClosing) return
    }
  }

  /**
   * Deletes what the log has acknowledged (`sent`), and finds what is next: as many as one append may hold, but the first one in any
   * case. The deletion does not wait for the disk: what a crash of the server brings back is sent twice, and handled once.
   */
  async #next(sent: readonly Row[], fencing: number): Promise<Row[]> {
    const { worker } = this.#options
    const ids = sent.map(({ id }) => id)
    const found = await this.#session().many<Row | { id: null }>(sql`
      with deleted as (
        delete from flotilla.outbox where id = any(${ids}::bigint[])
          and exists (select from flotilla.relay where owner = ${worker.id} and fencing = ${fencing})
          and (select set_config('synchronous_commit', 'off', true)) is not null
        returning id),
      first as (
        select id, event from flotilla.outbox where id <> all(${ids}::bigint[])
        order by id limit ${APPEND_EVENTS_MAX}),
      sized as (
        select id, event, octet_length(event::text) as bytes, sum(octet_length(event::text)) over (order by id) as total
        from first)
      select next.id, next.event from (select count(*) as count from deleted) as done
      left join (select * from sized where total <= ${APPEND_BYTES_MAX} or total = bytes) as next on true
      where done.count > 0 or ${ids.length === 0} order by next.id`)
    if (found.length === 0) {
      throw new FlotillaError('aborted', 'Another instance relays now.', { reason: 'fenced' })
    }
    return found.filter((row): row is Row => row.id !== null)
  }

  #session(timeoutMs = STATEMENT_MS_MAX): Session {
    const { database, ports } = this.#options
    const deadlineMs = ports.clock.monotonicMs() + timeoutMs
    return database.session({ deadlineMs, cancellation: new Cancellation() })
  }
}

/** The log or our own database says that another instance owns the relay. */
function isFencedOff(error: unknown): boolean {
  return isFlotillaError(error) && error.reason === 'fenced'
}
