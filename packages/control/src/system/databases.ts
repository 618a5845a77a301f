/**
 * The databases of a system: the server (embedded, or one that `DATABASE_URL` names), and in it one database and one role per service.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Closing } from '@flotilla/core/closing'
import type { Ports } from '@flotilla/core/context'
import { FlotillaError } from '@flotilla/core/error'
import type { Logger } from '@flotilla/core/log'
import type { Service } from '@flotilla/core/service'
import { openPostgres, type Postgres } from '../postgres/postgres.ts'
import { provisionDatabase, requireVersion } from '../postgres/provision.ts'
import type { DataFolder, Secrets } from './data-folder.ts'

/** What it needs. */
export interface DatabasesOptions {
  readonly app: string
  readonly services: ReadonlyMap<string, Service>
  readonly folder: DataFolder
  readonly secrets: Secrets
  readonly ports: Ports
  readonly postgresPort: number
  /** Of a role that may create databases and roles. Absent: the embedded server. */
  readonly externalUrl: string | undefined
  readonly log: Logger
  readonly closing: Closing
  /** Told when the embedded server ended and its data is not there any more: nobody wants to go on with an empty one. */
  readonly onLost: (error: FlotillaError) => void
}

/** The databases, ready to be used. */
export interface Databases {
  /** For people. */
  readonly description: string
  /** By service. */
  readonly urls: Readonly<Record<string, string>>
  /** Process id of the embedded server. */
  readonly pid: () => number | undefined
}

const RESTART_MS_MIN = 100
const RESTART_MS_MAX = 5_000

/** The server that is to be used instead of the embedded one: `DATABASE_URL`, if it says anything. */
export function externalUrlIn(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return environment['DATABASE_URL'] || undefined
}

/** What a service's database and role are called. */
function databaseName(app: string, service: string): string {
  return `${app}_${service}`.replaceAll('-', '_')
}

/** The URLs of databases that an earlier `openDatabases` made on the embedded server, which runs. */
export function embeddedUrls(
  options: Pick<DatabasesOptions, 'app' | 'services' | 'secrets' | 'postgresPort'>,
): Readonly<Record<string, string>> {
  const { app, services, secrets, postgresPort } = options
  const urls: Record<string, string> = {}
  for (const [name, { database }] of services) {
    if (database === undefined) continue
    const own = databaseName(app, name)
    const password = encodeURIComponent(secrets.get(`database ${name}`))
    urls[name] = `postgres://${own}:${password}@127.0.0.1:${postgresPort}/${own}`
  }
  return urls
}

/** Opens the server and makes what is missing. */
export async function openDatabases(options: DatabasesOptions): Promise<Databases> {
  const { app, services, secrets, ports, externalUrl } = options
  if (externalUrl !== undefined) await requireVersion(externalUrl)
  const server = externalUrl === undefined ? await superviseServer(options) : undefined
  const adminUrl = externalUrl ?? (server as SupervisedServer).adminUrl
  const urls: Record<string, string> = {}
  for (const [name, { database }] of services) {
    if (database === undefined) continue
    const own = databaseName(app, name)
    urls[name] = await provisionDatabase(adminUrl, {
      database: own,
      role: own,
      password: secrets.get(`database ${name}`),
      extensions: database.extensions ?? [],
      random: ports.random,
    })
  }
  const description =
    server === undefined ? `external, ${new URL(adminUrl).host}` : `embedded, port ${server.port}`
  return { description, urls, pid: () => server?.pid() }
}

interface SupervisedServer {
  readonly adminUrl: string
  readonly port: number
  readonly pid: () => number
}

/** Runs the embedded server, and starts it again when it ends by itself, on the data that it had. */
async function superviseServer({
  folder,
  ports,
  postgresPort,
  log,
  closing,
  onLost,
}: DatabasesOptions): Promise<SupervisedServer> {
  const { clock } = ports
  const open = (): Promise<Postgres> => openPostgres({ dataDir: folder.postgres, port: postgresPort, ports })
  let server = await open()
  let isClosing = false
  const watch = async (): Promise<void> => {
    for (let failures = 0; !isClosing; ) {
      await server.exited
      if (isClosing) return
      if (!existsSync(join(folder.postgres, 'data'))) return onLost(lost(folder.postgres))
      log.error('PostgreSQL ended by itself; starting it again')
      try {
        server = await open()
        failures = 0
        // Closing began meanwhile, and closed the one before.
        if (isClosing) return await server.close()
      } catch (error) {
        log.error('PostgreSQL could not be started', { error })
        await clock.sleep(Math.min(RESTART_MS_MAX, RESTART_MS_MIN * 2 ** failures++))
      }
    }
  }
  const watching = watch()
  closing.defer('PostgreSQL', async () => {
    isClosing = true
    await server.close()
    await watching
  })
  return { adminUrl: server.adminUrl, port: server.port, pid: () => server.pid }
}

function lost(path: string): FlotillaError {
  return new FlotillaError(
    'data_loss',
    `PostgreSQL ended, and its data in ${path} is gone: somebody removed it. Everything is stopped.`,
  )
}
