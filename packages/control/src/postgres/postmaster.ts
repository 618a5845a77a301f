/**
 * PostgreSQL's main process, seen from outside: by the file it keeps, the list of processes, and signals.
 *
 * A process number alone proves nothing: it may belong to another process by now, or to a zombie that nobody collects.
 * So a process counts as ours when its command line names our data folder; a zombie has none.
 *
 * @module
 */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { run } from './run.ts'

const LOOK_AGAIN_MS = 20
/** How long each signal gets: fast shutdown with a checkpoint, immediate shutdown, the end. */
const STOP_STEPS = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
] as const

/** What `postmaster.pid` says. @source src/include/utils/pidfile.h */
export interface PidFile {
  readonly pid: number
  readonly port: number
  /** `starting`, `ready`, `stopping`; empty before the first. */
  readonly status: string
}

/** Reads the file that a running server keeps in `data`; undefined when there is none, or not a whole one. */
export async function readPidFile(data: string): Promise<PidFile | undefined> {
  // One that cannot be read counts as none: a server that is started beside another one reads it, too, and says what is in the way.
  const text = await readFile(pidFilePath(data), 'utf8').catch(() => undefined)
  const lines = text?.split('\n') ?? []
  const [pid = 0, port = 0] = [Number(lines[0]), Number(lines[3])]
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, port, status: lines[7]?.trim() ?? '' }
}

/** Where that file is. */
export function pidFilePath(data: string): string {
  return join(data, 'postmaster.pid')
}

/** True while `pid` is a process that was started with `data` on its command line. */
export async function isAlive(pid: number, data: string): Promise<boolean> {
  const commandLine = await commandLineOf(pid)
  return commandLine.includes(data)
}

async function commandLineOf(pid: number): Promise<string> {
  // What has no file there is no process any more.
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const env = { PATH: '/usr/bin:/bin' }
  return (await run({ command: 'ps', args: ['-ww', '-o', 'command=', '-p', String(pid)], env })).output
}

/** Resolves when the process is gone; false when it is still there after `boundMs`. */
async function isGoneWithin(clock: Clock, pid: number, data: string, boundMs: number): Promise<boolean> {
  const giveUpMs = clock.monotonicMs() + boundMs
  while (await isAlive(pid, data)) {
    if (clock.monotonicMs() >= giveUpMs) return false
    await clock.sleep(LOOK_AGAIN_MS)
  }
  return true
}

/**
 * Stops the server: sessions are ended, what is in memory is written, and no recovery is needed at the next start. One
 * that does not react is stopped less and less politely.
 *
 * @throws FlotillaError `internal` when even that does not help.
 */
export async function stopPostmaster(clock: Clock, pid: number, data: string): Promise<void> {
  for (const [signal, boundMs] of STOP_STEPS) {
    if (!(await isAlive(pid, data))) return
    sendSignal(pid, signal)
    if (await isGoneWithin(clock, pid, data, boundMs)) return
  }
  throw new FlotillaError('internal', `PostgreSQL (process ${pid}) does not stop.`)
}

/**
 * Ends the processes that a killed server left behind: they hold its memory, and a new one does not start beside them.
 * Most notice by themselves at once, but one that is deep in a query does not. Linux only.
 */
export async function killOrphans(data: string): Promise<void> {
  if (process.platform !== 'linux') return
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const links = ['cwd', 'exe'].map((link) => readlink(`/proc/${name}/${link}`).catch(() => ''))
    const [cwd, program = ''] = await Promise.all(links)
    const isOurs = cwd === data && basename(program) === 'postgres'
    // A main process, which names the folder on its command line, is somebody's new server.
    if (isOurs && !(await isAlive(Number(name), data))) sendSignal(Number(name), 'SIGKILL')
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // Gone in the meantime: just what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
