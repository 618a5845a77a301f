/**
 * An app running in the test's own process, on real databases and real sockets.
 *
 * - `one process`: one host with every service; calls between them are direct. The app may do without a registry.
 * - `frames`: a host for every service, with the registry between them; calls go through sockets.
 *
 * Real processes are the third placement; `control` starts those.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../client/client.ts'
import type { Calls } from '../contract/calls.ts'
import type { Contract } from '../contract/contract.ts'
import { type App, decideSettings } from '../host/app.ts'
import { type Environment, variableName } from '../host/config.ts'
import { type Host, openHost } from '../host/host.ts'
import { databaseVariable, readHostSettings } from '../host/settings.ts'
import { runTask } from '../host/tasks.ts'
import type { User } from '../kernel/caller.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import { systemClock } from '../kernel/clock.ts'
import { Closing } from '../kernel/closing.ts'
import type { CallContext, Ports } from '../kernel/context.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { TimerWheel } from '../kernel/timer-wheel.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { fixedDirectory, type Instance } from '../registry/directory.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { SpanRing } from '../telemetry/spans.ts'
import { createKeyPair, Signer } from '../wire/credentials.ts'
import { openFramesChannel } from '../wire/frames/frames-channel.ts'
import { type Address, formatAddress, parseAddress } from '../wire/wire.ts'
import { findFreePort } from './free-port.ts'
import { openTestDatabase, type TestDatabase } from './test-database.ts'

/** The placements a test can open by itself. */
export const testPlacements = ['one process', 'frames'] as const

/** What to open. */
export interface TestAppOptions {
  readonly app: App
  readonly placement: (typeof testPlacements)[number]
  /** Default: all of the app. */
  readonly services?: readonly string[]
  /**
   * Settings of services, as environment variables. Default: secrets of the test's own, and free ports for the gateway and for
   * services that stand for the outside world, told to whom the app says.
   */
  readonly environment?: Readonly<Record<string, string>>
  /** Further instances of services, each in a host of its own, with settings on top of the others. Default none. */
  readonly more?: readonly TestInstanceOf[]
  /** Default true: databases get their first data. */
  readonly isSeeded?: boolean
}

/** One instance of a service beside its first. */
export interface TestInstanceOf {
  readonly service: string
  readonly environment: Readonly<Record<string, string>>
}

/** Who makes a test's calls. */
export interface TestCaller {
  readonly user?: User
  /** Speaks as this service: one of those opened, or by default `tester`, which no access rule names. */
  readonly service?: string
  /** Default 10,000. */
  readonly timeoutMs?: number
  /** Stops the calls. Default nobody does. */
  readonly cancellation?: Cancellation
}

/** An app, running. */
export interface TestApp {
  readonly ports: Ports
  readonly hosts: readonly Host[]
  /** Of the services that have one, by service. */
  readonly databases: ReadonlyMap<string, TestDatabase>
  /** Key pair of user tokens: what a gateway needs. */
  readonly userSigningKey: string
  /** A contract's functions, as somebody calls them. */
  call<C extends Contract>(contract: C, caller?: TestCaller): Calls<C>
  /** The host that runs a service. */
  hostOf(service: string): Host
}

const REGISTRY = 'registry'
const GATEWAY = 'gateway'
/** The test itself, as a process of the system. */
const TESTER = 'tester'

/** Opens an app for one test; everything is closed after it. */
export async function openTestApp(
  t: { after(cleanUp: () => Promise<void>): void },
  options: TestAppOptions,
): Promise<TestApp> {
  const { app, placement } = options
  const names = options.services ?? Object.keys(app.services)
  // One clean-up that goes backwards: the runner would go forwards, and take folder and databases away from running hosts.
  const closing = new Closing(systemClock, 30_000)
  t.after(() => closing.close())
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
  closing.defer('folder', async () => rmSync(folder, { recursive: true, force: true }))
  const ports: Ports = {
    clock: systemClock,
    random: systemRandom,
    newId: createIds(systemClock, systemRandom),
  }
  const databases = await openDatabases(
    { after: (cleanUp) => closing.defer('database', cleanUp) },
    app,
    names,
  )
  const keys = { process: createKeyPair(), user: createKeyPair() }
  const signer = new Signer(keys.process.privateKey)
  const expiresAt = systemClock.now() + 3_600_000
  const urls = Object.fromEntries([...databases].map(([name, { url }]) => [databaseVariable(name), url]))
  const environment = {
    ...urls,
    ...(await decidedVariables(app, options.environment ?? {})),
    GATEWAY_USER_SIGNING_KEY: keys.user.privateKey,
    ...options.environment,
  }
  const log = createLogger({ level: 'error', clock: systemClock, fields: { instance: 'test' } })
  const task = options.isSeeded === false ? 'migrate' : 'prepare'
  await runTask(task, { app, services: names, environment, ports, log })

  const open = opener(options, { folder, names, keys, signer, expiresAt, environment, ports, log, closing })
  const byService = await openHosts(placement, names, open)
  const more = await openMore(options.more ?? [], open)

  const credential = signer.process({ instance: TESTER, services: [TESTER, ...names], expiresAt })
  const client = openClient(ports, byService, credential, [TESTER, ...names])
  closing.defer('client', () => client.close())
  return {
    ports,
    hosts: [...new Set(byService.values()), ...more],
    databases,
    userSigningKey: keys.user.privateKey,
    hostOf: (service) => byService.get(service) as Host,
    call: callsBy(client, new Signer(keys.user.privateKey)),
  }
}

interface OpenerParts {
  readonly folder: string
  readonly names: readonly string[]
  readonly keys: Readonly<Record<'process' | 'user', ReturnType<typeof createKeyPair>>>
  readonly signer: Signer
  readonly expiresAt: number
  readonly environment: Environment
  readonly ports: Ports
  readonly log: Logger
  readonly closing: Closing
}

/** Opens hosts that tell one another which traces to keep, as a supervisor would. */
function opener({ app, environment: chosen = {} }: TestAppOptions, parts: OpenerParts): OpenHost {
  const { folder, names, keys, signer, expiresAt, environment, ports, log, closing } = parts
  const socketOf = (host: string): string => `unix:${join(folder, `${host}.sock`)}`
  const hosts = new Set<Host>()
  return async (host, services, own) => {
    const settings = readHostSettings({
      FLOTILLA_SERVICES: services.join(','),
      FLOTILLA_INSTANCE: host,
      FLOTILLA_FRAMES: socketOf(host),
      FLOTILLA_REGISTRY: services.includes(REGISTRY) || !names.includes(REGISTRY) ? '' : socketOf(REGISTRY),
      FLOTILLA_PROCESS_KEY: keys.process.publicKey,
      FLOTILLA_USER_KEY: keys.user.publicKey,
      FLOTILLA_CREDENTIAL: signer.process({ instance: host, services, expiresAt }),
      FLOTILLA_ISOLATION: 'clone',
      FLOTILLA_DRAIN_DELAY_MS: '20',
      FLOTILLA_POOL_MAX: '4',
      ...ofProcesses(chosen),
    })
    const opened = await openHost({
      app,
      settings,
      environment: { ...environment, ...own },
      ports,
      log,
      onTracesKept(traceIds) {
        for (const other of hosts) if (other !== opened) other.keepTraces(traceIds)
      },
    })
    hosts.add(opened)
    closing.defer(`host ${host}`, () => opened.close())
    return opened
  }
}

/** Settings of every process that tests may choose. */
function ofProcesses(environment: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const isChosen = ([name]: readonly [string, string]): boolean =>
    name === 'FLOTILLA_POLICIES' || name.startsWith('FLOTILLA_TRACES_')
  return Object.fromEntries(Object.entries(environment).filter(isChosen))
}

/** What makes calls as somebody, with tokens that `userSigner` signs. */
function callsBy(client: Client, userSigner: Signer): TestApp['call'] {
  return (
    contract,
    { user, service = TESTER, timeoutMs = 10_000, cancellation = new Cancellation() } = {},
  ) => {
    const token =
      user === undefined ? undefined : userSigner.user({ user, expiresAt: systemClock.now() + 60_000 })
    const context: CallContext = {
      caller: { user, token },
      deadlineMs: systemClock.monotonicMs() + timeoutMs,
      trace: TraceContext.start(systemRandom, false),
      criticality: 'critical',
      cancellation,
    }
    return client.calls(contract, context, service)
  }
}

/** Opens a host by its name, with settings of its own. */
type OpenHost = (
  host: string,
  services: readonly string[],
  own?: Readonly<Record<string, string>>,
) => Promise<Host>

async function openMore(more: readonly TestInstanceOf[], open: OpenHost): Promise<readonly Host[]> {
  const opened: Host[] = []
  for (const { service, environment } of more) {
    opened.push(await open(`${service}-${opened.length + 2}`, [service], environment))
  }
  return opened
}

/** Opens the hosts of a placement; which of them runs which service. */
async function openHosts(
  placement: TestAppOptions['placement'],
  names: readonly string[],
  open: OpenHost,
): Promise<ReadonlyMap<string, Host>> {
  const byService = new Map<string, Host>()
  if (placement === 'one process') {
    const host = await open('all', names)
    for (const name of names) byService.set(name, host)
  } else {
    for (const name of [REGISTRY, ...names.filter((one) => one !== REGISTRY)])
      byService.set(name, await open(name, [name]))
  }
  return byService
}

/** What control would decide: ports, unless the test has chosen them, and secrets. */
async function decidedVariables(app: App, chosen: Readonly<Record<string, string>>) {
  const ports: Record<string, number> = {}
  for (const service of [GATEWAY, ...(app.outside ?? []).map((one) => one.service)]) {
    ports[service] = Number(chosen[variableName(service, 'port')] ?? (await findFreePort()))
  }
  const secrets = new Map<string, string>()
  const secretOf = (name: string): string => {
    const secret = secrets.get(name) ?? Buffer.from(systemRandom.bytes(18)).toString('base64url')
    secrets.set(name, secret)
    return secret
  }
  const gatewayPort = ports[GATEWAY] as number
  const decided = decideSettings(app, { gatewayPort, outsidePorts: ports, secretOf })
  const settings = Object.entries({
    ...decided,
    [GATEWAY]: { ...decided[GATEWAY], port: String(gatewayPort) },
  })
  return Object.fromEntries(
    settings.flatMap(([service, fields]) =>
      Object.entries(fields).map(([field, value]) => [variableName(service, field), value]),
    ),
  )
}

async function openDatabases(
  t: { after(cleanUp: () => Promise<void>): void },
  app: App,
  names: readonly string[],
): Promise<ReadonlyMap<string, TestDatabase>> {
  const databases = new Map<string, TestDatabase>()
  for (const name of names) {
    const service = await app.services[name]?.()
    if (service?.database === undefined) continue
    const database = await openTestDatabase(t)
    for (const extension of service.database.extensions ?? []) {
      await database.ask(`create extension if not exists ${extension}`)
    }
    databases.set(name, database)
  }
  return databases
}

function openClient(
  ports: Ports,
  hosts: ReadonlyMap<string, Host>,
  credential: string,
  callers: readonly string[],
): Client {
  const wheel = new TimerWheel(ports.clock)
  const instances: Instance[] = [...hosts].map(([service, { frames, http }]) => {
    return { instance: service, service, version: '', frames: formatAddress(frames), http }
  })
  return new Client({
    ports,
    metrics: new Metrics(),
    spans: new SpanRing({ sizeMax: 64 }),
    directory: fixedDirectory(instances),
    localChannel: () => undefined,
    openChannel: ({ frames }) =>
      openFramesChannel({
        address: parseAddress(frames) as Address,
        clock: ports.clock,
        wheel,
        callers,
        credential,
      }),
  })
}
