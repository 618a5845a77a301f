/**
 * The embedded PostgreSQL: a real server that npm brought along, kept in a data folder, started and stopped with
 * Flotilla.
 *
 * Whatever happens to this process, the server does not outlive it by more than moments: `close` stops it, and when
 * `close` is never reached, a watchdog does (`watchdog.ts`). Should the watchdog be killed too, the next start
 * takes the server over (`survivor.ts`). And whatever happens to the server, acknowledged commits are on disk
 * (`settings.ts`), and the next start recovers them.
 *
 * @module
 */
import { join } from 'node:path'
import type { Clock } from '@flotilla/core/clock'
import type { Ports } from '@flotilla/core/context'
import { findBinaries } from './binaries.ts'
import { type DataFolder, ensureCluster, explainFileError, openDataFolder } from './data-folder.ts'
import { findLauncher, type Identity } from './launcher.ts'
import { type LogFile, openLogFile } from './log-file.ts'
import { isAlive, stopPostmaster } from './postmaster.ts'
import { type Server, startServer } from './server.ts'
import { adminUrl, findSurvivor } from './survivor.ts'
import { openWatchdog } from './watchdog.ts'

/** What an embedded server is made of. */
export interface PostgresOptions {
  /** Holds data, password and log; made if missing. */
  readonly dataDir: string
  /** On loopback. Default 15432: below the range from which the system takes ports for outgoing connections. */
  readonly port?: number
  /** Connections in all, of all services. Default 400. */
  readonly connectionsMax?: number
  readonly ports: Pick<Ports, 'clock' | 'random'>
  /** As whom the server may run; tried in this order. Default: what fits this process. */
  readonly identities?: readonly Identity[]
}

/** A server that accepts connections. */
export interface Postgres extends AsyncDisposable {
  /** Of the superuser; for provisioning, not for services. */
  readonly adminUrl: string
  readonly port: number
  /** The server's main process. */
  readonly pid: number
  /** True when it was found running. */
  readonly isAdopted: boolean
  /** Resolves when the server has ended, by `close` or by itself; in the latter case open it again. */
  readonly exited: Promise<void>
  /** Stops it and waits until it is gone: a fast shutdown, and after 10 s something less polite. */
  close(): Promise<void>
}

const DEFAULT_PORT = 15_432
const DEFAULT_CONNECTIONS_MAX = 400
const ADOPTED_CHECK_MS = 200

/**
 * Starts the server, or takes over the one that runs on `dataDir` already.
 *
 * @throws FlotillaError `failed_precondition` with one line that says what is in the way and what to do.
 */
export async function openPostgres(options: PostgresOptions): Promise<Postgres> {
  const { port = DEFAULT_PORT, connectionsMax = DEFAULT_CONNECTIONS_MAX } = options
  const { clock, random } = options.ports
  const folder = await openDataFolder(options.dataDir, random)
  const survivor = await findSurvivor(clock, folder)
  const logFile = await openLogFile(folder.logFile, clock).catch((error: unknown) => {
    throw explainFileError(error, folder.path)
  })
  try {
    if (survivor?.port === port) {
      const server = await adopt(clock, folder, survivor.pid)
      return supervise(clock, { server, folder, logFile, port, isAdopted: true })
    }
    // It runs, but not where it is wanted.
    if (survivor !== undefined) await stopPostmaster(clock, survivor.pid, folder.data)
    const binaries = await findBinaries(join(folder.path, 'lib'))
    const launcher = await findLauncher(binaries, folder.path, options.identities)
    await ensureCluster(folder, binaries, launcher, clock)
    const server = await startServer({ clock, folder, binaries, launcher, logFile, port, connectionsMax })
    return supervise(clock, { server, folder, logFile, port, isAdopted: false })
  } catch (error) {
    await logFile.close()
    throw error
  }
}

interface Running {
  readonly server: Server
  readonly folder: DataFolder
  readonly logFile: LogFile
  readonly port: number
  readonly isAdopted: boolean
}

async function adopt(clock: Clock, { path, data }: DataFolder, pid: number): Promise<Server> {
  const watchdog = await openWatchdog(path, data, pid)
  // Not our child, so nobody tells us.
  const exited = (async () => {
    while (await isAlive(pid, data)) await clock.sleep(ADOPTED_CHECK_MS)
  })()
  return { pid, exited, watchdog }
}

function supervise(clock: Clock, { server, folder, logFile, port, isAdopted }: Running): Postgres {
  const { pid, exited, watchdog } = server
  const cleanedUp = exited.then(async () => {
    await watchdog.dismiss()
    await logFile.close()
  })
  // A failure is told to whoever closes. A server that ended by itself is opened again instead: then what failed was the tidying up after one that is gone.
  cleanedUp.catch(() => {})
  const close = async (): Promise<void> => {
    await stopPostmaster(clock, pid, folder.data)
    await cleanedUp
  }
  return {
    adminUrl: adminUrl(port, folder.password),
    port,
    pid,
    isAdopted,
    exited,
    close,
    [Symbol.asyncDispose]: close,
  }
}
