/**
 * `flotilla up`: starts the system and stays with it.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@flotilla/core/clock'
import { FlotillaError, isFlotillaError } from '@flotilla/core/error'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import type { Service } from '@flotilla/core/service'
import { type AppModule, loadAllServices, loadApp, placeable } from '../../system/app-module.ts'
import { isOutdated } from '../../system/bundle-age.ts'
import { findRunning, refuseSecond } from '../../system/control-file.ts'
import { type DataFolder, Secrets } from '../../system/data-folder.ts'
import { readPorts } from '../../system/ports.ts'
import { lastWords } from '../../system/run-task.ts'
import { openSystem, type System } from '../../system/system.ts'
import {
  builtInPlacement,
  builtInPlacements,
  type PlaceableService,
  type Placement,
  parsePlacement,
} from '../../topology/placement.ts'
import { textOption } from '../arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { tellPolicyMistakes } from '../policy-report.ts'
import { dataFolderOf } from '../running-system.ts'
import { type Terminal, table } from '../terminal.ts'

const SAME_WISH_MS = 1_000

/** The command. */
export const up: Command = {
  name: 'up',
  usage: '[--placement monolith|fleet|FILE] [--port N] [--detach]',
  summary: 'start everything',
  details: `Starts PostgreSQL, brings the databases up to date, starts every host of the placement in the order of need, and stays
in the foreground until Ctrl-C. With --detach it returns when everything is ready; stop it with: flotilla down`,
  options: {
    placement: {
      type: 'string',
      value: 'NAME|FILE',
      summary: 'fleet (default), monolith, or a file of your own',
    },
    port: { type: 'string', value: 'N', summary: "the gateway's port (default 8080, or FLOTILLA_PORT)" },
    detach: { type: 'boolean', summary: 'run in the background' },
  },
  async run(context) {
    const module = await loadApp(context.workingFolder)
    const folder = dataFolderOf(context, module.root)
    folder.make()
    refuseSecond(folder)
    if (context.options['detach']) return detach(context, folder)
    warnIfOutdated(context.terminal, module)
    return foreground(context, module, folder)
  },
}

async function foreground(context: CommandContext, module: AppModule, folder: DataFolder): Promise<number> {
  const { terminal, environment } = context
  const startMs = systemClock.monotonicMs()
  const services = await loadServices(context, module)
  const all = placeable(module.app, services)
  const placement = choosePlacement(context, all)
  const secrets = new Secrets(folder, systemRandom)
  const logFile = openSync(join(folder.logs, 'supervisor.log'), 'a', 0o600)
  const stop = new AbortController()
  let stopMs = 0
  const stopped = new Promise<void>((resolve) => {
    stop.signal.addEventListener('abort', () => {
      stopMs = systemClock.monotonicMs()
      terminal.line('Stopping …')
      resolve()
    })
  })
  const askToStop = (): void => stop.abort()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) onceThenAtOnce(signal, askToStop)
  terminal.line(`Starting ${terminal.style('bold', module.app.name)} as ${placement.name} …`)
  const system = await openSystem({
    module,
    services,
    placeable: all,
    placement,
    folder,
    secrets,
    tcp: readPorts(module.app, environment, textOption(context, 'port')),
    ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
    environment,
    log: createLogger({
      level: 'info',
      clock: systemClock,
      fields: { instance: 'supervisor', version: module.version },
      destination: logFile,
    }),
    onStep: (step) => terminal.line(terminal.style('dim', `  ${seconds(startMs)}  ${step}`)),
    onEnd: (slot) => {
      terminal.line(
        `${terminal.style('yellow', slot.name)} ended by itself: ${slot.lastEnd}; log: ${join(folder.logs, `${slot.name}.log`)}`,
      )
    },
    onDown: askToStop,
    onLost: (error) => stop.abort(error),
    signal: stop.signal,
  }).catch((error: unknown) => {
    if (error !== stop.signal.reason) throw error
    return undefined
  })
  if (system !== undefined) {
    const facts = factsOf(module, placement, system, folder, secrets)
    terminal.result(facts, () => [screen(terminal, facts, seconds(startMs))])
    system.announce()
    await stopped
  }
  try {
    await system?.close()
  } finally {
    closeSync(logFile)
  }
  if (!existsSync(folder.path)) {
    throw new FlotillaError(
      'internal',
      `Everything is stopped, but the data folder ${folder.path} is gone: somebody removed it meanwhile.`,
    )
  }
  if (isFlotillaError(stop.signal.reason)) throw stop.signal.reason
  terminal.line(`Stopped in ${seconds(stopMs)}; the data is kept in ${folder.path}.`)
  return 0
}

/** Also tells what is wrong with the policies that they are to heed. */
async function loadServices(
  context: CommandContext,
  { app }: AppModule,
): Promise<ReadonlyMap<string, Service>> {
  const services = await loadAllServices(app)
  await tellPolicyMistakes(context, services)
  return services
}

function warnIfOutdated(terminal: Terminal, { root, folder }: AppModule): void {
  const bundles = [join(folder, 'bundle'), fileURLToPath(new URL('.', import.meta.url))]
  if (!bundles.some((bundle) => isOutdated(root, bundle))) return
  terminal.line(
    terminal.style('yellow', 'Sources were changed since they were built; to run them: npm run build'),
  )
}

/**
 * The first signal asks; a later one means it. On Ctrl-C the terminal signals us and so does npm, if it stands between: what
 * comes within a second is one wish.
 */
function onceThenAtOnce(signal: NodeJS.Signals, ask: () => void): void {
  let askedMs: number | undefined
  process.on(signal, () => {
    const nowMs = systemClock.monotonicMs()
    if (askedMs !== undefined && nowMs - askedMs > SAME_WISH_MS) process.exit(1)
    askedMs ??= nowMs
    ask()
  })
}

function choosePlacement(context: CommandContext, services: readonly PlaceableService[]): Placement {
  const given = textOption(context, 'placement') ?? 'fleet'
  const builtIn = builtInPlacements.find((name) => name === given)
  if (builtIn !== undefined) return builtInPlacement(builtIn, services)
  const path = resolve(context.workingFolder, given)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new FlotillaError(
      'failed_precondition',
      `The placement ${given} is neither ${builtInPlacements.join(' nor ')} nor a file that can be read.`,
      { cause },
    )
  }
  return parsePlacement(given, text, services)
}

/** What `up` has started. */
interface Facts extends Pick<System, 'gateway' | 'control' | 'console' | 'database' | 'processes'> {
  readonly app: string
  readonly placement: string
  /** Path of the data folder. */
  readonly data: string
  readonly logins: readonly { readonly email: string; readonly password: string }[]
}

function factsOf(
  { app }: AppModule,
  placement: Placement,
  { gateway, control, console, database, processes }: System,
  { path: data }: DataFolder,
  secrets: Secrets,
): Facts {
  const logins = (app.logins ?? []).map(({ email, field }) => ({
    email,
    password: secrets.get(`login ${field}`),
  }))
  return {
    app: app.name,
    placement: placement.name,
    gateway,
    control,
    console,
    database,
    data,
    processes,
    logins,
  }
}

/** Everything a person needs to go on, on one screen. */
function screen(terminal: Terminal, facts: Facts, took: string): string {
  const { app, placement, gateway, control, database, data, processes, logins } = facts
  const bold = (text: string): string => terminal.style('bold', text)
  return [
    '',
    `${bold(app)} is ready, as ${placement}, after ${took}.`,
    '',
    ...table([
      ['  API', terminal.style('cyan', `${gateway}/api/v1`)],
      ['  documentation', terminal.style('cyan', `${gateway}/docs`)],
      ['  console', terminal.style('cyan', facts.console)],
      ['  control API', `${control} (npx flotilla status)`],
      ['  PostgreSQL', database],
      ['  data, logs', data],
    ]),
    '',
    bold('What runs where'),
    ...table(processes.map(({ name, services, pid }) => [`  ${name}`, `pid ${pid}`, services.join(', ')])),
    '',
    bold('Log in as'),
    ...table(logins.map(({ email, password }) => [`  ${email}`, password])),
    '',
    `Try: curl '${gateway}/api/v1/search?q=headphones'`,
    `Stop with Ctrl-C${process.stdin.isTTY ? '' : ', or: npx flotilla down'}. The data is kept.`,
    '',
  ].join('\n')
}

/** Starts this command again in the background and waits until it is ready. */
async function detach(context: CommandContext, folder: DataFolder): Promise<number> {
  const { terminal } = context
  const [path, errorPath] = [join(folder.logs, 'up.log'), join(folder.logs, 'up-errors.log')]
  const [output, errors] = [openSync(path, 'w', 0o600), openSync(errorPath, 'w', 0o600)]
  const given = Object.entries(context.options).flatMap(([name, value]) => {
    if (name === 'detach' || value === undefined || value === false) return []
    return value === true ? [`--${name}`] : [`--${name}`, String(value)]
  })
  const program = fileURLToPath(new URL('../bin/flotilla.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, 'up', ...given], {
    detached: true,
    stdio: ['ignore', output, errors],
  })
  let exitCode: number | null | undefined
  child.once('exit', (code) => {
    exitCode = code
  })
  terminal.line('Starting in the background …')
  while (findRunning(folder)?.isReady !== true) {
    if (exitCode !== undefined) {
      terminal.error(`It did not start. Its last words, from ${errorPath}:\n${lastWords(errorPath)}`)
      return 1
    }
    await systemClock.sleep(100)
  }
  child.unref()
  closeSync(output)
  closeSync(errors)
  const text = readFileSync(path, 'utf8').trimEnd()
  terminal.result(terminal.isJson ? JSON.parse(text) : undefined, () => [text])
  return 0
}

function seconds(sinceMs: number): string {
  return `${((systemClock.monotonicMs() - sinceMs) / 1000).toFixed(1)} s`
}
