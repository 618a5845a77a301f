/**
 * Short-lived programs, and what they said.
 *
 * @module
 */
import { spawn } from 'node:child_process'

/** What `spawn` takes. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly uid?: number
  readonly gid?: number
}

/** What became of it. */
export interface Ran {
  /** Absent: it could not be started, or was killed. */
  readonly exitCode: number | undefined
  /** The end of what it wrote to both outputs; at most 16 kB. */
  readonly output: string
}

const OUTPUT_CHARS_MAX = 16_384

/** Runs it to its end. */
export function run({ command, args, ...options }: Launch): Promise<Ran> {
  return new Promise((resolve) => {
    let output = ''
    // A process group of its own: Ctrl-C in the terminal is for us, and half a cluster is of no use.
    const child = spawn(command, args, {
      ...options,
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-OUTPUT_CHARS_MAX)
      })
    }
    child.on('error', (error) => resolve({ exitCode: undefined, output: error.message }))
    child.on('close', (exitCode) => resolve({ exitCode: exitCode ?? undefined, output }))
  })
}
