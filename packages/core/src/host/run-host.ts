/**
 * A process that is one host: reads its environment, opens the host, tells who started it, leaves in good order.
 *
 * - Held: what can be loaded is loaded; nothing is opened before the supervisor says so.
 * - SIGTERM or SIGINT: drain and exit 0; a second one, or more than 25 s, exits 1.
 * - An error nobody caught: log it and exit. A process in an unknown state is worse than none; the supervisor starts another.
 * - The supervisor is gone (its end of the channel closed): drain and exit, so that it leaves no orphan behind.
 *
 * @module
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { systemClock } from '../kernel/clock.ts'
import type { Ports } from '../kernel/context.ts'
import { setCrashpoints } from '../kernel/crashpoint.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { createLogger } from '../telemetry/log.ts'
import { Redaction } from '../telemetry/redaction.ts'
import { type App, loadServices } from './app.ts'
import { ConfigError } from './config.ts'
import { type Host, type HostOptions, openHost } from './host.ts'
import { readHostSettings } from './settings.ts'
import { runTask, type Task, tasks } from './tasks.ts'

/** What a supervisor tells a host process over the Node channel. */
export type SupervisorMessage =
  /** Traces that are slow or failed in another process. */
  | { readonly kind: 'keep'; readonly traceIds: readonly string[] }
  /** A process that is held may go on: those that it needs are ready. */
  | { readonly kind: 'open' }

/** What a host process tells its supervisor over the Node channel. */
export type HostMessage =
  | { readonly kind: 'ready'; readonly http: string }
  /** Traces that are slow or failed here: for all other processes. */
  | { readonly kind: 'keep'; readonly traceIds: readonly string[] }
  | {
      readonly kind: 'stats'
      /** User and system time since the start. */
      readonly cpuMs: number
      readonly rssBytes: number
      readonly inFlight: number
      /** How late the event loop was at worst since the last message. */
      readonly loopDelayMs: number
    }

const CLOSING_MS_MAX = 25_000
const STATS_MS = 2_000
const LOOP_RESOLUTION_MS = 100

/** Runs what the process was started for: a one-off task named by the first argument, or else a host. */
export async function run(app: App): Promise<void> {
  const task = tasks.find((name) => name === process.argv[2])
  if (task !== undefined) return runOnce(app, task)
  await runHost(
    app.name,
    (given) => openHost({ app, ...given }),
    // Loaded once, and there when the host is opened.
    (services) => loadServices(app, services),
  )
}

/** Does one task and ends. */
async function runOnce(app: App, task: Task): Promise<void> {
  const log = createLogger({
    level: 'info',
    clock: systemClock,
    fields: { service: app.name, instance: task },
  })
  try {
    const { services } = readHostSettings(process.env)
    await runTask(task, { app, services, environment: process.env, ports: systemPorts(), log })
  } catch (error) {
    if (error instanceof ConfigError) for (const mistake of error.mistakes) log.error(mistake)
    else log.error(`${task} failed`, { error })
    process.exitCode = 1
  }
}

function systemPorts(): Ports {
  return { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }
}

/** What a process of one host has for it: everything but the app. */
export type HostGiven = Omit<HostOptions, 'app'> & Required<Pick<HostOptions, 'log'>>

/** What is asked of a host that is a process. */
export type HostOfProcess = Pick<Host, 'http' | 'inFlight' | 'keepTraces' | 'close'>

/**
 * Opens a host as this whole process and runs until told to stop; see the head of this file. `name` stands in lines of the log that are written
 * before the settings are read. `load` is what can be done before anybody else is ready, given the names of the services.
 */
export async function runHost(
  name: string,
  open: (given: HostGiven) => Promise<HostOfProcess>,
  load: (services: readonly string[]) => Promise<unknown> = async () => undefined,
): Promise<void> {
  const environment = process.env
  let host: HostOfProcess | undefined
  let isLeaving = false
  const leave = async (why: string): Promise<void> => {
    if (isLeaving) process.exit(1)
    isLeaving = true
    log.info('leaving', { why })
    systemClock.schedule(CLOSING_MS_MAX, () => process.exit(1))
    await host?.close()
    process.exit(0)
  }
  const crash = (error: unknown): void => {
    log.error('crashed', { error })
    process.exit(70)
  }
  let log = createLogger({ level: 'info', clock: systemClock, fields: { service: name } })
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => leave(signal).catch(crash))
  process.on('disconnect', () => leave('the supervisor is gone').catch(crash))
  try {
    const settings = readHostSettings(environment)
    if (settings.crashpoints !== '') setCrashpoints(settings.crashpoints)
    const fields = { instance: settings.instance, version: settings.version }
    const redaction = new Redaction()
    log = createLogger({ level: settings.logLevel, clock: systemClock, redaction, fields })
    await Promise.all([load(settings.services), ...(settings.isHeld ? [toldToOpen()] : [])])
    host = await open({
      settings,
      environment,
      log,
      redaction,
      ports: systemPorts(),
      onTracesKept: (traceIds) => send({ kind: 'keep', traceIds }),
    })
  } catch (error) {
    if (error instanceof ConfigError) for (const mistake of error.mistakes) log.error(mistake)
    else log.error('could not start', { error })
    process.exit(error instanceof ConfigError ? 78 : 1)
  }
  if (process.send !== undefined) tellSupervisor(host)
}

function toldToOpen(): Promise<void> {
  return new Promise((resolve) => {
    const listen = (message: SupervisorMessage): void => {
      if (message.kind !== 'open') return
      process.off('message', listen)
      resolve()
    }
    process.on('message', listen)
  })
}

function send(message: HostMessage): void {
  // The channel may be closing; 'disconnect' follows.
  process.send?.(message, undefined, undefined, () => {})
}

/** Says that the host is ready, then how it is doing. */
function tellSupervisor(host: HostOfProcess): void {
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  loop.enable()
  process.on('message', (message: SupervisorMessage) => {
    if (message.kind === 'keep') host.keepTraces(message.traceIds)
  })
  const tell = (): void => {
    const { user, system } = process.cpuUsage()
    const rssBytes = process.memoryUsage.rss()
    send({
      kind: 'stats',
      cpuMs: (user + system) / 1000,
      rssBytes,
      inFlight: host.inFlight,
      // What it tells is the time between two looks, not how late the second one was.
      loopDelayMs: Math.max(0, loop.max / 1e6 - LOOP_RESOLUTION_MS),
    })
    loop.reset()
    systemClock.schedule(STATS_MS, tell)
  }
  send({ kind: 'ready', http: host.http })
  tell()
}
