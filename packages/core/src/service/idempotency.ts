/**
 * The memory of commands that were sent with a key.
 *
 * A row per (caller, operation, key) in the service's own database tells what came of it. Life of a row:
 *
 * - **absent → running**: the first call claims it, with a token of its own (a fencing token) and a lease that ends
 *   with the call's deadline and a little reserve.
 * - **running → done**: the answer is stored; with the effect, in one transaction, where there is one. Only the holder of
 *   the token can do it, so a call that was thought dead and comes back late finds its transaction refused.
 * - **running → absent**: the call failed in a way that says nothing about a repeat (overload, time-out): a retry may run.
 * - **running, lease over or instance dead → running** under a new token: a repeat takes over. An instance that only seemed dead
 *   may still be at work; that its transaction is refused is why commands have their effect in `ctx.commit`.
 * - **done → absent**: after a day.
 *
 * A second call meets a row: the same input gets the stored answer, another input is refused, and while the first
 * still runs the second is told to come back.
 *
 * @source https://docs.stripe.com/api/idempotent_requests;
 *   https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
 * @module
 */
import { createHash } from 'node:crypto'
import type { Operation } from '../contract/operation.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { codes } from '../kernel/code.ts'
import type { CallContext, Ports } from '../kernel/context.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { asSeenUpstream, FlotillaError } from '../kernel/error.ts'
import type { Database } from '../store/database.ts'
import { isConnectionLost } from '../store/pg-errors.ts'
import type { Queries } from '../store/queries.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import { workerIsDead } from '../store/worker.ts'
import type { AnyHandler, OperationContext } from './definition.ts'

/** How long answers are kept. */
const KEPT_HOURS = 24
/** A call's lease outlives its deadline by this: clocks differ, and a commit may be on its way. */
const LEASE_RESERVE_MS = 5_000

/** Codes that say nothing about a repeat: who asks, and how busy we are, may be different then. */
const PASSING = new Set(['unauthenticated', 'permission_denied', 'internal', 'unknown', 'canceled'])

/** A stored answer: exactly one of the two. */
type Stored = { readonly output: unknown } | { readonly error: unknown }

interface Row {
  readonly state: 'running' | 'done'
  readonly fingerprint: Uint8Array
  readonly response: Stored | null
}

/** The right to run a command under a key, until its lease ends. */
export class Claim {
  readonly #scope: string
  readonly #key: string
  readonly #token: string
  /** True once the answer is stored. */
  isDone = false

  constructor(scope: string, key: string, token: string) {
    this.#scope = scope
    this.#key = key
    this.#token = token
  }

  /**
   * Stores the answer within the transaction that has the effect.
   *
   * @throws FlotillaError `aborted` when somebody else took over since: the transaction must not commit.
   */
  async complete(queries: Pick<Queries, 'execute'>, answer: Stored): Promise<void> {
    const updated = await queries.execute(sql`
      update flotilla.idempotency set state = 'done', response = ${sql.json(answer)}
      where scope = ${this.#scope} and key = ${this.#key} and fencing = ${this.#token} and state = 'running'`)
    if (updated !== 1) {
      throw new FlotillaError('aborted', 'Another attempt with the same key took over.', { executed: 'no' })
    }
  }

  /** Gives the key free again. */
  async release(queries: Pick<Queries, 'execute'>): Promise<void> {
    await queries.execute(sql`
      delete from flotilla.idempotency
      where scope = ${this.#scope} and key = ${this.#key} and fencing = ${this.#token} and state = 'running'`)
  }
}

/** The context of a call that may run under a key. */
export interface KeyedContext extends OperationContext {
  /** Set while the call runs under its key. */
  claim: Claim | undefined
  /** Set when the answer is a stored one. */
  isReplayed: boolean
  /** What is wrong with an output. */
  mistakeIn(output: unknown): Error | undefined
}

/** The keys of one service. */
export class IdempotencyStore {
  readonly #database: Database
  readonly #ports: Ports
  readonly #workerId: string

  /** @param workerId of this instance. */
  constructor(database: Database, ports: Ports, workerId: string) {
    this.#database = database
    this.#ports = ports
    this.#workerId = workerId
  }

  /**
   * Claims the key of `context` for `operation`, or finds the stored answer.
   *
   * @throws FlotillaError `invalid_argument` (422) when the key was used with another input; `aborted` (409) while
   *   another call with it runs.
   */
  async begin(operation: string, input: unknown, context: CallContext): Promise<Claim | Stored> {
    const key = context.idempotencyKey as string
    const scope = `${principalOf(context)} ${operation}`
    const fingerprint = createHash('sha256').update(canonicalJson(input)).digest()
    const token = this.#ports.newId()
    const leaseMs = Math.ceil(context.deadlineMs - this.#ports.clock.monotonicMs()) + LEASE_RESERVE_MS
    const session = this.#database.session(context)
    const claim = sql`
      insert into flotilla.idempotency as present (scope, key, fingerprint, state, fencing, lease_until, owner)
      values (${scope}, ${key}, ${fingerprint}, 'running', ${token}, now() + ${leaseMs} * interval '1 millisecond',
        ${this.#workerId})
      on conflict (scope, key) do update
        set fencing = excluded.fencing, lease_until = excluded.lease_until, owner = excluded.owner
        where present.state = 'running' and present.fingerprint = excluded.fingerprint
          and (present.lease_until < now() or present.fencing = excluded.fencing
            or present.owner is not null and ${workerIsDead(sql`present.owner`)})`
    const claimed = await session.execute(claim).catch((error: unknown) => {
      // Whether it is ours already is for the token to say.
      if (isConnectionLost(error)) return session.execute(claim)
      throw error
    })
    if (claimed === 1) return new Claim(scope, key, token)
    const row = await session.maybe<Row>(sql`
      select state, fingerprint, response from flotilla.idempotency
      where scope = ${scope} and key = ${key}`)
    if (row !== undefined && !fingerprint.equals(row.fingerprint)) {
      const message = 'This Idempotency-Key was used with another request.'
      throw new FlotillaError('invalid_argument', message, { status: 422, executed: 'no' })
    }
    if (row?.state === 'done' && row.response !== null) return row.response
    // Running, or gone between the two statements: either way the caller should come back.
    throw new FlotillaError('aborted', 'A request with this Idempotency-Key is being processed.', {
      executed: 'no',
      retryAfterMs: 1_000,
    })
  }

  /** For what is left to write when a call is over: the call's own session refuses once it was canceled or ran out of time. */
  sessionAfterwards(): Session {
    const deadlineMs = this.#ports.clock.monotonicMs() + LEASE_RESERVE_MS
    return this.#database.session({ deadlineMs, cancellation: new Cancellation() })
  }

  /** Forgets answers older than a day, a bounded number at a time; returns how many. */
  async prune(context: Pick<CallContext, 'deadlineMs' | 'cancellation'>): Promise<number> {
    return this.#database.session(context).execute(sql`
      delete from flotilla.idempotency where (scope, key) in (
        select scope, key from flotilla.idempotency
        where created_at < now() - ${KEPT_HOURS} * interval '1 hour' limit 10000)`)
  }
}

/**
 * Runs `handler` so that a repeat with the same key gets the same answer.
 *
 * @throws FlotillaError what the handler throws, a stored failure, or what `begin` throws.
 */
export async function runUnderKey(
  keys: IdempotencyStore,
  operation: Operation,
  input: unknown,
  scope: KeyedContext,
  handler: AnyHandler,
): Promise<unknown> {
  const begun = await keys.begin(operation.id, input, scope)
  if (!(begun instanceof Claim)) {
    scope.isReplayed = true
    if ('error' in begun) throw FlotillaError.fromBody(begun.error)
    return begun.output
  }
  scope.claim = begun
  crashpoint('command.after-claim', operation.id)
  try {
    const output = await handler(input, scope)
    const wrong = scope.mistakeIn(output)
    if (wrong !== undefined) throw wrong
    if (!begun.isDone) await begun.complete(scope.db, { output })
    return output
  } catch (error) {
    if (!begun.isDone) await remember(keys, begun, asSeenUpstream(error, operation.reasons), scope)
    throw error
  }
}

/** Whose key it is. A user may be named like a service, so the kind is part of it. */
function principalOf({ caller: { user, service } }: CallContext): string {
  if (user !== undefined) return `user:${user.id}`
  return service === undefined ? 'anonymous' : `service:${service}`
}

/** Stores a lasting failure, or gives the key free for a repeat. If neither works, the lease will end. */
async function remember(
  keys: IdempotencyStore,
  claim: Claim,
  error: FlotillaError,
  scope: KeyedContext,
): Promise<void> {
  const isLasting = !codes[error.code].isTransient && !PASSING.has(error.code)
  try {
    const session = keys.sessionAfterwards()
    if (isLasting) await claim.complete(session, { error: error.toBody() })
    else await claim.release(session)
  } catch (caught) {
    scope.log.warn('the outcome of a keyed command could not be stored', { error: caught })
  }
}

/** JSON with sorted keys: the same input gives the same text, whatever order its fields came in. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}
