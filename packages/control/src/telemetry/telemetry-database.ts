/**
 * The file of the telemetry store, kept by DuckDB: one connection writes, a few others ask.
 *
 * Statements run in threads of their own; what runs in ours is handing rows over, in pieces between which others get their turn. Memory,
 * questions at once and the time of each are bounded. Every commit is on disk, so that a kill loses only what was not committed.
 *
 * The name of the file has the version of its tables. Files of other versions are removed, one that cannot be read is set aside: history
 * is worth less than going on.
 *
 * @module
 */
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection, DuckDBInstance, DuckDBType } from '@duckdb/node-api'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Cell } from './rows.ts'

type DuckDb = typeof import('@duckdb/node-api')

/** Kinds of rows that are brought; each has its table. */
export const rowKinds = ['spans', 'lines', 'samples'] as const

/** One of them. */
export type RowKind = (typeof rowKinds)[number]

/** What each is kept and removed by; microseconds since 1970. */
export const timeColumns: Readonly<Record<RowKind, string>> = {
  spans: 'start_us',
  lines: 'time_us',
  samples: 'time_us',
}

/** The tables that are written by rows. */
export type TableName = RowKind | 'series'

/** Rows for a table, cells in the order of its columns. */
export interface TableRows {
  readonly table: TableName
  readonly rows: readonly (readonly Cell[])[]
}

/** How it is opened. */
export interface TelemetryDatabaseOptions {
  /** An existing folder of its own. */
  readonly folder: string
  readonly clock: Clock
  /** What the database may hold of the file in memory. */
  readonly memoryBytesMax: number
}

/** The name of the file. */
export const FILE = 'telemetry-1.duckdb'
/** What was written last and is not in the tables yet: up to 32 MB. */
export const WAL = `${FILE}.wal`
const READERS = 2
const WAITING_MAX = 32
/** As many as are handed over in one go, about a millisecond each hundred. */
const CHUNK_ROWS = 500
const IS_BROKEN = /corrupt|not a valid DuckDB|serializ|version|checksum|replaying|WAL/i

// Compressed texts are a seventh of their size, and searched about as fast. A row group is what a search reads at least.
const SCHEMA = `
create table if not exists spans (
  trace_id varchar, span_id varchar, parent_id varchar, name varchar, kind tinyint, service varchar, instance varchar,
  start_us bigint, duration_us bigint, status varchar, attributes varchar using compression zstd,
  events varchar using compression zstd, resource varchar);
create table if not exists lines (
  time_us bigint, seq bigint, level tinyint, service varchar, instance varchar, message varchar using compression zstd,
  trace_id varchar, span_id varchar, fields varchar using compression zstd, search varchar using compression zstd);
create table if not exists samples (time_us bigint, series integer, value double, increase double);
create table if not exists series (id integer, name varchar, labels varchar, type varchar)`
const ROW_GROUP_ROWS = 30_720

/** The database. */
export class TelemetryDatabase {
  readonly #clock: Clock
  readonly #duckdb: DuckDb
  readonly #instance: DuckDBInstance
  readonly #writer: DuckDBConnection
  readonly #types: ReadonlyMap<TableName, readonly DuckDBType[]>
  readonly #idle: DuckDBConnection[]
  readonly #readers: readonly DuckDBConnection[]
  readonly #waiting: (() => void)[] = []
  /** Writing is one after the other. */
  #written: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  private constructor(
    clock: Clock,
    duckdb: DuckDb,
    instance: DuckDBInstance,
    connections: readonly DuckDBConnection[],
    types: ReadonlyMap<TableName, readonly DuckDBType[]>,
  ) {
    this.#clock = clock
    this.#duckdb = duckdb
    this.#instance = instance
    const [writer, ...readers] = connections
    this.#writer = writer as DuckDBConnection
    this.#readers = readers
    this.#idle = [...readers]
    this.#types = types
  }

  /**
   * Opens the file, or makes it.
   *
   * @throws FlotillaError `failed_precondition` when the optional package of DuckDB is not installed for this platform, or another process
   *   has the file.
   */
  static async open(options: TelemetryDatabaseOptions): Promise<TelemetryDatabase> {
    const duckdb = await import('@duckdb/node-api').catch((cause: unknown) => {
      throw new FlotillaError('failed_precondition', 'Telemetry needs the package @duckdb/node-api.', {
        cause,
      })
    })
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    for (const name of readdirSync(options.folder)) {
      if (/^telemetry-\d+\.duckdb/.test(name) && !name.startsWith(FILE)) rmSync(join(options.folder, name))
    }
    try {
      return await openFile(duckdb, options)
    } catch (error) {
      if (!(error instanceof Error) || /lock/i.test(error.message) || !IS_BROKEN.test(error.message)) {
        throw new FlotillaError('failed_precondition', 'The telemetry store cannot be opened.', {
          cause: error,
        })
      }
      setAside(options.folder)
      return openFile(duckdb, options)
    }
  }

  /** For `openFile`. */
  static over(
    clock: Clock,
    duckdb: DuckDb,
    instance: DuckDBInstance,
    connections: readonly DuckDBConnection[],
    types: ReadonlyMap<TableName, readonly DuckDBType[]>,
  ): TelemetryDatabase {
    return new TelemetryDatabase(clock, duckdb, instance, connections, types)
  }

  /** Writes all of it or nothing, after what is being written. */
  append(batch: readonly TableRows[]): Promise<void> {
    return this.#afterOthers(async () => {
      await this.#writer.run('begin')
      try {
        for (const rows of batch) await this.#appendRows(rows)
        await this.#writer.run('commit')
      } catch (error) {
        await this.#writer.run('rollback').catch(() => {
          // A failed commit has already rolled back; what matters is thrown below.
        })
        throw error
      }
    })
  }

  /** Runs statements that change something, after what is being written. */
  change(text: string): Promise<void> {
    return this.#afterOthers(async () => {
      await this.#writer.run(text)
    })
  }

  /**
   * Rows of a query, by column; numbers must have been cast to double or integer. `$1` and so on stand for `values`.
   *
   * @throws FlotillaError `deadline_exceeded` when it takes longer; `resource_exhausted` when too many ask at once, or it needs too much memory.
   */
  async ask<Row>(text: string, values: readonly (string | number)[], timeoutMs: number): Promise<Row[]> {
    const connection = await this.#connection()
    let isLate = false
    const timer = this.#clock.schedule(timeoutMs, () => {
      isLate = true
      connection.interrupt()
    })
    try {
      const result = await connection.run(text, [...values])
      return (await result.getRowObjectsJS()) as Row[]
    } catch (error) {
      if (!isLate) throw asRefusal(error)
      const message = `The telemetry store did not find an answer within ${timeoutMs} ms: ask for a shorter time.`
      throw new FlotillaError('deadline_exceeded', message, { executed: 'no', cause: error })
    } finally {
      timer.cancel()
      this.#release(connection)
    }
  }

  /** Closes it after what is being written and asked; who waits to ask is refused. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    await this.#written
    for (const goOn of this.#waiting.splice(0)) goOn()
    while (this.#idle.length < this.#readers.length) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    for (const connection of [this.#writer, ...this.#readers]) connection.closeSync()
    this.#instance.closeSync()
  }

  async #appendRows({ table, rows }: TableRows): Promise<void> {
    if (rows.length === 0) return
    const types = this.#types.get(table) as DuckDBType[]
    const appender = await this.#writer.createAppender(table)
    for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
      const some = rows.slice(from, from + CHUNK_ROWS)
      const chunk = this.#duckdb.DuckDBDataChunk.create(types)
      chunk.setColumns(types.map((_, column) => some.map((row) => row[column] as Cell)))
      appender.appendDataChunk(chunk)
      await this.#clock.sleep(0)
    }
    appender.closeSync()
  }

  #afterOthers(work: () => Promise<void>): Promise<void> {
    const done =
      this.#closed === undefined
        ? this.#written.then(work)
        : Promise.reject(
            new FlotillaError('unavailable', 'The telemetry store is closed.', { executed: 'no' }),
          )
    this.#written = done.catch(() => {
      // The next one does not depend on it; whoever wrote is told.
    })
    return done
  }

  async #connection(): Promise<DuckDBConnection> {
    for (;;) {
      if (this.#closed !== undefined)
        throw new FlotillaError('unavailable', 'The telemetry store is closed.', { executed: 'no' })
      const connection = this.#idle.pop()
      if (connection !== undefined) return connection
      if (this.#waiting.length === WAITING_MAX) {
        const message = 'Too many questions to the telemetry store at once.'
        throw new FlotillaError('resource_exhausted', message, { executed: 'no', isOverloaded: true })
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  #release(connection: DuckDBConnection): void {
    this.#idle.push(connection)
    this.#waiting.shift()?.()
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith('Out of Memory')) return error
  const message = 'The question needs more memory than the telemetry store has: ask for less.'
  return new FlotillaError('resource_exhausted', message, { executed: 'no', cause: error })
}

async function openFile(
  duckdb: DuckDb,
  { folder, clock, memoryBytesMax }: TelemetryDatabaseOptions,
): Promise<TelemetryDatabase> {
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    // One more would take from the services what they need more.
    threads: '1',
    memory_limit: `${Math.floor(memoryBytesMax / 1e6)}MB`,
    temp_directory: join(folder, 'overflow'),
    max_temp_directory_size: '256MB',
    checkpoint_threshold: '32MB',
    late_materialization_max_rows: '1000',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  try {
    const writer = await instance.connect()
    const path = join(folder, FILE).replaceAll("'", "''")
    await writer.run(`attach '${path}' as store (storage_version 'latest', row_group_size ${ROW_GROUP_ROWS})`)
    // The file is all it may reach.
    await writer.run('set enable_external_access = false')
    const connections = [writer]
    for (let count = 0; count < READERS; count++) connections.push(await instance.connect())
    for (const connection of connections) await connection.run('use store')
    for (const statement of SCHEMA.split(';')) await writer.run(statement)
    const types = new Map<TableName, readonly DuckDBType[]>()
    for (const table of ['spans', 'lines', 'samples', 'series'] as const) {
      types.set(table, (await writer.run(`from ${table} limit 0`)).columnTypes())
    }
    return TelemetryDatabase.over(clock, duckdb, instance, connections, types)
  } catch (error) {
    instance.closeSync()
    throw error
  }
}

/** A file that cannot be read makes room for a new one; one older is kept for whoever wants to know why. */
function setAside(folder: string): void {
  renameSync(join(folder, FILE), join(folder, `broken-${FILE}`))
  rmSync(join(folder, WAL), { force: true })
}
