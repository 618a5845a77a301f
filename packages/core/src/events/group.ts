/**
 * A group of consumers: the instances of a service, which share out the partitions of the log among themselves and react to
 * every event of their topics once.
 *
 * Everything the group knows is in the service's own database, so that it changes together with what reactions do there:
 *
 * - **Sharing out.** Every half second each instance looks how many take part and takes free partitions (of nobody, or of a dead
 *   owner) up to its fair share, or lets go of what is beyond it. Taking one draws a new fencing number.
 * - **Handling** a batch of events is one transaction, which only the owner can commit; what fails is parked (see `handling.ts`).
 * - **Parked events** are tried again, in order within each key, with growing pauses (see `retries.ts`).
 * - **A gap**: events that the log had forgotten before the group came to them are said loudly, and kept in mind with its
 *   positions, for whoever must not rely on what was made of the rest.
 *
 * @module
 */
import { Cancellation } from '../kernel/cancellation.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { Ticker } from '../kernel/ticker.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import type { Session } from '../store/session.ts'
import type { GroupOptions } from './group-options.ts'
import { fieldsOf, Handling } from './handling.ts'
import { pruneInbox } from './inbox.ts'
import type { Batch } from './log.ts'
import { type Assignment, isFenced, Share } from './partitions.ts'
import { retryParked } from './retries.ts'

const BALANCE_MS = 500
const RETRY_MS = 1_000
const LAG_MS = 5_000
const PRUNE_MS = 600_000
const WORK_MS_MAX = 10_000
const GOODBYE_MS_MAX = 1_000
/** Between attempts to reach the log, or a database that is away. */
const RECONNECT = { baseMs: 50, capMs: 1_000 }
/** Nobody need know of less: a log that is restarted, or that ends before its followers do. */
const PATIENCE_MS = 5_000
/** Positions that only pass events over are written no more often than this. */
const IDLE_WRITE_MS = 5_000

/** One instance's part in a group. */
export class Group {
  readonly #options: GroupOptions
  readonly #share: Share
  readonly #handling: Handling
  readonly #tickers: readonly Ticker[]
  readonly #stop = new AbortController()
  /** Ends the following that is going on, because our partitions changed. */
  #change = new AbortController()
  readonly #running: Promise<void>
  #failures = 0
  #failingSinceMs = 0
  #isTold = false
  /** Of the last batch. */
  #upTo = 0
  #passedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: GroupOptions) {
    this.#options = options
    this.#share = new Share(options.name, options.worker)
    this.#handling = new Handling(options, this.#stop.signal)
    this.#tickers = [
      this.#every(BALANCE_MS, 'share out its partitions', async () => {
        if (await this.#share.balance(this.#session())) this.#change.abort()
      }),
      this.#every(RETRY_MS, 'try parked events again', () => this.#retry()),
      this.#every(LAG_MS, 'see how far it is behind', () => this.#tellLag()),
      this.#every(PRUNE_MS, 'prune its inbox', async () => {
        while (!this.#stop.signal.aborted && (await pruneInbox(this.#session()))) {
          // There is more.
        }
      }),
    ]
    this.#running = this.#run()
  }

  /** Ends after the transaction that is under way, and lets others go on. Never rejects. */
  async close(): Promise<void> {
    const { log, name } = this.#options
    this.#stop.abort()
    await Promise.all([this.#running, ...this.#tickers.map((ticker) => ticker.close())])
    await this.#share.leave(this.#session(GOODBYE_MS_MAX)).catch((error: unknown) => {
      log.debug(`group ${name} could not say goodbye; others go on when its worker is dead`, { error })
    })
  }

  #every(intervalMs: number, what: string, turn: () => Promise<void>): Ticker {
    const { ports, log, name } = this.#options
    return new Ticker({
      clock: ports.clock,
      random: ports.random,
      intervalMs,
      turn,
      onError: (error) => {
        if (!this.#stop.signal.aborted) log.warn(`group ${name} cannot ${what}`, { error })
      },
    })
  }

  async #run(): Promise<void> {
    const { ports } = this.#options
    while (!this.#stop.signal.aborted) {
      const change = new AbortController()
      this.#change = change
      const signal = AbortSignal.any([this.#stop.signal, change.signal])
      const { assignment } = this.#share
      try {
        if (assignment === undefined) await ports.clock.sleep(BALANCE_MS, signal)
        else await this.#follow(assignment, signal)
        // A log that has no more to tell is closing; another instance of it goes on.
        if (!signal.aborted) await this.#pause()
      } catch (error) {
        if (signal.aborted) continue
        this.#tellFailure(error)
        await this.#recover()
      }
    }
  }

  /** What is ours, and how far it is, may be other than we think. */
  async #recover(): Promise<void> {
    await this.#pause()
    await this.#share.balance(this.#session()).catch(() => {
      // The database is away still: the ticker that balances tells.
    })
  }

  #pause(): Promise<void> {
    const { random, clock } = this.#options.ports
    const pauseMs = fullJitterMs(random, Math.min(10, this.#failures), RECONNECT)
    return clock.sleep(pauseMs, this.#stop.signal).catch(() => {
      // Stopped: the loop looks for itself.
    })
  }

  #tellFailure(error: unknown): void {
    const { log, name, ports } = this.#options
    if (isFenced(error)) return
    const nowMs = ports.clock.monotonicMs()
    if (this.#failures++ === 0) this.#failingSinceMs = nowMs
    // Waiting does not help where the log ends before our position: one of the two was restored.
    const isHopeless = isFlotillaError(error) && error.reason === 'beyond_end'
    if (this.#isTold || (!isHopeless && nowMs - this.#failingSinceMs < PATIENCE_MS)) return
    log[isHopeless ? 'error' : 'warn'](`group ${name} cannot go on; trying again`, { error })
    this.#isTold = true
  }

  #tellSuccess(): void {
    const { log, name } = this.#options
    if (this.#isTold) log.info(`group ${name} goes on`)
    this.#failures = 0
    this.#isTold = false
  }

  async #follow(assignment: Assignment, signal: AbortSignal): Promise<void> {
    const { eventLog, topics } = this.#options
    const { positions } = assignment
    this.#upTo = Math.min(...Object.values(positions))
    for await (const batch of eventLog.follow({ topics, positions }, signal)) {
      if (batch.forgottenUpTo !== undefined) await this.#tellGap(assignment, batch.forgottenUpTo)
      if (batch.events.length > 0) await this.#handling.take(assignment, batch)
      else await this.#pass(assignment, batch)
      this.#tellSuccess()
      this.#upTo = batch.upTo
      if (signal.aborted) return
    }
  }

  /** Nothing there for us. */
  async #pass(assignment: Assignment, { upTo }: Batch): Promise<void> {
    const nowMs = this.#options.ports.clock.monotonicMs()
    if (nowMs - this.#passedAtMs < IDLE_WRITE_MS) return
    await this.#handling.pass(assignment, upTo, null)
    this.#passedAtMs = nowMs
  }

  /** That a new group finds an old log without its beginning is to be expected; that one falls behind so far is not. */
  async #tellGap(assignment: Assignment, forgottenUpTo: number): Promise<void> {
    const { log, name, metrics } = this.#options
    const after = Math.min(...Object.values(assignment.positions))
    await this.#handling.pass(assignment, forgottenUpTo, forgottenUpTo)
    metrics.missed()
    const fields = { after, forgotten_up_to: forgottenUpTo }
    if (after > 0) log.error(`group ${name} has missed events: the log has forgotten them`, fields)
    else log.warn(`group ${name} begins where the log does, which has forgotten what was before`, fields)
  }

  async #tellLag(): Promise<void> {
    const { eventLog, metrics } = this.#options
    if (this.#share.assignment === undefined) return metrics.lag(0)
    const { position } = await eventLog.head()
    metrics.lag(Math.max(0, position - this.#upTo))
  }

  #retry(): Promise<void> {
    const { name, react, ports, log, metrics } = this.#options
    return retryParked({
      group: name,
      react,
      random: ports.random,
      session: () => this.#session(),
      isStopped: () => this.#stop.signal.aborted,
      onDead(event, error) {
        metrics.dead()
        log.error('an event could not be handled, and neither can later ones of its key', {
          ...fieldsOf(event),
          error,
        })
      },
    })
  }

  #session(timeoutMs = WORK_MS_MAX): Session {
    const { database, ports } = this.#options
    const deadlineMs = ports.clock.monotonicMs() + timeoutMs
    return database.session({ deadlineMs, cancellation: new Cancellation() })
  }
}
