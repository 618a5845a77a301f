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
import type { EventLog } from './log.ts'

const BATCH_MAX = 500
/** In which an owner looks without being woken, and the others try to become owner. */
const LOOK_MS = 500
const TURN_MS_MAX = 20_000

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
  /** Set to the number of events that the last look left waiting; 0 when the outbox is empty. */
  readonly waiting: Gauge
  /** Tells the instance that owns the relay, when it is not this one, that there is something to send. */
  readonly tellOwner: () => void
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

  /** Ends after the batch that is on its way, and lets another instance go on. */
  async close(): Promise<void> {
    await this.#ticker.close()
    if (this.#fencing === undefined) return
    const { worker } = this.#options
    await this.#session().execute(
      sql`update flotilla.relay set owner = null where owner = ${worker.id} and fencing = ${this.#fencing}`,
    )
  }

  async #turn(): Promise<void> {
    const session = this.#session()
    this.#fencing ??= await this.#claim(session)
    if (this.#fencing === undefined) return
    try {
      while (!this.#ticker.isClosing && (await this.#sendBatch(session, this.#fencing))) {
        // On to the next one.
      }
    } catch (error) {
      if (!isFencedOff(error)) throw error
      this.#fencing = undefined
    }
  }

  async #claim(session: Session): Promise<number | undefined> {
    const { worker } = this.#options
    const row = await session.maybe<{ fencing: number }>(sql`
      update flotilla.relay set owner = ${worker.id}, fencing = fencing + 1
      where ${workerIsDead(sql`owner`)}
      returning fencing`)
    return row?.fencing
  }

  /** Sends what there is, up to a batch; true when there may be more. */
  async #sendBatch(session: Session, fencing: number): Promise<boolean> {
    const { service, eventLog, worker, relayed, waiting } = this.#options
    const rows = await session.many<{ id: number; event: Envelope }>(
      sql`select id, event from flotilla.outbox order by id limit ${BATCH_MAX}`,
    )
    waiting.set(rows.length)
    if (rows.length === 0) return false
    crashpoint('relay.before-append', service)
    await eventLog.append(
      service,
      fencing,
      rows.map(({ event }) => event),
    )
    crashpoint('relay.after-append', service)
    const deleted = await session.execute(sql`
      delete from flotilla.outbox where id = any(${rows.map(({ id }) => id)}::bigint[])
        and exists (select from flotilla.relay where owner = ${worker.id} and fencing = ${fencing})`)
    if (deleted === 0)
      throw new FlotillaError('aborted', 'Another instance relays now.', { reason: 'fenced' })
    crashpoint('relay.after-delete', service)
    relayed.add(deleted)
    waiting.set(rows.length - deleted)
    return rows.length === BATCH_MAX
  }

  #session(): Session {
    const { database, ports } = this.#options
    const deadlineMs = ports.clock.monotonicMs() + TURN_MS_MAX
    return database.session({ deadlineMs, cancellation: new Cancellation() })
  }
}

/** The log or our own database says that another instance owns the relay. */
function isFencedOff(error: unknown): boolean {
  return isFlotillaError(error) && error.reason === 'fenced'
}
