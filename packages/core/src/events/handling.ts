/**
 * Handling events for a group: those of a batch in one transaction, which moves the positions of the instance's partitions
 * (refused if one of them is not ours any more), notes the events in the inbox and runs the reactions. So an event's effects
 * and the memory of it are one, and an instance that was stopped and wakes up cannot do anything that another one did
 * already.
 *
 * When the transaction fails, the question is whose fault it was:
 *
 * - **nobody's here**: the partition is another instance's, or the database is away. The events are told again.
 * - **an event's**: which one, the error does not say for certain (a reaction may have swallowed what doomed the
 *   transaction, a constraint may be deferred to the commit). So the events are halved, and each half has its own
 *   transaction, until the one that fails is alone. It is tried once more, and then *parked* with its error; later events
 *   of its key are parked behind it, and all others go on.
 * - **the connection's**, again and again while reactions run: then it is an event that breaks it, and it is looked for in the
 *   same way.
 *
 * How many events go into one transaction follows from how long they take: few at first, twice as many when that was fast.
 *
 * @module
 */
import { Cancellation } from '../kernel/cancellation.ts'
import { parseIsoTime } from '../kernel/clock.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import { isConnectionLost, sqlFailureOf } from '../store/pg-errors.ts'
import type { Transaction } from '../store/transaction.ts'
import type { LogFields } from '../telemetry/log.ts'
import type { Envelope } from './envelope.ts'
import type { GroupOptions } from './group-options.ts'
import { notYetHandled, park, parkedKeys } from './inbox.ts'
import { BATCH_EVENTS_MAX, type Batch, type LoggedEvent } from './log.ts'
import { type Assignment, isFenced } from './partitions.ts'

/** Longest time for one transaction; what is left of it when its events were handled is for the commit. */
const TRANSACTION_MS_MAX = 10_000
/** Events of the first transaction. */
const SIZE_AT_FIRST = 16
/** Transactions that take longer are made smaller, those that take less than half of it larger. */
const SLOW_MS = 500
/** Quick attempts at an event that fails alone, before it is parked. */
const ATTEMPTS_MAX = 2
/** Others wait meanwhile: only failures that come fast are tried again at once. */
const PAUSE = { baseMs: 50, capMs: 100 }
/** Connections lost in a row while reactions ran; from then on it is taken for the doing of an event. */
const LOSSES_MAX = 3

/** Handles an instance's events. */
export class Handling {
  readonly #options: GroupOptions
  readonly #stop: AbortSignal
  #size = SIZE_AT_FIRST
  #losses = 0

  /** When `stop` aborts, what has not begun is left to others. */
  constructor(options: GroupOptions, stop: AbortSignal) {
    this.#options = options
    this.#stop = stop
  }

  /**
   * Handles or parks the events, and moves on to where the batch ends, unless it was stopped before.
   *
   * @throws FlotillaError when nobody here is to blame; events that were not handled will be told again.
   */
  async take(assignment: Assignment, { events, upTo }: Batch): Promise<void> {
    for (let from = 0; from < events.length; ) {
      const some = events.slice(from, from + this.#size)
      from += some.length
      await this.#together(assignment, some, from >= events.length ? upTo : lastOf(some).position)
    }
  }

  /** Moves on without events. */
  async pass(assignment: Assignment, upTo: number, missedUpTo: number | null): Promise<void> {
    await this.#transaction((tx) => assignment.move(tx, upTo, missedUpTo))
  }

  async #together(assignment: Assignment, events: readonly LoggedEvent[], upTo: number): Promise<void> {
    if (this.#stop.aborted) return
    const error = await this.#attempt(assignment, events, upTo)
    if (error === undefined) return
    if (events.length === 1) return this.#tryAlone(assignment, lastOf(events), error)
    const half = events.length >>> 1
    const left = events.slice(0, half)
    await this.#together(assignment, left, lastOf(left).position)
    await this.#together(assignment, events.slice(half), upTo)
  }

  async #tryAlone(assignment: Assignment, logged: LoggedEvent, error: unknown): Promise<void> {
    const { random, clock } = this.#options.ports
    let [attempts, last] = [1, error]
    while (attempts < ATTEMPTS_MAX && !isLate(last)) {
      await clock.sleep(fullJitterMs(random, attempts, PAUSE), this.#stop)
      last = await this.#attempt(assignment, [logged], logged.position)
      if (last === undefined) return
      attempts++
    }
    await this.#park(assignment, logged, { attempts, error: last })
  }

  /**
   * One transaction; what an event did wrong in it, undefined when it is committed.
   *
   * @throws FlotillaError when no event is to blame.
   */
  async #attempt(assignment: Assignment, events: readonly LoggedEvent[], upTo: number): Promise<unknown> {
    const { clock } = this.#options.ports
    const startMs = clock.monotonicMs()
    /** Reactions were run; before that, nothing is an event's fault. */
    let hasBegun = false
    try {
      const handled = await this.#transaction((tx) =>
        this.#handle(tx, assignment, events, upTo, () => {
          hasBegun = true
        }),
      )
      crashpoint('group.after-commit', this.#options.name)
      this.#losses = 0
      this.#told(handled)
      this.#resize(events.length, clock.monotonicMs() - startMs)
      return undefined
    } catch (error) {
      if (!hasBegun || isFenced(error) || this.#stop.aborted) throw error
      if (isOfDatabase(error) && ++this.#losses < LOSSES_MAX) throw error
      this.#resize(events.length, clock.monotonicMs() - startMs)
      return error ?? new Error('A reaction threw undefined.')
    }
  }

  /** Those that were reacted to. The statements before that go out together. */
  async #handle(
    tx: Transaction,
    assignment: Assignment,
    events: readonly LoggedEvent[],
    upTo: number,
    onBegin: () => void,
  ): Promise<readonly Envelope[]> {
    const { name, react } = this.#options
    const [, fresh, parked] = await Promise.all([
      assignment.move(tx, upTo),
      notYetHandled(tx, name, events),
      parkedKeys(tx, name, events),
    ])
    for (const logged of fresh) if (parked.has(logged.event.key)) await park(tx, name, logged)
    const ready = fresh.filter(({ event }) => !parked.has(event.key)).map(({ event }) => event)
    if (ready.length === 0) return ready
    onBegin()
    await react(ready, tx)
    crashpoint('group.before-commit', name)
    return ready
  }

  async #park(
    assignment: Assignment,
    logged: LoggedEvent,
    failure: { readonly attempts: number; readonly error: unknown },
  ): Promise<void> {
    const { name, log, metrics } = this.#options
    await this.#transaction(async (tx) => {
      await assignment.move(tx, logged.position)
      const [fresh] = await notYetHandled(tx, name, [logged])
      if (fresh !== undefined) await park(tx, name, fresh, failure)
      crashpoint('parked.before-commit', name)
    })
    crashpoint('parked.after-commit', name)
    metrics.parked()
    log.warn('an event could not be handled and is parked', {
      ...fieldsOf(logged.event),
      error: failure.error,
    })
  }

  #resize(count: number, tookMs: number): void {
    if (tookMs > SLOW_MS) this.#size = Math.max(1, Math.floor(count / 2))
    else if (tookMs < SLOW_MS / 2 && count === this.#size)
      this.#size = Math.min(BATCH_EVENTS_MAX, this.#size * 2)
  }

  #told(events: readonly Envelope[]): void {
    const { ports, metrics } = this.#options
    const nowMs = ports.clock.now()
    for (const { time } of events) metrics.handled(Math.max(0, nowMs - parseIsoTime(time)))
  }

  #transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const { database, ports } = this.#options
    const deadlineMs = ports.clock.monotonicMs() + TRANSACTION_MS_MAX
    return database.session({ deadlineMs, cancellation: new Cancellation() }).transaction(work)
  }
}

/** By what a line about an event is found again. */
export function fieldsOf({ id, type, key, traceparent }: Envelope): LogFields {
  const [, traceId, spanId] = traceparent.split('-')
  return { event_id: id, topic: type, key, trace_id: traceId, span_id: spanId }
}

function lastOf(events: readonly LoggedEvent[]): LoggedEvent {
  return events[events.length - 1] as LoggedEvent
}

/** The database is away or has no room, or whether it committed is not known. What it objects to in a statement is not meant. */
function isOfDatabase(error: unknown): boolean {
  if (isConnectionLost(error)) return true
  if (!isFlotillaError(error) || error.code !== 'unavailable') return false
  return sqlFailureOf(error) !== undefined || isConnectionLost(error.cause)
}

function isLate(error: unknown): boolean {
  return isFlotillaError(error) && error.code === 'deadline_exceeded'
}
