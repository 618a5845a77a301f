/**
 * A transaction while it is open. BEGIN goes out with the first statement, so one that never runs a statement costs
 * nothing; what nobody waits for goes out with the next statement, or with COMMIT. So a transaction of which nobody waits for a
 * part is one round trip.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import type { TraceContext } from '../kernel/trace-context.ts'
import type { Hold } from './hold.ts'
import { isConflict, isConnectionLost, sqlFailureOf } from './pg-errors.ts'
import { type Queries, QueryRunner } from './queries.ts'
import type { Sql } from './sql.ts'
import type { OneStatement, Result, Statement } from './statement.ts'

/** Statements that nobody waits for go out without another one when there are so many of them. */
const SENT_MAX = 64
const IN_FAILED_TRANSACTION = '25P02'

/** How a transaction sees the others. */
export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** True refuses writes. Default false. */
  readonly isReadOnly?: boolean
}

/** What `work` gets. Statements run one after the other, also when not awaited one by one; no transaction inside it. */
export interface Transaction extends Queries {
  /** The span that statements belong to from now on. Undefined: that of the call whose transaction it is, if it has one. */
  trace: TraceContext | undefined
  /**
   * Sends a statement whose result nobody needs, and does not wait for it: it travels with the next one, or with the commit. When
   * it fails, so does the transaction, with this statement's error.
   *
   * @throws FlotillaError `internal` when the transaction is over.
   */
  send(query: Sql): void
  /**
   * Runs `work` so that, when it throws, only its own statements are undone and the transaction can go on. For one
   * thing at a time: what runs beside it is undone as well.
   */
  savepoint<T>(work: () => Promise<T>): Promise<T>
  /**
   * Has `action` run once the commit is known to have succeeded, before the caller goes on. It does not run when the
   * transaction, or the savepoint it was asked for in, is rolled back, nor when the outcome of the commit is not known: so it
   * is for what only saves somebody a wait. What it throws is logged.
   */
  afterCommit(action: () => void): void
}

/** The transaction on its hold. */
export class OpenTransaction extends QueryRunner implements Transaction {
  readonly #hold: Hold
  readonly #options: TransactionOptions
  #isBegun = false
  #isOver = false
  #failure: unknown
  readonly #actions: (() => void)[] = []
  /** What goes out with the next statement. */
  #waiting: OneStatement[] = []
  /** What has gone out by itself, and nobody waits for. */
  readonly #sent: Promise<void>[] = []
  /**
   * What doomed it, whatever `work` made of it: a serialization failure, a deadlock, the loss of the connection, the failure of a
   * statement that nobody waits for.
   */
  doom: unknown
  trace: TraceContext | undefined

  constructor(hold: Hold, options: TransactionOptions) {
    super()
    this.#hold = hold
    this.#options = options
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    // The same name at every depth: the inner one hides the outer until it is released.
    await this.#run({ text: 'savepoint flotilla' })
    const actionsBefore = this.#actions.length
    try {
      const result = await work()
      await this.#run({ text: 'release savepoint flotilla' })
      return result
    } catch (error) {
      this.#actions.length = actionsBefore
      this.#waiting = []
      await this.#run({ text: 'rollback to savepoint flotilla' })
      await this.#run({ text: 'release savepoint flotilla' })
      const cause = this.doom ?? error
      this.#failure = undefined
      this.doom = undefined
      throw cause
    }
  }

  send(query: Sql): void {
    if (this.#isOver) throw new FlotillaError('internal', 'The transaction is over already.')
    const { text, values, name } = query
    this.#waiting.push({ text, values, name, trace: this.trace ?? this.#hold.trace })
    if (this.#waiting.length === SENT_MAX) this.#flush()
  }

  afterCommit(action: () => void): void {
    this.#actions.push(action)
  }

  /** Nothing can be sent any more. */
  end(): void {
    this.#isOver = true
  }

  /**
   * Commits; gives what is to run after it.
   *
   * @throws FlotillaError as `Hold.commit`; the failure of a statement that `work` did not pass on.
   */
  async commit(): Promise<readonly (() => void)[]> {
    this.#isOver = true
    if (!this.#isBegun && this.#waiting.length === 0) return this.#actions
    try {
      if (await this.#hold.commit(this.#before())) return this.#actions
    } catch (error) {
      throw isOfEarlier(error) ? (this.#failure ?? error) : error
    }
    await Promise.all(this.#sent)
    throw this.#failure ?? new FlotillaError('internal', 'The transaction was ended from inside.')
  }

  #flush(): void {
    const last = this.#waiting.pop() as OneStatement
    const sent = this.#run(last).then(
      () => {},
      (error: unknown) => {
        this.doom ??= error
      },
    )
    this.#sent.push(sent)
  }

  protected run(query: Sql): Promise<Result> {
    return this.#run(query)
  }

  async #run({ text, values, name, trace = this.trace }: OneStatement): Promise<Result> {
    try {
      return await this.#hold.run({ text, values, name, trace, ...this.#before() })
    } catch (error) {
      this.#failure ??= error
      if (isConflict(error) || isConnectionLost(error)) this.doom ??= error
      throw error
    }
  }

  /** What has to go out before the next statement. */
  #before(): Pick<Statement, 'opening' | 'onOpeningFailed'> {
    const opening = this.#isBegun ? this.#waiting : [...this.#begin(), ...this.#waiting]
    if (opening.length === 0) return {}
    this.#isBegun = true
    this.#waiting = []
    const onOpeningFailed = (error: unknown): void => {
      if (!isOfEarlier(error)) this.doom ??= error
    }
    return { opening, onOpeningFailed }
  }

  /** The server enforces the deadline too, for the case that this process is too busy to cancel in time. */
  #begin(): readonly OneStatement[] {
    const { isolation = 'read committed', isReadOnly = false } = this.#options
    return [
      { text: `begin isolation level ${isolation} ${isReadOnly ? 'read only' : 'read write'}` },
      { text: `set local statement_timeout = ${Math.max(1, Math.ceil(this.#hold.remainingMs))}` },
    ]
  }
}

/** The server runs nothing more because an earlier statement of the transaction has failed, of whose failure somebody knows. */
function isOfEarlier(error: unknown): boolean {
  return sqlFailureOf(error)?.sqlState === IN_FAILED_TRANSACTION
}
