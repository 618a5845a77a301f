/**
 * The database as one call sees it: statements, and transactions that are run again when a concurrent one got in
 * the way.
 *
 * A lost connection is made good where that is right, within the deadline:
 *
 * - What was not sent is sent on another connection. A transaction whose COMMIT was not sent is undone by the server, so
 *   its work is run again.
 * - A statement by itself that was sent may have run, and may be repeated only if it changes nothing. Whether it does is
 *   for the server to say: it is repeated in a read-only transaction. Where it is refused there, and where it does not
 *   even begin like a query, the call fails with `unavailable`, `executed: 'maybe'`. (A function that writes only
 *   sometimes could tell the two runs apart: it belongs into a transaction.)
 * - A lost COMMIT stays unknown.
 *
 * @module
 */
import type { Ports } from '../kernel/context.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { type Call, remainingMs } from './call.ts'
import type { Hold } from './hold.ts'
import { isConflict, isConnectionLost, sqlFailureOf } from './pg-errors.ts'
import type { LogSink } from './pool.ts'
import { type Queries, QueryRunner } from './queries.ts'
import type { Sql } from './sql.ts'
import type { Result } from './statement.ts'
import { OpenTransaction, type Transaction, type TransactionOptions } from './transaction.ts'

/** Also for lost connections: it may be the statement that brings the server down. */
const ATTEMPTS_MAX = 5
/** Bounds of the wait before the next attempt: up to 10, 20, 40, 80 ms. */
const PAUSE_MS = 10
/** Saves the others a wait for nothing; the server has the last word. */
const BEGINS_LIKE_QUERY = /^\s*(?:select|with|values)\b/i
const READ_ONLY_TRANSACTION = '25006'

/**
 * One call's access. Its deadline bounds every wait; when it is canceled or late, what runs is stopped on the server
 * too, and the methods reject with `canceled` or `deadline_exceeded`.
 */
export interface Session extends Queries {
  /**
   * Runs `work` in a transaction and commits it, or rolls it back when `work` throws. It has its own connection:
   * other methods of the session, used meanwhile, are not part of it.
   *
   * A serialization failure, a deadlock or a connection lost before the commit runs `work` again from the start, up to
   * five times in all, so `work` must have no effects but through its transaction.
   *
   * @throws FlotillaError what `work` throws; `aborted` after five conflicts, or when there is no time for the next
   *   attempt; `unavailable` when the connection was lost as often, or during the commit: it may have taken effect.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T> | T, options?: TransactionOptions): Promise<T>
}

/** What a session is made of. */
export interface SessionOptions {
  readonly ports: Pick<Ports, 'clock' | 'random'>
  readonly call: Call
  readonly hold: (call: Call) => Promise<Hold>
  /** Told of actions after a commit that failed. Default nobody. */
  readonly log?: LogSink | undefined
}

/** A session on holds. */
export class CallSession extends QueryRunner implements Session {
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    super()
    this.#options = options
  }

  async transaction<T>(
    work: (tx: Transaction) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work, options)
      } catch (error) {
        if (!isConflict(error) && !isConnectionLost(error)) throw error
        await this.#pauseAfter(attempt, error)
      }
    }
  }

  protected async run(query: Sql): Promise<Result> {
    /** Set once it may have run. */
    let loss: FlotillaError | undefined
    for (let attempt = 1; ; attempt++) {
      try {
        return await (loss === undefined ? this.#runOnce(query) : this.#readOnce(query))
      } catch (error) {
        if (!isConnectionLost(error)) throw truthOf(error, loss)
        if (error.executed === 'maybe') loss ??= error
        if (loss !== undefined && !BEGINS_LIKE_QUERY.test(query.text)) throw loss
        await this.#pauseAfter(attempt, loss ?? error)
      }
    }
  }

  async #runOnce(query: Sql): Promise<Result> {
    const hold = await this.#options.hold(this.#options.call)
    try {
      return await hold.run(query)
    } catch (error) {
      // The server refused to begin, so nothing has happened yet, and it will not refuse twice.
      if (sqlFailureOf(error)?.isStalePlan) return await hold.run(query)
      throw error
    } finally {
      void hold.release()
    }
  }

  /** Never commits: there is nothing to commit, and an outcome that is not known would be one more way to fail. */
  async #readOnce({ text, values }: Sql): Promise<Result> {
    const hold = await this.#options.hold(this.#options.call)
    try {
      return await hold.run({ text, values, opening: [{ text: 'begin read only' }] })
    } finally {
      void hold.release()
    }
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T> | T, options: TransactionOptions): Promise<T> {
    const hold = await this.#options.hold(this.#options.call)
    const tx = new OpenTransaction(hold, options)
    try {
      const result = await Promise.race([work(tx), hold.stopped])
      for (const action of await tx.commit()) this.#runAfterCommit(action)
      return result
    } catch (error) {
      throw tx.doom ?? error
    } finally {
      tx.end()
      // Its locks are gone before the caller goes on, unless the caller's time is up.
      await Promise.race([hold.release(), hold.stopped.catch(() => {})])
    }
  }

  /** The transaction has succeeded, whatever comes of what follows it. */
  #runAfterCommit(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#options.log?.warn('what was to follow a commit failed', { error })
    }
  }

  async #pauseAfter(attempt: number, cause: unknown): Promise<void> {
    const { call, ports } = this.#options
    // Full jitter, so that transactions that collided do not collide again.
    const pauseMs = ports.random.next() * PAUSE_MS * 2 ** (attempt - 1)
    if (attempt === ATTEMPTS_MAX || pauseMs >= remainingMs(ports.clock, call)) {
      if (!isConflict(cause)) throw cause
      const message = `A concurrent change got in the way, ${attempt} times in a row.`
      throw new FlotillaError('aborted', message, { cause })
    }
    await ports.clock.sleep(pauseMs, call.cancellation.signal)
  }
}

/** An error that is right about the repeat of a statement may be wrong about the first time: then the loss is the truth. */
function truthOf(error: unknown, loss: FlotillaError | undefined): unknown {
  const isRefused = sqlFailureOf(error)?.sqlState === READ_ONLY_TRANSACTION
  const saysNotRun = isRefused || (isFlotillaError(error) && error.executed === 'no')
  return saysNotRun ? (loss ?? error) : error
}
