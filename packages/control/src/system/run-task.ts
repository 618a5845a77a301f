/**
 * One-off tasks of an app (migrate, first data): a process of the app's own program that does the work and ends.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FlotillaError } from '@flotilla/core/error'
import { LogFile } from '../supervisor/log-file.ts'
import type { AppModule } from './app-module.ts'
import type { DataFolder } from './data-folder.ts'
import { type EnvironmentOptions, hostEnvironment } from './host-environment.ts'

/** A task to run. */
export interface TaskOptions {
  readonly module: AppModule
  readonly folder: DataFolder
  /** `prepare` is `migrate`, then `seed`. */
  readonly task: 'migrate' | 'seed' | 'prepare'
  readonly services: readonly string[]
  readonly environment: EnvironmentOptions
  /** Ends it. */
  readonly signal: AbortSignal
}

const WORDS_LINES = 12
/** A task that waits for ever, say for a lock, must not keep a start waiting with it. */
const TASK_MS_MAX = 600_000

/** @throws FlotillaError `failed_precondition` with the task's last words when it fails; the signal's reason, when the task is gone. */
export async function runTask(options: TaskOptions): Promise<void> {
  const { module, folder, task, services, environment, signal } = options
  signal.throwIfAborted()
  const log = new LogFile(join(folder.logs, `${task}.log`))
  try {
    // A process group of its own: Ctrl-C in the terminal is for us.
    const child = spawn(process.execPath, [module.main, task], {
      detached: true,
      signal,
      timeout: TASK_MS_MAX,
      killSignal: 'SIGKILL',
      env: hostEnvironment(
        { ...environment, settings: environment.taskSettings },
        { instance: task, services },
      ),
      stdio: ['ignore', log.descriptor, log.descriptor],
    })
    const end = await new Promise<string>((resolve, reject) => {
      child.once('exit', (code, killedBy) => resolve(killedBy ?? `exit code ${code}`))
      // Told of an abort, too; but then the process is still to end.
      child.once('error', (error) => child.pid === undefined && reject(error))
    })
    signal.throwIfAborted()
    if (end === 'exit code 0') return
    throw new FlotillaError(
      'failed_precondition',
      `The task ${task} failed (${end}). Its last words, from ${log.path}:\n${lastWords(log.path)}`,
    )
  } finally {
    log.close()
  }
}

/** The end of a log, for people: messages rather than JSON. */
export function lastWords(path: string): string {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-WORDS_LINES) : []
  return lines.map((line) => `  ${readable(line)}`).join('\n')
}

function readable(line: string): string {
  if (!line.startsWith('{')) return line
  try {
    const { level, message, error } = JSON.parse(line) as {
      level?: string
      message?: string
      error?: { message?: string; cause?: { message?: string } }
    }
    const causes = [error?.message, error?.cause?.message].filter((text) => text !== undefined)
    return [`${level}:`, message, ...causes].join(' ')
  } catch {
    // Not one of our lines after all.
    return line
  }
}
