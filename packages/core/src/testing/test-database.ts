/**
 * A fresh, empty PostgreSQL database for one test.
 *
 * The server is named by the environment variable `FLOTILLA_TEST_DATABASE_URL`: a URL whose role may create databases.
 * `npm test` starts an embedded one and sets it.
 *
 * @module
 */
import pg from 'pg'
import { systemClock } from '../kernel/clock.ts'
import { Closing } from '../kernel/closing.ts'
import { FlotillaError } from '../kernel/error.ts'
import { hex } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { type Database, type DatabaseOptions, openDatabase } from '../store/database.ts'

/**
 * Temporary views come before the catalog's own by PostgreSQL's rules. Many tests share the server: one that ends "the session in its commit"
 * would end those of others, too. A lock on a row names no database, but whoever holds or wants it holds one on the table.
 */
const OF_THIS_DATABASE = `
  create temp view pg_stat_activity as
    select * from pg_catalog.pg_stat_activity where datname = current_database();
  create temp view pg_locks as
    select * from pg_catalog.pg_locks where pid in (
      select pid from pg_catalog.pg_locks
      where database = (select oid from pg_database where datname = current_database()))`

/** A database that lives as long as its test. */
export interface TestDatabase {
  readonly url: string
  /** Opens it on the machine's clock and chance; closed after the test. */
  open(options?: Partial<DatabaseOptions>): Database
  /**
   * Runs SQL on a connection of its own, to prepare things or to look from outside; gives the rows of the last statement. Of the server's
   * sessions and locks it sees those of this database alone.
   */
  ask<T = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<T[]>
}

/**
 * Creates a database and drops it after the test, whoever is still connected.
 *
 * @throws FlotillaError `failed_precondition` when the environment variable is missing.
 */
export async function openTestDatabase(t: {
  after(cleanUp: () => Promise<void>): void
}): Promise<TestDatabase> {
  const adminUrl = process.env['FLOTILLA_TEST_DATABASE_URL']
  if (adminUrl === undefined) {
    throw new FlotillaError(
      'failed_precondition',
      'This test needs PostgreSQL: run it by `npm test`, or set FLOTILLA_TEST_DATABASE_URL to a server it may create databases on.',
    )
  }
  const name = `flotilla_test_${hex(systemRandom.uint32(), 8)}`
  const closing = new Closing(systemClock)
  t.after(() => closing.close())
  const admin = await connected(adminUrl, closing)
  await admin.query(`create database ${name}`)
  closing.defer('test database', async () => {
    await admin.query(`drop database ${name} with (force)`)
  })
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  const outside = await connected(url.href, closing)
  await outside.query(OF_THIS_DATABASE)
  return {
    url: url.href,
    open(options) {
      const ports = { clock: systemClock, random: systemRandom }
      const database = openDatabase({ url: url.href, name: 'test', ports, ...options })
      closing.defer('database', () => database.close())
      return database
    },
    async ask<T>(text: string, values: readonly unknown[] = []) {
      const { rows } = await outside.query(text, [...values])
      return rows as T[]
    },
  }
}

async function connected(url: string, closing: Closing): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  closing.defer('connection', () => client.end())
  return client
}
