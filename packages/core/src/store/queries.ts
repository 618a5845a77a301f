/**
 * How many rows a caller expects.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import type { Sql } from './sql.ts'
import type { Result } from './statement.ts'

/**
 * Runs statements. `T` is what the caller says a row looks like, with the values `row-types.ts` tells; nothing checks
 * it. All rows of an answer are held in memory: a statement that may find many says `limit`.
 */
export interface Queries {
  /** All rows. */
  many<T>(query: Sql): Promise<T[]>
  /**
   * The row, or undefined when there is none.
   *
   * @throws FlotillaError `internal` when there are several.
   */
  maybe<T>(query: Sql): Promise<T | undefined>
  /**
   * The row of a statement that cannot fail to have one: an aggregate, an `insert … returning`.
   *
   * @throws FlotillaError `internal` when there is none or several.
   */
  one<T>(query: Sql): Promise<T>
  /** How many rows were inserted, updated, deleted or selected. */
  execute(query: Sql): Promise<number>
}

/** The four, for whoever can run a statement. */
export abstract class QueryRunner implements Queries {
  protected abstract run(query: Sql): Promise<Result>

  async many<T>(query: Sql): Promise<T[]> {
    const { rows } = await this.run(query)
    return rows as T[]
  }

  async maybe<T>(query: Sql): Promise<T | undefined> {
    const { rows } = await this.run(query)
    if (rows.length > 1) throw unexpected(query, rows.length)
    return rows[0] as T | undefined
  }

  async one<T>(query: Sql): Promise<T> {
    const { rows } = await this.run(query)
    if (rows.length !== 1) throw unexpected(query, rows.length)
    return rows[0] as T
  }

  async execute(query: Sql): Promise<number> {
    const { rowCount } = await this.run(query)
    return rowCount ?? 0
  }
}

function unexpected(query: Sql, count: number): FlotillaError {
  return new FlotillaError('internal', 'Internal error.', {
    cause: new Error(`expected one row, got ${count}, from: ${query.text.slice(0, 300)}`),
  })
}
