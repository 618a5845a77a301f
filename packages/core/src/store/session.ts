/**
 * The database as one call sees it: statements, and transactions that are run again when a concurrent one got in
 * the way.
 *
 * @module
 */
import type { Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import { type Call, remainingMs } from './call.ts'
import type { Hold } from './hold.ts'
import { isConflict, sqlFailureOf } from './pg-errors.ts'
import { type Queries, QueryRunner } from './queries.ts'
import type { Sql } from './sql.ts'
import type { Result } from './statement.ts'
import { OpenTransaction, type Transaction, type TransactionOptions } from './transaction.ts'

const ATTEMPTS_MAX = 5
/** Bounds of the wait before the next attempt: up to 10, 20, 40, 80 ms. */
const PAUSE_MS = 10

/**
 * One call's access. Its deadline bounds every wait; when it is canceled or late, what runs is stopped on the server
 * too, and the methods reject with `canceled` or `deadline_exceeded`.
 */
export interface Session extends Queries {
  /**
   * Runs `work` in a transaction and commits it, or rolls it back when `work` throws. It has its own connection:
   * other methods of the session, used meanwhile, are not part of it.
   *
   * A serialization failure or a deadlock runs `work` again from the start, up to five times in all, so
   * `work` must have no effects but through its transaction.
   *
   * @throws FlotillaError what `work` throws; `aborted` after five attempts, or when there is no time for the next;
   *   `unavailable` when the connection was lost during the commit: it may have taken effect.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
}

/** What a session is made of. */
export interface SessionOptions {
  readonly ports: Pick<Ports, 'clock' | 'random'>
  readonly call: Call
  readonly hold: (call: Call) => Promise<Hold>
}

/** A session on holds. */
export class CallSession extends QueryRunner implements Session {
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    super()
    this.#options = options
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work, options)
      } catch (error) {
        if (!isConflict(error)) throw error
        await this.#pauseAfter(attempt, error)
      }
    }
  }

  protected async run(query: Sql): Promise<Result> {
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

  async #attempt<T>(work: (tx: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    const hold = await this.#options.hold(this.#options.call)
    const tx = new OpenTransaction(hold, options)
    try {
      const result = await Promise.race([work(tx), hold.stopped])
      await tx.commit()
      return result
    } catch (error) {
      throw tx.conflict ?? error
    } finally {
      // Its locks are gone before the caller goes on, unless the caller's time is up.
      await Promise.race([hold.release(), hold.stopped.catch(() => {})])
    }
  }

  async #pauseAfter(attempt: number, cause: unknown): Promise<void> {
    const { call, ports } = this.#options
    // Full jitter, so that transactions that collided do not collide again.
    const pauseMs = ports.random.next() * PAUSE_MS * 2 ** (attempt - 1)
    if (attempt === ATTEMPTS_MAX || pauseMs >= remainingMs(ports.clock, call)) {
      const message = `A concurrent change got in the way, ${attempt} times in a row.`
      throw new FlotillaError('aborted', message, { cause })
    }
    await ports.clock.sleep(pauseMs, call.cancellation.signal)
  }
}
