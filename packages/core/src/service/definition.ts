/**
 * A service as a value: its contract, its settings, its database, and how to open it. Nothing runs until a host
 * opens it, and nothing in it knows where it will run.
 *
 * @module
 */
import type { CallOptions, Calls } from '../contract/calls.ts'
import type { Contract } from '../contract/contract.ts'
import type { EventType } from '../contract/event.ts'
import type { InputOf, Operation, OutputOf, Reasons } from '../contract/operation.ts'
import type { Check, Static, TSchema } from '../contract/schema.ts'
import type { Envelope } from '../events/envelope.ts'
import type { EventLog } from '../events/log.ts'
import type { User } from '../kernel/caller.ts'
import type { Closing } from '../kernel/closing.ts'
import type { CallContext, Criticality, Ports } from '../kernel/context.ts'
import { type ErrorOptions, FlotillaError } from '../kernel/error.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { KeyValue } from '../key-value/key-value.ts'
import type { OnNotify } from '../store/listen.ts'
import type { Session } from '../store/session.ts'
import type { Transaction, TransactionOptions } from '../store/transaction.ts'
import type { Worker } from '../store/worker.ts'
import type { LogFields, Logger } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { OutsidePeer } from '../telemetry/outside-requests.ts'
import type { SpanRecorder } from '../telemetry/spans.ts'
import type { HttpClient } from '../wire/http/http-client.ts'
import type { Settle } from '../wire/wire.ts'

/** What code has at hand while it serves one call, or one turn of a background task. */
export interface Context extends CallContext, Ports {
  /**
   * The user behind the call.
   *
   * @throws FlotillaError `unauthenticated` when there is none.
   */
  readonly user: User
  /** Aborted when the caller gave up or the deadline passed. */
  readonly signal: AbortSignal
  /** The service's own database, within this call's deadline. */
  readonly db: Session
  /** Lines carry the service, the trace and the request. */
  readonly log: Logger
  /** Those of this process: what is counted here, others of its services count in, too. */
  readonly metrics: Metrics
  /** Milliseconds until the deadline, never below 0. */
  remainingMs(): number
  /** Another service's operations. Deadline, trace, user and criticality travel along. */
  call<C extends Contract>(contract: C): Calls<C>
  /**
   * Publishes one of the service's own events within `tx`: it is heard of when `tx` commits, and only then.
   *
   * @throws FlotillaError `internal` when the event is another service's, or `data` is not what its contract says.
   */
  publish<D extends TSchema>(tx: Transaction, type: EventType<D>, data: Static<D>): Promise<void>
}

/** `Context` within one operation: also knows the reasons it may give, and its transaction. */
export interface OperationContext<R extends Reasons = Reasons> extends Context {
  /**
   * The error that refuses with one of the operation's reasons; to be thrown.
   *
   * @param detail for people; default the reason's title.
   */
  fail(
    reason: keyof R & string,
    detail?: string,
    options?: Pick<ErrorOptions, 'data' | 'retryAfterMs'>,
  ): FlotillaError
  /**
   * Runs a command's write transaction; what `work` returns is the command's answer, and the handler must return it.
   *
   * When the caller sent an idempotency key, the answer is stored in the same commit: the effect and the memory of
   * it stand or fall together, and a repeat gets the stored answer. At most once per call.
   */
  commit<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
}

/** An event, its data as this service reads it. */
export interface ReceivedEvent<T = unknown> extends Omit<Envelope, 'data'> {
  readonly data: T
}

/** What a reaction has at hand. */
export interface ReactionContext extends Context {
  /** Commits with the memory that the event was handled. */
  readonly tx: Transaction
}

/** One reaction, its types forgotten; made by `on` and `onAny`. */
export interface Reaction {
  /** The kind of events, all of a service (`orders.*`), or all (`*`). */
  readonly topic: string
  /** Absent: data comes as it was published. */
  readonly type: EventType | undefined
  handle(event: ReceivedEvent, ctx: ReactionContext): Promise<void> | void
}

/** The function that answers an operation. */
export type Handler<O extends Operation> =
  O extends Operation<infer _I, infer _O, infer R, infer K>
    ? K extends 'stream'
      ? (input: InputOf<O>, ctx: OperationContext<R>) => AsyncIterable<OutputOf<O>>
      : (input: InputOf<O>, ctx: OperationContext<R>) => Promise<OutputOf<O>> | OutputOf<O>
    : never

/** One handler for every operation of a contract. */
export type Handlers<C extends Contract> = {
  readonly [K in keyof C['operations']]: Handler<C['operations'][K]>
}

/** What a service is given when it is opened. */
export interface ServiceRuntime<Config = unknown> extends Ports {
  /** This instance's name, unique in the system. */
  readonly instance: string
  /** This instance as the service's database knows it. Absent: the service has no database. */
  readonly worker: Worker | undefined
  readonly config: Config
  readonly log: Logger
  readonly metrics: Metrics
  /** Takes the service's spans; calls, statements, events and sagas record theirs by themselves. */
  readonly spans: SpanRecorder
  /** Whether a trace that begins here and now is to be recorded whole: for a gateway. */
  readonly isSampled: () => boolean
  /** Whatever the service opens, it defers the closing of here. */
  readonly closing: Closing
  /**
   * Runs `task` again and again, `intervalMs` (± 10 %) after the previous turn ended, until the service closes. A failed
   * turn is logged and counted. `intervalMs` also bounds each turn, at least 30 s. Returns what starts the next turn at once.
   */
  every(name: string, intervalMs: number, task: (ctx: Context) => Promise<void>): () => void
  /**
   * Is told of notifications on a channel of the service's own database until the service closes: see `store/listen.ts`.
   *
   * @throws FlotillaError `internal` when the service has no database.
   */
  listen(channel: string, onNotify: OnNotify): void
  /**
   * Takes part in a group of consumers of the event log beside the service's own, which begins at position 0, until it
   * is closed. `react` gets events, in their order, in the transaction that moves the group's positions past them. In an app
   * without an event log nothing comes.
   *
   * @throws FlotillaError `internal` when the service has no database.
   */
  join(
    group: string,
    topics: readonly string[],
    react: (events: readonly Envelope[], tx: Transaction) => Promise<void>,
  ): { close(): Promise<void> }
  /**
   * Calls `apply` with what the operator's policy file says in the section with this service's name, now and after each change; with
   * undefined when it says nothing. It has passed the checks of `policies`.
   */
  followPolicies(apply: (policies: unknown) => void): void
  /**
   * The event log, for who must hear of everything in every instance, and keeps no position: see `join` and reactions for all others.
   * Absent: the app has none.
   */
  readonly eventLog: EventLog | undefined
  /** Outside HTTP. */
  readonly http: HttpClient
  /** What counts requests to the server of a URL; to be told of those that are not made by `http`. */
  outsidePeer(url: string): OutsidePeer
  /** What instances of this service share beside its database. */
  readonly keyValue: KeyValue
  /** How many instances of this service there are, this one among them; 1 where there is no registry. */
  readonly instances: () => number
  /** True once the host takes no new work. */
  readonly isDraining: () => boolean
  /**
   * What to answer somebody who asks otherwise than by a call, where the process is too late for work of that class; undefined:
   * let it in. For a gateway, whose requests pass no admission.
   */
  readonly refusal: (criticality: Criticality) => FlotillaError | undefined
  /** An operation to be called without types: for a gateway, which passes on what others ask and answer. */
  outgoing(operation: Operation): PassOn
  /** Runs `work` once on the service's own behalf, for at most `timeoutMs`; for what has to be there before the service is ready. */
  run<T>(name: string, timeoutMs: number, work: (ctx: Context) => Promise<T>, origin?: Origin): Promise<T>
}

/** What work on a service's own behalf goes back to. */
export interface Origin {
  /** The span it runs in, which somebody else records. Default: one of its own. */
  readonly trace?: TraceContext
  /** What its own span is below: that of whoever asked the service's own server, if they are to be believed. Default: it begins a trace. */
  readonly parent?: TraceContext | undefined
  /** Default `sheddable_plus`: nobody is waiting. */
  readonly criticality?: Criticality
}

/** Makes calls on behalf of callers outside. */
export interface PassOn {
  /** `context.caller` is the outside caller; the output is wanted as JSON where it is at hand. */
  call(input: unknown, context: CallContext, options: CallOptions, settle: Settle): void
  stream(input: unknown, context: CallContext, options: CallOptions): AsyncIterable<unknown>
}

/** What `defineService` takes. */
export interface ServiceSpec<C extends Contract, S extends TSchema> {
  readonly contract: C
  /** Settings, read from environment variables named `<SERVICE>_<FIELD>` in upper snake case. Absent: none. */
  readonly config?: S
  /** Absent: the service keeps nothing. */
  readonly database?: DatabaseSpec
  /** Contracts of the services it calls. Tells the order of starting, and what a placement needs. */
  readonly calls?: readonly Contract[]
  /** What it does when something happened. Its instances share the work: for each event, one of them reacts. */
  readonly reactions?: readonly Reaction[]
  /** What the operator may say to it in the policy file, in the section with its name. Absent: nothing. */
  readonly policies?: OwnPolicySection
  /** Prepares the service and gives its handlers. It is ready when this resolves. */
  open(runtime: ServiceRuntime<Static<S>>): Handlers<C> | Promise<Handlers<C>>
  /** Puts first data into an empty database. Must do nothing when run again. */
  seed?(ctx: Context, config: Static<S>): Promise<void>
}

/** What a service takes from the policy file. */
export interface OwnPolicySection {
  readonly check: Check
  /** Mistakes that a schema cannot see, each as `pointer: what is wrong`; `folder` is that of the file. Default none. */
  readonly mistakesIn?: (value: unknown, folder: string) => readonly string[] | Promise<readonly string[]>
}

/** A service's database. */
export interface DatabaseSpec {
  /** Folder of its migrations, relative to the app's folder; a URL for a service that is no part of the app. */
  readonly migrations: string | URL
  /** PostgreSQL extensions it needs. */
  readonly extensions?: readonly string[]
}

/** A service, its types forgotten: what hosts handle. */
export interface Service {
  readonly contract: Contract
  readonly config: TSchema | undefined
  readonly database: DatabaseSpec | undefined
  readonly calls: readonly Contract[]
  readonly reactions: readonly Reaction[]
  readonly policies: OwnPolicySection | undefined
  open(runtime: ServiceRuntime): Promise<Readonly<Record<string, AnyHandler>>>
  readonly seed: ((ctx: Context, config: unknown) => Promise<void>) | undefined
}

/** A handler, its types forgotten. */
export type AnyHandler = (input: unknown, ctx: OperationContext) => unknown

/**
 * Declares a service; `open` is checked against the contract by the compiler.
 *
 * @throws FlotillaError `invalid_argument` when it reacts to events and has no database to remember them in.
 */
export function defineService<C extends Contract, S extends TSchema = TSchema>(
  spec: ServiceSpec<C, S>,
): Service {
  if (spec.reactions !== undefined && spec.database === undefined) {
    throw new FlotillaError(
      'invalid_argument',
      `Service ${spec.contract.name} reacts to events, so it needs a database.`,
    )
  }
  return {
    contract: spec.contract,
    config: spec.config,
    database: spec.database,
    calls: spec.calls ?? [],
    reactions: spec.reactions ?? [],
    policies: spec.policies,
    // The types hold by the check of `spec`; from here on only the contract's schemas speak.
    open: async (runtime) =>
      (await spec.open(runtime as ServiceRuntime<Static<S>>)) as Record<string, AnyHandler>,
    seed: spec.seed as Service['seed'],
  }
}

/** Where the lines of one call go, with the fields that find them again. */
export function callFields(context: CallContext): LogFields {
  const { traceId, spanId } = context.trace
  return { trace_id: traceId, span_id: spanId, request_id: context.requestId ?? traceId }
}
