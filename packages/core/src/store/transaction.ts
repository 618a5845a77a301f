/**
 * A transaction while it is open. BEGIN goes out with the first statement, so one that never runs a statement costs
 * nothing.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import type { Hold } from './hold.ts'
import { isConflict, isConnectionLost } from './pg-errors.ts'
import { type Queries, QueryRunner } from './queries.ts'
import type { Sql } from './sql.ts'
import type { Result, Statement } from './statement.ts'

/** How a transaction sees the others. */
export interface TransactionOptions {
  /** Default `read committed`. */
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** True refuses writes. Default false. */
  readonly isReadOnly?: boolean
}

/** What `work` gets. Statements run one after the other, also when not awaited one by one; no transaction inside it. */
export interface Transaction extends Queries {
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
  readonly #sent: Promise<void>[] = []
  /**
   * What doomed it, whatever `work` made of it: a serialization failure, a deadlock, the loss of the connection, the failure of a
   * statement that nobody waits for.
   */
  doom: unknown

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
    const sent = this.#run(query).then(
      () => {},
      (error: unknown) => {
        this.doom ??= error
      },
    )
    this.#sent.push(sent)
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
    if (!this.#isBegun || (await this.#hold.commit())) return this.#actions
    await Promise.all(this.#sent)
    throw this.#failure ?? new FlotillaError('internal', 'The transaction was ended from inside.')
  }

  protected run(query: Sql): Promise<Result> {
    return this.#run(query)
  }

  async #run(statement: Statement): Promise<Result> {
    try {
      if (this.#isBegun) return await this.#hold.run(statement)
      this.#isBegun = true
      const { text, values, name } = statement
      return await this.#hold.run({ text, values, name, opening: this.#opening() })
    } catch (error) {
      this.#failure ??= error
      if (isConflict(error) || isConnectionLost(error)) this.doom ??= error
      throw error
    }
  }

  /** The server enforces the deadline too, for the case that this process is too busy to cancel in time. */
  #opening(): readonly string[] {
    const { isolation = 'read committed', isReadOnly = false } = this.#options
    return [
      `begin isolation level ${isolation} ${isReadOnly ? 'read only' : 'read write'}`,
      `set local statement_timeout = ${Math.max(1, Math.ceil(this.#hold.remainingMs))}`,
    ]
  }
}
