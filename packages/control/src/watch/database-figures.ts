/**
 * How the databases of the services are, by what PostgreSQL itself keeps.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import type { CallContext } from '@flotilla/core/context'
import { sql } from '@flotilla/core/sql'
import type { ServiceDatabases } from '../api/databases.ts'
import type { DatabaseInfo } from '../api/shapes.ts'

interface Counted {
  readonly database: string
  readonly bytes: number
  readonly connections: number
  readonly transactions: number
  readonly hits: number
  readonly reads: number
  readonly deadlocks: number
  /** Since the statistics began. */
  readonly seconds: number
}

interface Before {
  readonly transactions: number
  readonly atMs: number
}

const COMPARED_MS_MAX = 5 * 60_000

/** Asks the databases; remembers what they counted the last time, so that rates are of the time between. */
export class DatabaseFigures {
  readonly #databases: ServiceDatabases
  readonly #clock: Clock
  readonly #before = new Map<string, Before>()

  constructor(databases: ServiceDatabases, clock: Clock) {
    this.#databases = databases
    this.#clock = clock
  }

  /** Those that can be reached, by the name of the service. */
  async all(ctx: CallContext): Promise<DatabaseInfo[]> {
    const counted = await this.#databases.inEach(ctx, (session) => session.one<Counted>(statistics))
    const nowMs = this.#clock.monotonicMs()
    return [...counted]
      .map(([service, its]): DatabaseInfo => {
        const read = its.hits + its.reads
        return {
          service,
          database: its.database,
          bytes: its.bytes,
          connections: its.connections,
          transactionsPerSec: this.#rate(service, its, nowMs),
          hitShare: read === 0 ? 1 : its.hits / read,
          deadlocks: its.deadlocks,
        }
      })
      .sort((a, b) => (a.service < b.service ? -1 : 1))
  }

  #rate(service: string, { transactions, seconds }: Counted, nowMs: number): number {
    const before = this.#before.get(service)
    this.#before.set(service, { transactions, atMs: nowMs })
    const isOld = before === undefined || nowMs - before.atMs > COMPARED_MS_MAX || nowMs <= before.atMs
    if (isOld || transactions < before.transactions) return seconds > 0 ? transactions / seconds : 0
    return ((transactions - before.transactions) * 1_000) / (nowMs - before.atMs)
  }
}

const statistics = sql`
  select datname as database, pg_database_size(datname)::float8 as bytes, numbackends as connections,
    (xact_commit + xact_rollback)::float8 as transactions, blks_hit::float8 as hits, blks_read::float8 as reads,
    deadlocks::int as deadlocks,
    extract(epoch from now() - coalesce(stats_reset, pg_postmaster_start_time()))::float8 as seconds
  from pg_stat_database where datname = current_database()`
