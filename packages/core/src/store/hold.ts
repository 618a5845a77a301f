/**
 * One call's hold on one connection, from the moment it is lent to the moment it is given back.
 *
 * - **held**: statements run. The call is watched: when it is canceled or its deadline passes, the hold is stopped.
 * - **committing**: COMMIT is on its way. No statement may follow it, and nothing stops it any more, since a canceled
 *   COMMIT is one whose outcome nobody knows; it is waited for until a second after the deadline.
 * - **released**: whoever waited for a statement has its error already. What still runs on the server is canceled, an
 *   open transaction is rolled back, and only then goes the connection back to the pool. If the server cannot be
 *   made to confirm that within a second or so, the connection is broken off instead of being given back.
 *
 * So the server works for nobody who has left, and what was meant for one call cannot hit the next one.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import { isReplyToLose } from '../kernel/crashpoint.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import { type Call, remainingMs, throwIfOver, watchCall } from './call.ts'
import type { Connection } from './connection.ts'
import { isConnectionLost, sqlFailureOf } from './pg-errors.ts'
import { settlesWithin } from './settles-within.ts'
import type { Result, Statement } from './statement.ts'

/** How long a commit may take beyond the deadline: to know is better than to be on time. */
const COMMIT_GRACE_MS = 1_000
const ROLLBACK_MS_MAX = 1_000
/** Waits after the first, second … cancel request: 20, 40, 80, 160, 320 ms. */
const CANCEL_TRIES_MAX = 5
const CANCEL_WAIT_MS = 20

/**
 * Told of every statement that ended within the span `trace`; `rows` is undefined when it failed, null when the server counts none.
 * The text has no values in it.
 */
export type OnStatement = (
  text: string,
  trace: TraceContext,
  startMs: number,
  rows: number | null | undefined,
  error: unknown,
) => void

/** What a hold is made of. */
export interface HoldOptions {
  readonly clock: Clock
  readonly call: Call
  readonly connection: Connection
  /** Gives the connection back, broken or quiet. */
  readonly giveBack: (connection: Connection) => void
  /** Default nobody is told. */
  readonly onStatement?: OnStatement | undefined
}

/** A lent connection under the rules above. */
export class Hold {
  readonly #options: HoldOptions
  /** Rejects when the call is over before the hold is; whoever made the hold then releases it. */
  readonly stopped: Promise<never>
  readonly #unwatch: () => void
  #stop: (error: FlotillaError) => void = () => {}
  #stopError: FlotillaError | undefined
  #isCommitting = false
  #released: Promise<void> | undefined
  #mayBeInTransaction = false

  constructor(options: HoldOptions) {
    this.#options = options
    this.stopped = new Promise((_, reject) => {
      this.#stop = (error) => {
        this.#stopError = error
        reject(error)
      }
    })
    // Mostly nobody is waiting when a call is stopped; the next statement throws the error then.
    this.stopped.catch(() => {})
    this.#unwatch = watchCall(options.clock, options.call, (error) => this.#stop(error))
  }

  /** The span that statements belong to which say nothing else; undefined: none. */
  get trace(): TraceContext | undefined {
    return this.#options.call.trace
  }

  /** Milliseconds the call has left. */
  get remainingMs(): number {
    return remainingMs(this.#options.clock, this.#options.call)
  }

  /**
   * Runs one statement. With an `opening` it is in a transaction, which that begins or which has begun.
   *
   * @throws FlotillaError the call's own as soon as it is over, else as `pg-errors.ts` says.
   */
  async run(statement: Statement): Promise<Result> {
    const { connection, clock, call } = this.#options
    if (this.#stopError !== undefined) throw this.#stopError
    throwIfOver(clock, call, 'maybe')
    if (this.#isCommitting || this.#released !== undefined) {
      throw new FlotillaError('internal', 'The transaction is over already.')
    }
    if (statement.opening !== undefined) this.#mayBeInTransaction = true
    if (!this.#mayBeInTransaction && isReplyToLose(statement.text)) connection.loseReply()
    return this.#told(statement, Promise.race([connection.run(statement), this.stopped]))
  }

  /** What was sent before it comes with it; where something failed, that is told of the last one, which all of them wait for. */
  async #told(statement: Statement, outcome: Promise<Result>): Promise<Result> {
    const { clock, onStatement, call } = this.#options
    const { text, opening = [], trace = call.trace } = statement
    const isTraced = trace !== undefined || opening.some((earlier) => earlier.trace !== undefined)
    if (onStatement === undefined || !isTraced) return outcome
    const startMs = clock.monotonicMs()
    try {
      const result = await outcome
      for (const earlier of opening)
        if (earlier.trace !== undefined) onStatement(earlier.text, earlier.trace, startMs, null, undefined)
      if (trace !== undefined) onStatement(text, trace, startMs, result.rowCount, undefined)
      return result
    } catch (error) {
      if (trace !== undefined) onStatement(text, trace, startMs, undefined, error)
      throw error
    }
  }

  /**
   * Commits, after `last`, in the same round trip: where one of these fails, COMMIT is not run. True when the transaction has
   * taken effect, false when the server rolled it back because a statement in it had failed before.
   *
   * @throws FlotillaError what the server objects to, or the loss of the connection before COMMIT was sent
   *   (nothing has taken effect); `unavailable` when the outcome is not known.
   */
  async commit(last: Pick<Statement, 'opening' | 'onOpeningFailed'> = {}): Promise<boolean> {
    const { connection, clock, call } = this.#options
    if (this.#stopError !== undefined) throw this.#stopError
    throwIfOver(clock, call, 'maybe')
    this.#isCommitting = true
    this.#mayBeInTransaction = true
    if (isReplyToLose('commit')) connection.loseReply()
    // Not raced with `stopped`.
    const committing: Statement = { ...last, text: 'commit' }
    const outcome = this.#told(committing, connection.run(committing))
    if (!(await settlesWithin(clock, outcome, this.remainingMs + COMMIT_GRACE_MS))) {
      connection.destroy()
      throw outcomeUnknown()
    }
    try {
      const { command } = await outcome
      this.#mayBeInTransaction = false
      return command === 'COMMIT'
    } catch (error) {
      const isSent = !(isConnectionLost(error) && error.executed === 'no')
      throw !isSent || (await this.#isDefinite(error)) ? error : outcomeUnknown(error)
    }
  }

  /** Ends the hold, as told above. Never rejects; a second call waits for the first. */
  release(): Promise<void> {
    this.#released ??= this.#windDown()
    return this.#released
  }

  async #windDown(): Promise<void> {
    const { connection, giveBack } = this.#options
    this.#unwatch()
    if (connection.isBusy && !connection.isBroken) await this.#quiet()
    if (this.#mayBeInTransaction && !connection.isBroken) await this.#rollback()
    giveBack(connection)
  }

  /**
   * Cancels until nothing runs. More than once, because a request that arrives between two messages of a statement
   * finds nothing to cancel. One that may still be under way makes the connection unfit for anybody else.
   */
  async #quiet(): Promise<void> {
    const { connection, clock } = this.#options
    for (let tries = 0; tries < CANCEL_TRIES_MAX && connection.isBusy; tries++) {
      if (!(await connection.requestCancel(clock))) return connection.destroy()
      await settlesWithin(clock, connection.idle(), CANCEL_WAIT_MS * 2 ** tries)
    }
    if (connection.isBusy) connection.destroy()
  }

  async #rollback(): Promise<void> {
    const { connection, clock } = this.#options
    const isDone = connection.run({ text: 'rollback' }).then(
      () => true,
      () => false,
    )
    const isInTime = await settlesWithin(clock, isDone, ROLLBACK_MS_MAX)
    if (!isInTime || !(await isDone)) connection.destroy()
  }

  /** An error that COMMIT was answered with is an answer only if the session lives on; else it may be the server's last words. */
  async #isDefinite(error: unknown): Promise<boolean> {
    if (sqlFailureOf(error) === undefined) return false
    await this.#rollback()
    this.#mayBeInTransaction = false
    return !this.#options.connection.isBroken
  }
}

function outcomeUnknown(cause?: unknown): FlotillaError {
  return new FlotillaError(
    'unavailable',
    'The connection to the database was lost during a commit; whether it took effect is not known.',
    { executed: 'maybe', cause },
  )
}
