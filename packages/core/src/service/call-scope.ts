/**
 * The `Context` of one call or one turn of a background task. Everything that costs something is made when it is
 * first asked for: most calls need two or three of these.
 *
 * @module
 */
import type { Calls } from '../contract/calls.ts'
import type { Contract } from '../contract/contract.ts'
import type { EventType } from '../contract/event.ts'
import type { Static, TSchema } from '../contract/schema.ts'
import type { Outbox } from '../events/outbox.ts'
import type { Caller, User } from '../kernel/caller.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import type { Clock } from '../kernel/clock.ts'
import type { CallContext, Criticality, Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { NewId } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { Database } from '../store/database.ts'
import type { Session } from '../store/session.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Signals, Work } from '../telemetry/active-work.ts'
import type { Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { SpanRecorder } from '../telemetry/spans.ts'
import { type Context, callFields } from './definition.ts'

/** Makes the functions by which `context` calls `contract`; the host's client. */
export type CallsOf = <C extends Contract>(contract: C, context: CallContext) => Calls<C>

/** What all calls of a service share. */
export interface ScopeEnvironment extends Signals {
  readonly service: string
  readonly ports: Ports
  readonly log: Logger
  readonly metrics: Metrics
  readonly spans: SpanRecorder
  readonly database: Database | undefined
  readonly callsOf: CallsOf
  /** Absent: the service has no database to publish from. */
  readonly outbox: Outbox | undefined
}

/** A context. */
export class CallScope implements Context, Work {
  readonly caller: Caller
  readonly deadlineMs: number
  readonly trace: TraceContext
  readonly criticality: Criticality
  readonly requestId: string | undefined
  readonly idempotencyKey: string | undefined
  protected readonly environment: ScopeEnvironment
  #cancellation: Cancellation | undefined
  #stoppedBy: FlotillaError | undefined
  #session: Session | undefined
  #log: Logger | undefined

  constructor(
    environment: ScopeEnvironment,
    caller: Caller,
    deadlineMs: number,
    trace: TraceContext,
    criticality: Criticality,
    requestId: string | undefined,
    idempotencyKey: string | undefined,
  ) {
    this.environment = environment
    this.caller = caller
    this.deadlineMs = deadlineMs
    this.trace = trace
    this.criticality = criticality
    this.requestId = requestId
    this.idempotencyKey = idempotencyKey
  }

  /** Where its signals go. */
  get signals(): Signals {
    return this.environment
  }

  get clock(): Clock {
    return this.environment.ports.clock
  }

  get random(): Random {
    return this.environment.ports.random
  }

  get newId(): NewId {
    return this.environment.ports.newId
  }

  get cancellation(): Cancellation {
    if (this.#cancellation === undefined) {
      this.#cancellation = new Cancellation()
      if (this.#stoppedBy !== undefined) this.#cancellation.cancel(this.#stoppedBy)
    }
    return this.#cancellation
  }

  get signal(): AbortSignal {
    return this.cancellation.signal
  }

  get user(): User {
    const { user } = this.caller
    if (user === undefined) throw new FlotillaError('unauthenticated', 'Please log in.', { executed: 'no' })
    return user
  }

  get db(): Session {
    if (this.#session === undefined) {
      const { database, service } = this.environment
      if (database === undefined)
        throw new FlotillaError('internal', `Service ${service} declares no database.`)
      this.#session = database.session(this)
    }
    return this.#session
  }

  get log(): Logger {
    this.#log ??= this.environment.log.with(callFields(this))
    return this.#log
  }

  get metrics(): Metrics {
    return this.environment.metrics
  }

  remainingMs(): number {
    return Math.max(0, this.deadlineMs - this.clock.monotonicMs())
  }

  call<C extends Contract>(contract: C): Calls<C> {
    return this.environment.callsOf(contract, this)
  }

  async publish<D extends TSchema>(tx: Transaction, type: EventType<D>, data: Static<D>): Promise<void> {
    const { outbox, service, spans } = this.environment
    if (outbox === undefined) throw new FlotillaError('internal', `Service ${service} declares no database.`)
    const correlationId = this.requestId ?? this.trace.traceId
    const trace = this.trace.child(this.random)
    const startMs = this.clock.monotonicMs()
    const { causationId } = this
    await outbox.publish(tx, type, data, { trace, correlationId, causationId })
    // Where consumers go on from. It is recorded though the transaction may still be rolled back: then nobody goes on from it.
    const durationMs = this.clock.monotonicMs() - startMs
    spans.record(`publish ${type.id}`, 'producer', trace, this.trace, startMs, durationMs, 'ok')
  }

  /** The event that is being reacted to; null: none is. */
  protected get causationId(): string | null {
    return null
  }

  get isStopped(): boolean {
    return this.#stoppedBy !== undefined
  }

  /** Stops what is going on for this call. */
  stop(error: FlotillaError): void {
    this.#stoppedBy ??= error
    this.#cancellation?.cancel(error)
  }
}
