/**
 * One service of a host: its settings read, its database opened, its handlers put behind the receiver.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { type Contract, operationsOf } from '../contract/contract.ts'
import type { Operation } from '../contract/operation.ts'
import type { Caller } from '../kernel/caller.ts'
import { Closing } from '../kernel/closing.ts'
import type { CallContext, Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import { Background } from '../service/background.ts'
import type { ScopeEnvironment } from '../service/call-scope.ts'
import type { AnyHandler, PassOn, Service, ServiceRuntime } from '../service/definition.ts'
import { IdempotencyStore } from '../service/idempotency.ts'
import { admissionOf, lateError } from '../service/overload.ts'
import { ServedOperation, type ServedService } from '../service/served.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { openWorker, type Worker } from '../store/worker.ts'
import type { OutsidePeer } from '../telemetry/outside-requests.ts'
import { ConfigError, type Environment, readConfig } from './config.ts'
import type { Network } from './network.ts'
import { eventLogOf, ServiceEvents } from './open-events.ts'
import type { HostParts } from './parts.ts'
import { databaseVariable } from './settings.ts'
import { statementSpans } from './statement-spans.ts'
import { tracedHttp } from './traced-http.ts'

const PRUNE_MS = 600_000

/** Opens it; it answers calls when this resolves. */
export async function openService(
  parts: HostParts,
  network: Network,
  service: Service,
  { config, databaseUrl }: ServiceSettings,
): Promise<void> {
  const { settings, ports, metrics, state, isSampled } = parts
  const { contract } = service
  const { name } = contract
  const closing = new Closing(ports.clock)
  const [log, spans] = [parts.logOf(name), parts.spans.of(name)]
  const database = await openServiceDatabase(parts, name, databaseUrl)
  const openOwnWorker = workerOpener(parts, name, databaseUrl)
  parts.closing.defer(name, () => closing.close())
  const worker = await openOwnWorker(closing)
  const events =
    database &&
    worker &&
    new ServiceEvents({
      parts,
      network,
      service: name,
      isPublisher: Object.keys(contract.events).length > 0,
      reactions: service.reactions,
      database,
      worker,
      closing,
    })
  const environment: ScopeEnvironment = {
    service: name,
    ports,
    log,
    metrics,
    spans,
    database,
    callsOf: (callee, context) => network.client.calls(callee, context, name),
    outbox: events?.outbox,
  }
  const background = new Background(environment, metrics, closing)
  const runtime: ServiceRuntime = {
    ...ports,
    instance: settings.instance,
    worker,
    config,
    log,
    metrics,
    spans,
    isSampled,
    closing,
    ...outsideOf(parts, name),
    keyValue: network.keyValueOf(name),
    instances: () => Math.max(1, network.instancesOf(name).length),
    isDraining: () => state.isDraining,
    refusal: (criticality) => lateError(parts.watch, criticality, ports),
    every: (task, intervalMs, work) => background.every(task, intervalMs, work),
    run: (task, timeoutMs, work, origin) => background.run(task, timeoutMs, work, origin),
    listen: (channel, onNotify) => {
      const listener = there(database, name).listen(channel, onNotify)
      closing.defer(`listening to ${channel}`, () => listener.close())
    },
    join: (group, topics, react) => there(events, name).join(group, topics, react),
    followPolicies: (apply) => followPolicies(parts, name, apply),
    outgoing: (operation) => passOn(network, operation, name),
    eventLog: eventLogOf(parts, network, name),
  }
  const handlers = await service.open(runtime)
  const idempotency = database && worker && openIdempotency(database, ports, worker, background)
  serve(parts, contract, handlers, { environment, idempotency })
  events?.start(environment)
}

/** The way of a service to servers outside. */
function outsideOf(
  { http, ports, spans, outside }: HostParts,
  name: string,
): Pick<ServiceRuntime, 'http' | 'outsidePeer'> {
  const peerOf = (host: string): OutsidePeer => outside.peer(name, host)
  return {
    http: tracedHttp(http, ports, { spans: spans.of(name), peerOf }),
    outsidePeer: (url) => peerOf(new URL(url).host),
  }
}

function serve(
  { receiver, settings, metrics }: HostParts,
  contract: Contract,
  handlers: Readonly<Record<string, AnyHandler>>,
  served: ServedService,
): void {
  for (const operation of operationsOf(contract)) {
    const handler = handlerOf(operation, handlers)
    receiver.add(new ServedOperation(operation, handler, served, admissionOf(operation, settings), metrics))
  }
}

function handlerOf(operation: Operation, handlers: Readonly<Record<string, AnyHandler>>): AnyHandler {
  const handler = handlers[operation.name]
  assert.ok(handler, `Service ${operation.service} has no handler for ${operation.name}.`)
  return handler
}

function followPolicies({ ownPolicies }: HostParts, name: string, apply: (value: unknown) => void): void {
  const own = ownPolicies.get(name)
  if (own === undefined) apply(undefined)
  else own.follow(apply)
}

function openIdempotency(
  database: Database,
  ports: Ports,
  worker: Worker,
  background: Background,
): IdempotencyStore {
  const idempotency = new IdempotencyStore(database, ports, worker.id)
  background.every('forget old idempotency keys', PRUNE_MS, async (ctx) => {
    await idempotency.prune(ctx)
  })
  return idempotency
}

function there<T>(part: T | undefined, service: string): T {
  if (part !== undefined) return part
  throw new FlotillaError('internal', `Service ${service} declares no database.`)
}

/** What a service's environment tells it. */
export interface ServiceSettings {
  readonly config: unknown
  /** Absent: it has no database. */
  readonly databaseUrl: string | undefined
}

/**
 * Reads the settings of all services before any is opened.
 *
 * @throws ConfigError with every mistake of every service.
 */
export function readServiceSettings(
  services: readonly Service[],
  environment: Environment,
): ReadonlyMap<Service, ServiceSettings> {
  const mistakes: string[] = []
  const settings = new Map<Service, ServiceSettings>()
  for (const service of services) {
    const { name } = service.contract
    const variable = databaseVariable(name)
    const databaseUrl = service.database === undefined ? undefined : environment[variable]
    if (service.database !== undefined && !databaseUrl) {
      mistakes.push(`${variable} is not set (URL of the database of ${name})`)
    }
    try {
      const config = service.config === undefined ? {} : readConfig(service.config, name, environment)
      settings.set(service, { config, databaseUrl })
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      mistakes.push(...error.mistakes)
    }
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return settings
}

async function openServiceDatabase(
  parts: HostParts,
  name: string,
  url: string | undefined,
): Promise<Database | undefined> {
  if (url === undefined) return undefined
  const { settings, ports, metrics, log, closing, state } = parts
  const database = openDatabase({
    url,
    name,
    ports,
    poolMax: settings.poolMax,
    log,
    isLeaving: () => state.isDraining,
    onStatement: parts.spans.isOff ? undefined : statementSpans(ports, parts.spans.of(name)),
    waitDuration: metrics
      .histogram('flotilla_database_wait_seconds', 'Waiting for a database connection.', ['service'])
      .with(name),
  })
  closing.defer(`database of ${name}`, () => database.close())
  await database.warm()
  return database
}

/**
 * What registers this instance. It has a connection of its own, which is closed after the service: where calls wait for one, the
 * service must not look dead to its other instances.
 */
function workerOpener(
  parts: HostParts,
  name: string,
  url: string | undefined,
): (closing: Closing) => Promise<Worker | undefined> {
  if (url === undefined) return async () => undefined
  const { ports, closing: ofHost, settings, state } = parts
  const log = parts.logOf(name)
  const database = openDatabase({ url, name, ports, poolMax: 1, log, isLeaving: () => state.isDraining })
  ofHost.defer(`lease of ${name}`, () => database.close())
  return (closing) => openWorker({ database, ports, instance: settings.instance, log, closing })
}

/** Calls on behalf of callers outside: the user stays, and this service stands beside them. */
function passOn(network: Network, operation: Operation, service: string): PassOn {
  const { client } = network
  const outgoing = client.outgoing(operation)
  const callerOf = ({ caller }: CallContext): Caller => ({ user: caller.user, token: caller.token, service })
  return {
    call: (input, context, options, settle) =>
      client.call(outgoing, input, context, callerOf(context), options, true, settle),
    stream: (input, context, options) => client.stream(outgoing, input, context, callerOf(context), options),
  }
}
