/**
 * Databases that a comparison needs, on an embedded PostgreSQL with the settings of the platform: every commit is on disk.
 *
 * @module
 */
import { join } from 'node:path'
import { openPostgres } from '@flotilla/control/postgres'
import { Cancellation } from '@flotilla/core/cancellation'
import { openDatabase } from '@flotilla/core/database'
import { runTask } from '@flotilla/core/host-tasks'
import { createLogger } from '@flotilla/core/log'
import { sql } from '@flotilla/core/sql'
import { freePort } from './children.mjs'
import { ports } from './hosts.mjs'

/** Starts a server in a folder. */
export async function openServer(folder) {
  return openPostgres({ dataDir: join(folder, 'postgres'), port: await freePort(), ports })
}

/** Has `work` speak to a database. */
export async function withSession(url, work) {
  const database = openDatabase({ url, name: 'bench', ports })
  try {
    return await work(
      database.session({ deadlineMs: Number.POSITIVE_INFINITY, cancellation: new Cancellation() }),
    )
  } finally {
    await database.close()
  }
}

/** Creates an empty database; gives its URL. */
export async function createDatabase(postgres, name) {
  await withSession(postgres.adminUrl, (session) =>
    session.execute(sql`create database ${sql.identifier(name)}`),
  )
  const url = new URL(postgres.adminUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Creates a database for each service, by `names` or by its own name, and migrates it; gives the environment that says where they are. */
export async function createDatabases({ postgres, app, services, names = {} }) {
  const environment = {}
  for (const service of services)
    environment[`FLOTILLA_DATABASE_${service.toUpperCase()}`] = await createDatabase(
      postgres,
      names[service] ?? service,
    )
  const log = createLogger({ level: 'warn', clock: ports.clock, fields: {} })
  await runTask('migrate', { app, services, environment, ports, log })
  return environment
}
