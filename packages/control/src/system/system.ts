/**
 * One running system: database server, keys, control process, services; opened in order, closed in the opposite order. First of all, what only
 * looks at the services stops looking.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { type App, decideSettings } from '@flotilla/core/app'
import type { Clock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import { createKeyPair, type KeyPairText, Signer } from '@flotilla/core/credentials'
import { FlotillaError } from '@flotilla/core/error'
import type { Logger } from '@flotilla/core/log'
import type { ProcessSlot } from '../supervisor/process-slot.ts'
import { Supervisor } from '../supervisor/supervisor.ts'
import { mistakesIn, PlacementError, startWaves } from '../topology/placement.ts'
import { consoleLink, TELEMETRY_KEY } from './console-pages.ts'
import { CONTROL_FILE, type ControlFile, claim } from './control-file.ts'
import type { Secrets } from './data-folder.ts'
import { type Databases, externalUrlIn, openDatabases } from './databases.ts'
import { type EnvironmentOptions, hostEnvironment } from './host-environment.ts'
import { endLeftovers, recordProcesses, thisProcess } from './leftovers.ts'
import { gatewayOrigin, portUses, probePort } from './ports.ts'
import { lastWords, runTask } from './run-task.ts'
import { ControlProcess } from './start-control.ts'
import type { SystemOptions } from './system-options.ts'

/** A running system. */
export interface System {
  /** Tells other commands that it is ready, and its user told. */
  announce(): void
  readonly gateway: string
  readonly control: string
  /** The page for people, with what logs them in. */
  readonly console: string
  readonly database: string
  readonly processes: readonly {
    readonly name: string
    readonly services: readonly string[]
    readonly pid: number
  }[]
  /**
   * Stops everything. What fails, or takes too long, is logged, and the rest is stopped all the same.
   *
   * @throws FlotillaError `internal` when something failed, after all of it.
   */
  close(): Promise<void>
}

/** Time given to each process to end. */
const STOP_GRACE_MS = 8_000
const CLOSING_STEP_MS = 40_000
const CREDENTIAL_MS = 365 * 24 * 3_600_000
const LOOP_CHECK_MS = 100

/**
 * Starts everything; resolves when every process is ready.
 *
 * @throws FlotillaError `failed_precondition` with a line that says what is wrong and what to do; the signal's reason, if that was first. What was
 * started is stopped.
 */
export async function openSystem(options: SystemOptions): Promise<System> {
  const closing = new Closing(options.ports.clock, CLOSING_STEP_MS)
  try {
    return await open(options, closing)
  } catch (error) {
    const closed = closeAll(closing, options.log)
    if (options.signal.aborted) {
      await closed
      throw options.signal.reason
    }
    // What went wrong first is what people must hear; the rest is in the log.
    await closed.catch(() => {})
    throw error
  }
}

async function closeAll(closing: Closing, log: Logger): Promise<void> {
  try {
    await closing.close()
  } catch (cause) {
    const failures = (cause as AggregateError).errors as readonly Error[]
    for (const error of failures) log.error('not closed cleanly', { error })
    const reasons = failures.map(({ message }) => message).join('; ')
    throw new FlotillaError('internal', `Everything was told to stop, but: ${reasons}.`, { cause })
  }
}

async function open(options: SystemOptions, closing: Closing): Promise<System> {
  const { module, services, placement, folder, tcp, ports, onStep, signal } = options
  const mistakes = mistakesIn(placement, options.placeable)
  if (mistakes.length > 0) throw new PlacementError(placement.name, mistakes)
  const externalUrl = externalUrlIn(options.environment)
  const controlFile = controlFileOf(options, externalUrl === undefined)
  claim(folder, controlFile)
  closing.defer('control file', () => folder.remove(CONTROL_FILE))
  const ended = await endLeftovers(folder, ports.clock)
  if (ended > 0) onStep(`ended ${ended} processes that an earlier run left behind`)
  // PostgreSQL finds out about its own, which a server of an earlier run may have.
  for (const use of portUses(tcp)) if (use.port !== tcp.postgres) await probePort(use)
  closing.defer('sockets', () => rmSync(folder.sockets, { recursive: true, force: true }))

  onStep('PostgreSQL')
  const { app } = module
  const databases = await openDatabases({
    ...options,
    app: app.name,
    postgresPort: tcp.postgres,
    externalUrl,
    closing,
  })
  const userKeys = createKeyPair()
  const environment = environmentOf(options, databases, userKeys)
  const { supervisor, control } = openProcesses(options, { environment, databases, userKeys, closing })
  signal.throwIfAborted()
  // Most of a start is loading code: done by all at once, and while the databases are seen to.
  supervisor.load()
  control.load()
  onStep('migrations and first data')
  await runTask({ module, folder, task: 'prepare', services: [...services.keys()], environment, signal })
  control.open()
  const started = supervisor.start((hosts) => onStep(hosts.join(', '))).then(() => control.whenReady())
  await failOnLoop(supervisor, started, ports.clock, signal)
  signal.throwIfAborted()
  return {
    gateway: gatewayOrigin(tcp, options.environment),
    control: controlFile.url,
    console: consoleLink(controlFile.url, options.secrets),
    database: databases.description,
    processes: supervisor.processes.map(({ name, services, pid = 0 }) => ({ name, services, pid })),
    announce: () => folder.writeJson(CONTROL_FILE, { ...controlFile, isReady: true }),
    close: () => closeAll(closing, options.log),
  }
}

function controlFileOf({ tcp, secrets, environment }: SystemOptions, isEmbedded: boolean): ControlFile {
  const policies = environment['FLOTILLA_POLICIES']
  return {
    ...thisProcess(),
    url: `http://127.0.0.1:${tcp.control}`,
    token: secrets.get('control token'),
    ...(isEmbedded ? { postgresPort: tcp.postgres } : {}),
    ...(policies ? { policies: resolve(policies) } : {}),
    isReady: false,
  }
}

/** What hosts are told; fresh keys for every run, so that credentials of an earlier one are worth nothing. */
function environmentOf(
  options: SystemOptions,
  databases: Databases,
  userKeys: KeyPairText,
): EnvironmentOptions {
  const { module, services, folder, secrets, tcp, ports, environment } = options
  const processKeys = createKeyPair()
  const decided = decideSettings(module.app, {
    gatewayPort: tcp.gateway,
    outsidePorts: tcp.outside,
    secretOf: (name) => secrets.get(name),
  })
  return {
    environment,
    services: [...services.keys()],
    version: module.version,
    socketFolder: folder.sockets,
    registryPort: tcp.registry,
    processKey: processKeys.publicKey,
    userKey: userKeys.publicKey,
    signer: new Signer(processKeys.privateKey),
    credentialsUntil: ports.clock.now() + CREDENTIAL_MS,
    databaseUrls: databases.urls,
    telemetry: { origin: `http://127.0.0.1:${tcp.control}`, key: secrets.get(TELEMETRY_KEY) },
    settings: {
      ...decided,
      gateway: {
        ...decided['gateway'],
        port: String(tcp.gateway),
        userSigningKey: userKeys.privateKey,
      },
    },
    taskSettings: loginSettings(module.app, secrets),
  }
}

/** The passwords of an app's first accounts, as settings of its service `auth`. */
export function loginSettings(app: App, secrets: Secrets): EnvironmentOptions['taskSettings'] {
  return {
    auth: Object.fromEntries((app.logins ?? []).map(({ field }) => [field, secrets.get(`login ${field}`)])),
  }
}

/** Tests that kill the same process again and again want it back. */
function restartMsMaxIn({
  FLOTILLA_RESTART_MS_MAX: text,
}: Readonly<Record<string, string | undefined>>): number | undefined {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : undefined
}

interface Opened {
  readonly environment: EnvironmentOptions
  readonly databases: Databases
  readonly userKeys: KeyPairText
  readonly closing: Closing
}

/** The services' processes, and the control process beside them. */
function openProcesses(
  options: SystemOptions,
  opened: Opened,
): { readonly supervisor: Supervisor; readonly control: ControlProcess } {
  const { folder, log, onEnd, signal } = options
  const { databases, closing } = opened
  const onChange = (slot: ProcessSlot): void => {
    const pids = [databases.pid(), ...supervisor.slots.map(({ pid }) => pid)]
    try {
      recordProcesses(
        folder,
        pids.filter((pid) => pid !== undefined),
      )
    } catch (error) {
      // The disk is full, or somebody removed the folder: no reason to leave a process alone, least of all when it is to end.
      log.error('the processes could not be written down', { error })
    }
    control.changed(slot)
    if (slot.state !== 'waiting' || signal.aborted) return
    log.error('a process ended by itself', { process: slot.name, why: slot.lastEnd })
    onEnd(slot)
  }
  const supervisor = openSupervisor(options, opened.environment, onChange)
  const control = new ControlProcess(options, { ...opened, supervisor })
  closing.defer('control process', () => control.stop())
  closing.defer('processes', () => supervisor.stop(STOP_GRACE_MS))
  closing.defer('watch', () => control.quiet())
  return { supervisor, control }
}

function openSupervisor(
  { module, placement, placeable, folder, ports, environment: ours }: SystemOptions,
  environment: EnvironmentOptions,
  onChange: (slot: ProcessSlot) => void,
): Supervisor {
  return new Supervisor({
    clock: ports.clock,
    random: ports.random,
    placement,
    waves: startWaves(placement, placeable),
    logFolder: folder.logs,
    restartMsMax: restartMsMaxIn(ours),
    command(host, ordinal, attempt) {
      const services = placement.hosts[host]?.services ?? []
      // A new process is a new instance: nobody may take it for the one before.
      const instance = `${host}-${ordinal}-${attempt.toString(36)}${Buffer.from(ports.random.bytes(3)).toString('hex')}`
      return {
        program: process.execPath,
        args: [module.main],
        environment: hostEnvironment(environment, { instance, services }),
        instance,
      }
    },
    onChange,
  })
}

/** Waits for the start, but not for a process that ends again and again, and no longer than wanted. */
async function failOnLoop(
  supervisor: Supervisor,
  started: Promise<void>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let isStarted = false
  const watch = async (): Promise<void> => {
    while (!isStarted) {
      const slot = supervisor.slots.find(({ isLooping, state }) => isLooping && state !== 'ready')
      if (slot !== undefined) {
        throw new FlotillaError(
          'failed_precondition',
          `${slot.name} does not start (${slot.lastEnd ?? ''}). Its last words, from ${supervisor.logPath(slot.name)}:\n${lastWords(supervisor.logPath(slot.name))}`,
        )
      }
      await clock.sleep(LOOP_CHECK_MS, signal)
    }
  }
  await Promise.race([started.finally(() => (isStarted = true)), watch()])
}
