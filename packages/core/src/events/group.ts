/**
 * A group of consumers: the instances of a service, which share out the partitions of the log among themselves and react to
 * every event of their topics once.
 *
 * Everything the group knows is in the service's own database, so that it changes together with what reactions do there:
 *
 * - **Sharing out.** Every half second each instance looks how many are alive and takes free partitions (of nobody, or of a dead
 *   owner) up to its fair share, or lets go of what is beyond it. Taking one draws a new fencing number.
 * - **A batch** of events is handled in one transaction: it moves the positions of the instance's partitions (refused if one
 *   of them is not ours any more: owner and fencing number are checked by the same statement), notes the events in the inbox,
 *   and runs the reactions, one after the other. So an event's effects and the memory of it are one, and an
 *   instance that was stopped and wakes up cannot do anything that another one did already.
 * - **An event that fails** takes its batch down. Then the events of the batch are handled one by one, each in a transaction of
 *   its own, and the one that goes on failing after a few quick attempts is *parked* with its error. Later events of its key are
 *   parked behind it; all others go on.
 * - **Parked events** are tried again, in order within each key, with growing pauses (see `retries.ts`).
 *
 * @module
 */
import { Cancellation } from '../kernel/cancellation.ts'
import { parseIsoTime } from '../kernel/clock.ts'
import type { Ports } from '../kernel/context.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { Ticker } from '../kernel/ticker.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import type { Database } from '../store/database.ts'
import { isConnectionLost } from '../store/pg-errors.ts'
import type { Session } from '../store/session.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Worker } from '../store/worker.ts'
import type { LogFields, Logger } from '../telemetry/log.ts'
import type { Envelope } from './envelope.ts'
import { notYetHandled, park, parkedKeys, pruneInbox } from './inbox.ts'
import type { Batch, EventLog, LoggedEvent } from './log.ts'
import { type Assignment, isFenced, Share } from './partitions.ts'
import { retryParked } from './retries.ts'

/** What a group is made of. */
export interface GroupOptions {
  readonly name: string
  readonly topics: readonly string[]
  /** Reacts, within the transaction. Rejects: the event could not be handled. */
  readonly react: (event: Envelope, tx: Transaction) => Promise<void>
  readonly database: Database
  readonly worker: Worker
  readonly eventLog: EventLog
  readonly ports: Ports
  readonly log: Logger
  readonly metrics: GroupMetrics
}

/** What is told of a group. */
export interface GroupMetrics {
  /** Milliseconds from the publishing of an event to the commit of its reactions, at each event. */
  handled(delayMs: number): void
  parked(): void
  dead(): void
  /** Positions between the last event handled and the end of the log. */
  lag(positions: number): void
}

const BALANCE_MS = 500
const RETRY_MS = 500
const LAG_MS = 5_000
const PRUNE_MS = 600_000
const BATCH_MS_MAX = 20_000
/** Quick attempts at an event before it is parked. */
const ATTEMPTS_MAX = 3
const PAUSE = { baseMs: 50, capMs: 400 }
/** Between attempts to reach the log, or a database that is away. */
const RECONNECT = { baseMs: 50, capMs: 1_000 }
/** Positions that only pass events over are written no more often than this. */
const IDLE_WRITE_MS = 5_000

/** One instance's part in a group. */
export class Group {
  readonly #options: GroupOptions
  readonly #share: Share
  readonly #tickers: readonly Ticker[]
  readonly #stop = new AbortController()
  /** Ends the following that is going on, because our partitions changed. */
  #change = new AbortController()
  readonly #running: Promise<void>
  #failures = 0
  /** Of the last batch. */
  #upTo = 0
  #passedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: GroupOptions) {
    this.#options = options
    this.#share = new Share(options.name, options.worker)
    this.#tickers = [
      this.#every(BALANCE_MS, 'share out its partitions', async () => {
        if (await this.#share.balance(this.#session())) this.#change.abort()
      }),
      this.#every(RETRY_MS, 'try parked events again', () => this.#retry()),
      this.#every(LAG_MS, 'see how far it is behind', async () => {
        const { position } = await options.eventLog.head()
        options.metrics.lag(this.#share.assignment === undefined ? 0 : Math.max(0, position - this.#upTo))
      }),
      this.#every(PRUNE_MS, 'prune its inbox', async () => {
        await pruneInbox(this.#session())
      }),
    ]
    this.#running = this.#run()
  }

  /** Ends after the batch that is being handled, and lets others go on. */
  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all([this.#running, ...this.#tickers.map((ticker) => ticker.close())])
    await this.#share.leave(this.#session())
  }

  #every(intervalMs: number, what: string, turn: () => Promise<void>): Ticker {
    const { ports, log, name } = this.#options
    return new Ticker({
      clock: ports.clock,
      random: ports.random,
      intervalMs,
      turn,
      onError: (error) => log.warn(`group ${name} cannot ${what}`, { error }),
    })
  }

  async #run(): Promise<void> {
    const { ports, log, name } = this.#options
    while (!this.#stop.signal.aborted) {
      const change = new AbortController()
      this.#change = change
      const signal = AbortSignal.any([this.#stop.signal, change.signal])
      const { assignment } = this.#share
      try {
        if (assignment === undefined) await ports.clock.sleep(BALANCE_MS, signal)
        else await this.#follow(assignment, signal)
      } catch (error) {
        if (signal.aborted) continue
        if (!isFenced(error) && this.#failures++ === 0) {
          log.warn(`group ${name} cannot go on; trying again`, { error })
        }
        // What is ours, and how far it is, may be other than we think.
        await this.#recover()
      }
    }
  }

  async #recover(): Promise<void> {
    const { ports } = this.#options
    const pauseMs = fullJitterMs(ports.random, Math.min(10, this.#failures), RECONNECT)
    try {
      await ports.clock.sleep(pauseMs, this.#stop.signal)
      await this.#share.balance(this.#session())
    } catch {
      // Stopped, or the database is away still: the loop finds out, and the ticker that balances tells.
    }
  }

  async #follow(assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { eventLog, topics, log, name } = this.#options
    const { positions } = assignment
    for await (const batch of eventLog.follow({ topics, positions }, signal)) {
      if (batch.events.length > 0) await this.#take(assignment, batch)
      else await this.#pass(assignment, batch.upTo)
      if (this.#failures > 0) log.info(`group ${name} goes on`)
      this.#failures = 0
      this.#upTo = batch.upTo
      if (signal.aborted) return
    }
  }

  async #take(assignment: Assignment, { events, upTo }: Batch): Promise<void> {
    try {
      await this.#session().transaction((tx) => this.#handle(tx, assignment, events, upTo))
      crashpoint('group.after-commit', this.#options.name)
      this.#told(events)
    } catch (error) {
      if (isFenced(error) || isConnectionLost(error)) throw error
      for (const logged of events) await this.#handleAlone(assignment, logged)
    }
  }

  /** Nothing there for us up to `upTo`. */
  async #pass(assignment: Assignment, upTo: number): Promise<void> {
    const nowMs = this.#options.ports.clock.monotonicMs()
    if (nowMs - this.#passedAtMs < IDLE_WRITE_MS) return
    await this.#session().transaction((tx) => assignment.move(tx, upTo))
    this.#passedAtMs = nowMs
  }

  async #handle(
    tx: Transaction,
    assignment: Assignment,
    events: readonly LoggedEvent[],
    upTo: number,
  ): Promise<void> {
    const { name, react } = this.#options
    await assignment.move(tx, upTo)
    const fresh = await notYetHandled(tx, name, events)
    const parked = await parkedKeys(tx, name, fresh)
    for (const logged of fresh) {
      if (parked.has(logged.event.key)) await park(tx, name, logged, undefined)
      else await react(logged.event, tx)
    }
    crashpoint('group.before-commit', name)
  }

  /** In a transaction of its own, so that its failure is nobody else's. */
  async #handleAlone(assignment: Assignment, logged: LoggedEvent): Promise<void> {
    const { random, clock } = this.#options.ports
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#session().transaction((tx) => this.#handle(tx, assignment, [logged], logged.position))
        return this.#told([logged])
      } catch (error) {
        if (isFenced(error) || isConnectionLost(error)) throw error
        if (attempt === ATTEMPTS_MAX) return this.#park(assignment, logged, error)
        await clock.sleep(fullJitterMs(random, attempt, PAUSE))
      }
    }
  }

  async #park(assignment: Assignment, logged: LoggedEvent, error: unknown): Promise<void> {
    const { name, log, metrics } = this.#options
    await this.#session().transaction(async (tx) => {
      await assignment.move(tx, logged.position)
      const [fresh] = await notYetHandled(tx, name, [logged])
      if (fresh !== undefined) await park(tx, name, fresh, error)
      crashpoint('parked.before-commit', name)
    })
    crashpoint('parked.after-commit', name)
    metrics.parked()
    log.warn('an event could not be handled and is parked', { ...fieldsOf(logged.event), error })
  }

  async #retry(): Promise<void> {
    const { name, react, ports, log, metrics } = this.#options
    const options = {
      group: name,
      react,
      random: ports.random,
      onDead: (event: Envelope, error: unknown) => {
        metrics.dead()
        log.error('an event could not be handled, and neither can later ones of its key', {
          ...fieldsOf(event),
          error,
        })
      },
    }
    while (!this.#stop.signal.aborted && (await retryParked(this.#session(), options))) {
      // What waited behind those is due now.
    }
  }

  #told(events: readonly LoggedEvent[]): void {
    const { ports, metrics } = this.#options
    const nowMs = ports.clock.now()
    for (const { event } of events) metrics.handled(Math.max(0, nowMs - parseIsoTime(event.time)))
  }

  #session(): Session {
    const { database, ports } = this.#options
    const deadlineMs = ports.clock.monotonicMs() + BATCH_MS_MAX
    return database.session({ deadlineMs, cancellation: new Cancellation() })
  }
}

function fieldsOf({ id, type, key, traceparent }: Envelope): LogFields {
  return { event_id: id, topic: type, key, trace_id: traceparent.split('-')[1] }
}
