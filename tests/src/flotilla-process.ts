/**
 * The `flotilla` command as a test runs it: a real process, on a data folder and ports of its own.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { outsidePortVariable } from '@flotilla/core/app'
import { findFreePort } from '@flotilla/core/free-port'
import { until } from '@flotilla/core/until'
import { app } from '@flotilla/shop/app'

/** The folder of the repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What came of a command. */
export interface Ran {
  readonly exitCode: number | null
  readonly output: string
  readonly errors: string
}

/** A folder and ports for one system; what is running in it is stopped after the test, then the folder is removed. */
export interface Bed {
  /** What is to be done after the test, the last first. */
  readonly cleanUps: (() => Promise<void>)[]
  readonly folder: string
  /** The checkout that is run. */
  readonly root: string
  readonly gatewayPort: number
  readonly environment: Readonly<Record<string, string>>
}

/** Commands that go on. */
const children = new Set<ChildProcess>()

// What was started is not left behind, however this process ends, short of `kill -9`.
process.once('exit', () => {
  for (const child of children) child.kill('SIGTERM')
})

/** Has a campaign end at Ctrl-C, and what it started with it. */
export function exitOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
}

/** Makes a bed, for the checkout in `from`: by default this one. */
export async function makeBed(
  t: { after(cleanUp: () => Promise<void>): void },
  from: string = root,
): Promise<Bed> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-system-'))
  const cleanUps = [async () => rmSync(folder, { recursive: true, force: true })]
  t.after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  })
  const outside = (app.outside ?? []).map(({ service }) => service)
  const [gateway = 0, control = 0, registry = 0, postgres = 0, ...others] = await Promise.all(
    Array.from({ length: 4 + outside.length }, () => findFreePort()),
  )
  return {
    cleanUps,
    folder,
    root: from,
    gatewayPort: gateway,
    environment: {
      FLOTILLA_DATA: folder,
      FLOTILLA_PORT: String(gateway),
      FLOTILLA_CONTROL_PORT: String(control),
      FLOTILLA_REGISTRY_PORT: String(registry),
      FLOTILLA_POSTGRES_PORT: String(postgres),
      ...Object.fromEntries(outside.map((name, index) => [outsidePortVariable(name), String(others[index])])),
    },
  }
}

/** Runs a command to its end. */
export function run(bed: Bed, ...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const { child, output, errors } = start(bed, args)
    child.once('close', (exitCode) => resolve({ exitCode, output: output(), errors: errors() }))
  })
}

/** A command that goes on. */
export interface Running {
  readonly child: ChildProcess
  readonly output: () => string
  readonly errors: () => string
}

/** Starts a command; as the leader of a process group of its own, such as a shell would make it, when `isGroup`. */
export function start(
  bed: Bed,
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
  isGroup = false,
): Running {
  const child = spawn(process.execPath, [join(bed.root, 'packages/control/bin/flotilla.mjs'), ...args], {
    cwd: bed.root,
    detached: isGroup,
    env: { ...process.env, NO_COLOR: '1', ...bed.environment, ...extra },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  child.once('close', () => children.delete(child))
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  return { child, output: () => output, errors: () => errors }
}

/** Starts `flotilla up` and waits until it says that it is ready; it is stopped after the test. */
export async function startUp(
  bed: Bed,
  args: readonly string[] = [],
  extra: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const running = start(bed, ['up', ...args], extra)
  const ended = new Promise<void>((resolve) => running.child.once('close', () => resolve()))
  bed.cleanUps.push(async () => {
    running.child.kill('SIGTERM')
    await ended
  })
  await until(
    'the system is ready',
    () => {
      if (running.child.exitCode !== null) throw new Error(`up ended: ${running.output()}${running.errors()}`)
      return running.output().includes('Stop with Ctrl-C')
    },
    150_000,
  )
  return running
}

/** Every process of the system that still runs: those whose command line names its data folder, or that it wrote down. */
export function processesOf(bed: Bed): readonly number[] {
  const path = join(bed.folder, 'processes.json')
  const recorded = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as { pid: number; birth: string }[])
    : []
  return recorded.filter(({ pid, birth }) => birthOf(pid) === birth).map(({ pid }) => pid)
}

/** When a process was started, in the kernel's ticks; undefined when it is gone or only waits to be collected. */
function birthOf(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    // ESRCH: it went between opening and reading.
    if (/^(?:ENOENT|ESRCH)$/.test((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}
