/**
 * The file that tells of a running system: where the command line finds it, and why there is no second one on its data folder.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { DataFolder } from './data-folder.ts'
import { isAlive, type StartedProcess } from './leftovers.ts'

/** What it says. The process is the one that supervises. */
export interface ControlFile extends StartedProcess {
  readonly url: string
  readonly token: string
  /** Of the embedded server; absent when `DATABASE_URL` named another. */
  readonly postgresPort?: number
  /** Where its policies stand; absent: it has none. */
  readonly policies?: string
  /** False until every process is ready, and the user told. */
  readonly isReady: boolean
}

/** Its name in the data folder. */
export const CONTROL_FILE = 'control.json'

/** What the data folder says about a running system; undefined when there is none. */
export function findRunning(folder: DataFolder): ControlFile | undefined {
  const file = folder.readJson<ControlFile>(CONTROL_FILE)
  return file !== undefined && isAlive(file) ? file : undefined
}

/** @throws FlotillaError `failed_precondition` when a system runs on the data folder. */
export function refuseSecond(folder: DataFolder): void {
  const running = findRunning(folder)
  if (running === undefined) return
  throw new FlotillaError(
    'failed_precondition',
    `It runs already (pid ${running.pid}); see it with: npx flotilla status`,
  )
}

/**
 * Makes the data folder ours.
 *
 * @throws FlotillaError `failed_precondition` when a system runs on it, or another one starts at the same moment.
 */
export function claim(folder: DataFolder, file: ControlFile): void {
  refuseSecond(folder)
  // What is there is of a system that ended, unless another starter has put its own there since we looked: so it is moved, and
  // looked at again where nobody else touches it.
  const aside = `${CONTROL_FILE}.old.${process.pid}`
  folder.move(CONTROL_FILE, aside)
  const moved = folder.readJson<ControlFile>(aside)
  if (moved !== undefined && isAlive(moved)) folder.move(aside, CONTROL_FILE)
  else folder.remove(aside)
  if (folder.createJson(CONTROL_FILE, file)) return
  refuseSecond(folder)
  throw new FlotillaError('failed_precondition', `Another system starts on ${folder.path}; try again.`)
}
