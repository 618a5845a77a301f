/**
 * What an earlier supervisor may have left in the data folder, and what to make of it:
 *
 * - no server, or the traces of a dead one: cleared away.
 * - a server that starts or stops: waited for.
 * - a running server nobody watches, which answers to our password: taken over.
 * - a running server that is watched: its supervisor has just died, then its watchdog is about to stop it and is waited
 *   for; or its supervisor lives, and we are one too many.
 *
 * @module
 */
import { rm } from 'node:fs/promises'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import pg from 'pg'
import type { DataFolder } from './data-folder.ts'
import { isAlive, killOrphans, type PidFile, pidFilePath, readPidFile } from './postmaster.ts'
import { isWatched } from './watchdog.ts'

const LOOK_AGAIN_MS = 50
/** A watchdog acts at once; one that has not by then waits for a supervisor that lives. */
const WATCHED_MS_MAX = 2_000
/** Recovery after a crash reads the log written since the last checkpoint: 256 MB at most. */
const SETTLE_MS_MAX = 60_000

/**
 * Waits until the state is clear. Undefined when a server may be started.
 *
 * @throws FlotillaError `failed_precondition` when the folder belongs to somebody else who lives.
 */
export async function findSurvivor(clock: Clock, folder: DataFolder): Promise<PidFile | undefined> {
  const fromMs = clock.monotonicMs()
  for (;;) {
    const file = await readPidFile(folder.data)
    if (file === undefined || !(await isAlive(file.pid, folder.data))) {
      await clearAway(folder)
      return undefined
    }
    const isReady = file.status === 'ready'
    const watched = await isWatched(folder.path, folder.data)
    if (isReady && !watched && (await answers(folder, file.port))) return file
    const waitedMs = clock.monotonicMs() - fromMs
    if (isReady && watched && waitedMs > WATCHED_MS_MAX) {
      throw refuse(
        `Another Flotilla is running on the data folder ${folder.path}; stop it first, or set FLOTILLA_DATA.`,
      )
    }
    if (waitedMs > SETTLE_MS_MAX) {
      throw refuse(
        `PostgreSQL (process ${file.pid}) has the data folder ${folder.data}, but does not answer; end it.`,
      )
    }
    await clock.sleep(LOOK_AGAIN_MS)
  }
}

/** PostgreSQL would do it, but takes any process with the old number for a server that runs. */
async function clearAway({ data }: DataFolder): Promise<void> {
  await killOrphans(data)
  await rm(pidFilePath(data), { force: true })
}

/**
 * True when the server at `port` lets us in and is the one of this folder; false when it does not take anybody yet.
 *
 * @throws FlotillaError `failed_precondition` when it refuses us.
 */
async function answers({ data, password }: DataFolder, port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: adminUrl(port, password), connectionTimeoutMillis: 5_000 })
  // Reported by the query that fails.
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query('show data_directory')
    return rows[0]?.data_directory === data
  } catch (error) {
    const { code = '' } = error as pg.DatabaseError
    // Class 28: the password, or the role, is not what it takes.
    if (!code.startsWith('28')) return false
    throw refuse(`The PostgreSQL of ${data} refuses the password in the file beside it.`)
  } finally {
    await client.end()
  }
}

/** The URL of the superuser. */
export function adminUrl(port: number, password: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres`
}

function refuse(message: string): FlotillaError {
  return new FlotillaError('failed_precondition', message, { executed: 'no' })
}
