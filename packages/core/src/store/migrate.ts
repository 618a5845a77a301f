/**
 * Brings a database to the state its migrations describe.
 *
 * Each file runs in a transaction of its own, which also records it in `flotilla.migration`; so a failed one leaves
 * nothing, and the next attempt goes on where the last one stopped. A lock on the database lets one
 * migrator work at a time; another one waits, and then finds nothing to do. What is recorded must still be there
 * unchanged: a database whose history is another one is left alone.
 *
 * A migration waits at most 10 s for a lock on a table: everybody else's statements queue up behind it meanwhile.
 *
 * @module
 */
import pg from 'pg'
import { FlotillaError } from '../kernel/error.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { type Migration, type MigrationSet, readMigrations } from './migration-files.ts'
import { fromDriver } from './pg-errors.ts'

/** Where progress goes; a logger of `telemetry/log.ts` fits. */
export interface ProgressSink {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** Advisory locks are named by numbers; these two spell "flot" and "migr". */
const LOCK_KEY = [0x666c6f74, 0x6d696772] as const
const MIGRATOR_WAIT = '60s'
const LOCK_WAIT = '10s'

const CREATE_RECORDS = `
  create schema if not exists flotilla;
  create table if not exists flotilla.migration (
    "set" text not null,
    number integer not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz(3) not null default now(),
    primary key ("set", number)
  )`

/**
 * Applies what is pending of `sets`, in their order. The role in `url` must own the database.
 *
 * @returns the names of the files that were applied, as `set/0001-what.sql`.
 * @throws FlotillaError `failed_precondition` when files and records contradict each other; `internal` when the SQL of
 *   a file fails; both name the file. `unavailable` when the database does not answer or another migrator takes longer
 *   than 60 s.
 */
export async function migrate(
  url: string,
  sets: readonly MigrationSet[],
  log?: ProgressSink,
): Promise<readonly string[]> {
  // Before anything is touched: a misnamed file of the last set must not leave the first one applied.
  const files = await Promise.all(sets.map(readMigrations))
  return connected(url, async (client) => {
    await takeLock(client)
    await client.query(CREATE_RECORDS)
    const applied: string[] = []
    for (const [index, { name: set }] of sets.entries()) {
      for (const migration of pendingOf(files[index] ?? [], await recorded(client, set))) {
        await apply(client, set, migration)
        log?.info('migration applied', { set, migration: migration.name })
        applied.push(`${set}/${migration.name}`)
      }
    }
    return applied
  })
}

/**
 * What `migrate` would apply; changes nothing.
 *
 * @throws FlotillaError as `migrate`.
 */
export async function pendingMigrations(
  url: string,
  sets: readonly MigrationSet[],
): Promise<readonly string[]> {
  const files = await Promise.all(sets.map(readMigrations))
  return connected(url, async (client) => {
    const { rows } = await client.query(`select to_regclass('flotilla.migration') is not null as exists`)
    const pending: string[] = []
    for (const [index, { name: set }] of sets.entries()) {
      const records = rows[0]?.exists ? await recorded(client, set) : []
      pending.push(...pendingOf(files[index] ?? [], records).map(({ name }) => `${set}/${name}`))
    }
    return pending
  })
}

interface Recorded {
  readonly number: number
  readonly name: string
  readonly checksum: string
}

async function connected<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    connectionString: parseDatabaseUrl(url).href,
    application_name: 'flotilla-migrate',
    lock_timeout: 0,
    connectionTimeoutMillis: 5_000,
  })
  // A connection that breaks fails the statement that runs, or the next one.
  client.on('error', () => {})
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    throw fromDriver(error, 'maybe')
  } finally {
    await client.end()
  }
}

/** Held until the connection ends. */
async function takeLock(client: pg.Client): Promise<void> {
  await client.query(`set lock_timeout = '${MIGRATOR_WAIT}'`)
  await client.query('select pg_advisory_lock($1, $2)', [...LOCK_KEY]).catch((cause: unknown) => {
    if ((cause as Partial<pg.DatabaseError>).code !== '55P03') throw cause
    throw new FlotillaError('unavailable', `Another migration has been running for ${MIGRATOR_WAIT}.`, {
      cause,
    })
  })
}

async function recorded(client: pg.Client, set: string): Promise<readonly Recorded[]> {
  const { rows } = await client.query<Recorded>(
    'select number, name, checksum from flotilla.migration where "set" = $1 order by number',
    [set],
  )
  return rows
}

function pendingOf(files: readonly Migration[], records: readonly Recorded[]): readonly Migration[] {
  for (const [index, { name, checksum }] of records.entries()) {
    const file = files[index]
    if (file?.name !== name) {
      const instead = file === undefined ? '' : ` (number ${file.number} is ${file.name} now)`
      throw refuse(`${name} was applied to this database, but does not exist any more${instead}.`)
    }
    if (file.checksum !== checksum) {
      throw refuse(`${name} was changed after it was applied. Put it back and write a new migration.`)
    }
  }
  return files.slice(records.length)
}

async function apply(client: pg.Client, set: string, migration: Migration): Promise<void> {
  const { number, name, checksum, text } = migration
  // What an earlier file set for its session must not reach this one.
  await client.query('reset all')
  await client.query(`begin; set local lock_timeout = '${LOCK_WAIT}'`)
  try {
    await client.query(text)
    if (client.getTransactionStatus() !== 'T') {
      throw refuse(`${name} ends its transaction by itself, so what it did cannot be recorded with it.`)
    }
    await client.query(
      'insert into flotilla.migration ("set", number, name, checksum) values ($1, $2, $3, $4)',
      [set, number, name, checksum],
    )
    await client.query('commit')
  } catch (error) {
    // The server does the same when the connection is what failed.
    await client.query('rollback').catch(() => {})
    throw explain(error, migration)
  }
}

/** For people who write migrations: unlike elsewhere, the server's words are part of the message. */
function explain(error: unknown, { name, text }: Migration): unknown {
  if (!(error instanceof pg.DatabaseError)) return error
  const line = error.position === undefined ? '' : `:${lineAt(text, Number(error.position))}`
  return new FlotillaError('internal', `${name}${line}: ${error.message}`, { cause: error })
}

function lineAt(text: string, position: number): number {
  return text.slice(0, position - 1).split('\n').length
}

function refuse(message: string): FlotillaError {
  return new FlotillaError('failed_precondition', message)
}
