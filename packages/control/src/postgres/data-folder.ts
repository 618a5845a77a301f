/**
 * The folder that holds a PostgreSQL: its data, the password of its superuser, its log.
 *
 * The data folder proper is made under another name and renamed when whole, so that whatever interrupts `initdb`, the next
 * start finds either nothing or everything.
 *
 * @module
 */
import { mkdir, mkdtemp, open, readdir, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Random } from '@flotilla/core/random'
import type { Binaries } from './binaries.ts'
import type { Launcher } from './launcher.ts'
import { run } from './run.ts'

/** The server's major version; data of another one cannot be read. */
const MAJOR_VERSION = '18'

const PASSWORD_BYTES = 24
/** `initdb` takes a second; a folder it left behind this long ago is nobody's any more. */
const ABANDONED_MS = 600_000

/** Where things are. */
export interface DataFolder {
  /** All of it, as the real path. */
  readonly path: string
  /** PostgreSQL's own. */
  readonly data: string
  readonly logFile: string
  /** Of the superuser `postgres`; random, readable by the owner only. */
  readonly password: string
}

/**
 * Makes or opens the folder; the data in it may still be missing.
 *
 * @throws FlotillaError `failed_precondition` when it cannot be written to.
 */
export async function openDataFolder(path: string, random: Random): Promise<DataFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    const real = await realpath(path)
    const data = join(real, 'data')
    const password = await readPassword(join(real, 'password'), random, await exists(data))
    return { path: real, data, logFile: join(real, 'postgres.log'), password }
  } catch (error) {
    throw isFlotillaError(error) ? error : explainFileError(error, path)
  }
}

/**
 * Makes the database cluster if there is none.
 *
 * @throws FlotillaError `failed_precondition`: the disk is full, the data is of another version, the folder is something else.
 */
export async function ensureCluster(
  folder: DataFolder,
  binaries: Binaries,
  launcher: Launcher,
  clock: Clock,
): Promise<void> {
  try {
    await removeAbandoned(folder.path, clock)
    if (!(await exists(folder.data))) await createCluster(folder, binaries, launcher)
    await launcher.own(folder.path)
    await checkVersion(folder.data)
  } catch (error) {
    throw isFlotillaError(error) ? error : explainFileError(error, folder.path)
  }
}

async function createCluster(folder: DataFolder, binaries: Binaries, launcher: Launcher): Promise<void> {
  const workshop = await mkdtemp(join(folder.path, 'init-'))
  try {
    await writeSecret(join(workshop, 'password'), folder.password)
    await launcher.own(folder.path)
    await launcher.own(workshop)
    const { exitCode, output } = await run(
      launcher.launch(binaries.initdb, [
        `--pgdata=${join(workshop, 'data')}`,
        '--username=postgres',
        `--pwfile=${join(workshop, 'password')}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--no-instructions',
        // Sorted by code point, the same on every machine and version: a system's own locale changes with its updates,
        // and indexes on text silently break.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
      ]),
    )
    if (exitCode !== 0) throw explainInitdb(output, folder.path)
    await rename(join(workshop, 'data'), folder.data).catch((error: NodeJS.ErrnoException) => {
      // Somebody else was faster; theirs is as good as ours.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await syncFolder(folder.path)
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

async function checkVersion(data: string): Promise<void> {
  const version = await readFile(join(data, 'PG_VERSION'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    // That it cannot be read says nothing of what the folder is.
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    return undefined
  })
  if (version === undefined) throw refuse(`${data} is not the data folder of a PostgreSQL; move it away.`)
  if (version.trim() === MAJOR_VERSION) return
  throw refuse(
    `${data} was made by PostgreSQL ${version.trim()}, this is ${MAJOR_VERSION}. Move it away, or dump it with the old version and restore it with this one.`,
  )
}

async function readPassword(file: string, random: Random, isNeeded: boolean): Promise<string> {
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return undefined
  })
  if (known !== undefined && known !== '') return known
  if (isNeeded) throw refuse(`${file} is missing, and without it nobody gets into the data beside it.`)
  const password = Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url')
  // Under another name first: half a password would lock us out.
  await writeSecret(`${file}.new`, password)
  await rename(`${file}.new`, file)
  return password
}

async function writeSecret(path: string, text: string): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function removeAbandoned(path: string, clock: Clock): Promise<void> {
  for (const name of await readdir(path)) {
    if (!name.startsWith('init-')) continue
    const { mtimeMs } = await stat(join(path, name))
    if (clock.now() - mtimeMs > ABANDONED_MS) await rm(join(path, name), { recursive: true, force: true })
  }
}

/** Makes a rename in `path` survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      // What cannot be looked at may be there: to take it for missing would give it another password.
      if (error.code !== 'ENOENT') throw error
      return false
    },
  )
}

/** What `initdb` said, in one line. */
export function explainInitdb(output: string, path: string): FlotillaError {
  if (/no space left on device|disk quota exceeded/i.test(output)) return diskFull(path)
  const reason = output.split('\n').find((line) => /error|fatal|could not/i.test(line)) ?? output.trim()
  return refuse(`PostgreSQL could not be set up in ${path}: ${reason.trim()}`)
}

/** For whatever the file system says about the folder. */
export function explainFileError(error: unknown, path: string): FlotillaError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(path)
  return refuse(`The data folder ${path} cannot be used: ${message}. Set FLOTILLA_DATA to another one.`)
}

/** The same words wherever it is noticed. */
export function diskFull(path: string): FlotillaError {
  return refuse(`There is no space left on the disk of ${path}.`)
}

function refuse(message: string): FlotillaError {
  return new FlotillaError('failed_precondition', message, { executed: 'no' })
}
