/**
 * Starting the server process with a watchdog on it, and telling why it did not start.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Binaries } from './binaries.ts'
import { type DataFolder, diskFull } from './data-folder.ts'
import type { Launcher } from './launcher.ts'
import type { LogFile } from './log-file.ts'
import { portTaken, requireFreePort } from './port.ts'
import { readPidFile } from './postmaster.ts'
import { serverArguments } from './settings.ts'
import { openWatchdog, type Watchdog } from './watchdog.ts'

const LOOK_AGAIN_MS = 10
const READY_MS_MAX = 60_000
/** What a killed server left behind in shared memory is gone when its last process is. */
const MEMORY_MS_MAX = 10_000
const MEMORY_AGAIN_MS = 100

/** What it takes. */
export interface ServerOptions {
  readonly clock: Clock
  readonly folder: DataFolder
  readonly binaries: Binaries
  readonly launcher: Launcher
  readonly logFile: LogFile
  readonly port: number
  readonly connectionsMax: number
}

/** A server that accepts connections. */
export interface Server {
  readonly pid: number
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>
  readonly watchdog: Watchdog
}

/** @throws FlotillaError `failed_precondition`: port taken, disk full, or whatever the server's log says. */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { clock, folder, logFile, port } = options
  const giveUpMs = clock.monotonicMs() + MEMORY_MS_MAX
  for (;;) {
    await requireFreePort(clock, port)
    const { child, pid, exited } = await launch(options)
    // At once: recovery may take long, and we may end meanwhile.
    const watchdog = await openWatchdog(folder.path, folder.data, pid).catch((error: unknown) => {
      child.kill('SIGINT')
      throw error
    })
    if (await isReady(options, child)) return { pid, exited, watchdog }
    child.kill('SIGQUIT')
    await exited
    await watchdog.dismiss()
    const log = await logFile.tail()
    const isMemoryHeld = log.includes('pre-existing shared memory block')
    if (!isMemoryHeld || clock.monotonicMs() > giveUpMs) throw await explain(log, options)
    await clock.sleep(MEMORY_AGAIN_MS)
  }
}

async function launch({ folder, binaries, launcher, logFile, port, connectionsMax }: ServerOptions) {
  const { command, args, ...options } = launcher.launch(binaries.postgres, [
    ...['-D', folder.data],
    ...serverArguments(port, connectionsMax),
  ])
  const child = spawn(command, args, {
    ...options,
    // A process group of its own: Ctrl-C in the terminal is for us, and we stop it when nobody needs it any more.
    detached: true,
    cwd: '/',
    stdio: ['ignore', logFile.fd, logFile.fd],
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  child.unref()
  return { child, pid: child.pid as number, exited }
}

async function isReady({ clock, folder }: ServerOptions, child: ChildProcess): Promise<boolean> {
  const giveUpMs = clock.monotonicMs() + READY_MS_MAX
  while (child.exitCode === null && child.signalCode === null && clock.monotonicMs() < giveUpMs) {
    const file = await readPidFile(folder.data)
    if (file?.pid === child.pid && file?.status === 'ready') return true
    await clock.sleep(LOOK_AGAIN_MS)
  }
  return false
}

async function explain(log: string, { clock, folder, port }: ServerOptions): Promise<FlotillaError> {
  if (log.includes('Address already in use')) return portTaken(clock, port)
  if (/no space left on device/i.test(log)) return diskFull(folder.path)
  const unbound = /could not bind IPv4 address .*: (.*)/.exec(log)
  const reason = unbound ?? /(?:FATAL|PANIC): +(.*)/.exec(log)
  const message = `PostgreSQL did not start on port ${port}: ${reason?.[1] ?? 'it does not say why'} (see ${folder.logFile}).`
  return new FlotillaError('failed_precondition', message, { executed: 'no' })
}
