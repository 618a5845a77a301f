/**
 * Processes of an earlier run that ended without cleaning up. They leave by themselves when their supervisor is gone; one whose
 * event loop hangs cannot, and is ended here.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Clock } from '@flotilla/core/clock'
import type { DataFolder } from './data-folder.ts'

/** A process that was started. */
export interface StartedProcess {
  readonly pid: number
  /** Tells it from another one that got the same number later. */
  readonly birth: string
}

/** Where there is no /proc. */
const UNKNOWN = 'unknown'
const FILE = 'processes.json'
const GRACE_MS = 3_000
const POLL_MS = 50

/** Writes down which processes there are; those that could not be told from others later are left out. */
export function recordProcesses(folder: DataFolder, pids: readonly number[]): void {
  folder.writeJson(
    FILE,
    pids.flatMap((pid) => {
      const birth = birthOf(pid)
      return birth === undefined || birth === UNKNOWN ? [] : [{ pid, birth }]
    }),
  )
}

/** Ends what is left of an earlier run; returns how many there were. */
export async function endLeftovers(folder: DataFolder, clock: Clock): Promise<number> {
  const recorded = folder.readJson<StartedProcess[]>(FILE) ?? []
  const alive = (): StartedProcess[] => recorded.filter(isAlive)
  const found = alive().length
  for (const { pid } of alive()) kill(pid, 'SIGTERM')
  const areGone = async (): Promise<void> => {
    const untilMs = clock.monotonicMs() + GRACE_MS
    while (alive().length > 0 && clock.monotonicMs() < untilMs) await clock.sleep(POLL_MS)
  }
  await areGone()
  for (const { pid } of alive()) kill(pid, 'SIGKILL')
  // Until then they hold their ports.
  await areGone()
  folder.remove(FILE)
  return found
}

/** This process, as others may know it again. */
export function thisProcess(): StartedProcess {
  return { pid: process.pid, birth: birthOf(process.pid) ?? UNKNOWN }
}

/** True while the process runs: one that ended and was not collected by its parent yet does not, nor does one with its number. */
export function isAlive({ pid, birth }: StartedProcess): boolean {
  return birthOf(pid) === birth
}

function isNumberTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** When a process was started, in the kernel's ticks; undefined when it is gone, `UNKNOWN` where they cannot be had. */
function birthOf(pid: number): string | undefined {
  if (!isNumberTaken(pid)) return undefined
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may contain anything; the fields after it count from the third.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Its first thread may have ended before the others, which hold memory and ports until they do.
    const isLastThread = Number(fields[17]) <= 1
    return fields[0] === 'Z' && isLastThread ? undefined : fields[19]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return undefined
    if (code === 'ENOENT') return process.platform === 'linux' ? undefined : UNKNOWN
    throw error
  }
}
