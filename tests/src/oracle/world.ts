/**
 * The world that the oracle looks at: every database of a system, its logs, and what its customers remember.
 *
 * A look inside one database is one transaction that sees one moment. Looks at several databases see several moments: what is
 * compared across them holds only when the system has settled.
 *
 * @module
 */
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import { type Database, openDatabase } from '@flotilla/core/database'
import type { Queries } from '@flotilla/core/queries'
import { systemRandom } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import type { Sql } from '@flotilla/core/sql'
import type { Journal } from '../workload/journal.ts'

/** What is looked at. */
export interface World {
  /** Those that have a database here. */
  readonly services: readonly string[]
  readonly journal: Journal
  /** Files in which nothing secret may be; absent: there are none. */
  readonly logFolder: string | undefined
  /** Runs `look` in a read-only transaction of a service's database that sees one moment. */
  read<T>(service: string, look: (queries: Queries) => Promise<T>): Promise<T>
  /** All rows, as `read`. */
  rows<T>(service: string, query: Sql): Promise<T[]>
  /** What `look` found the last time since `forget`: several checks share it. */
  once<T>(name: string, look: () => Promise<T>): Promise<T>
  /** Has everything looked at anew. */
  forget(): void
  close(): Promise<void>
}

/** What besides databases and journal there is. */
export interface WorldOptions {
  readonly logFolder?: string
}

/** A look that takes longer fails. */
const LOOK_MS_MAX = 60_000

/** Opens the databases; each gets two connections at most, when it is looked at first. @param urls by service. */
export function openWorld(
  urls: Readonly<Record<string, string>>,
  journal: Journal,
  { logFolder }: WorldOptions = {},
): World {
  const ports = { clock: systemClock, random: systemRandom }
  const databases = new Map<string, Database>()
  const found = new Map<string, Promise<unknown>>()
  const session = (service: string): Session => {
    const url = urls[service]
    if (url === undefined) throw new Error(`The oracle knows of no database of ${service}.`)
    let database = databases.get(service)
    if (database === undefined) {
      database = openDatabase({ url, name: 'oracle', ports, poolMax: 2 })
      databases.set(service, database)
    }
    return database.session({
      deadlineMs: systemClock.monotonicMs() + LOOK_MS_MAX,
      cancellation: new Cancellation(),
    })
  }
  const read = <T>(service: string, look: (queries: Queries) => Promise<T>): Promise<T> =>
    session(service).transaction(look, { isolation: 'repeatable read', isReadOnly: true })
  return {
    services: Object.keys(urls),
    journal,
    logFolder,
    read,
    rows: <T>(service: string, query: Sql) => read(service, (queries) => queries.many<T>(query)),
    once<T>(name: string, look: () => Promise<T>) {
      const known = found.get(name) ?? look()
      found.set(name, known)
      return known as Promise<T>
    },
    forget: () => found.clear(),
    async close() {
      await Promise.all([...databases.values()].map((database) => database.close()))
    },
  }
}
