/**
 * A host: some services of an app, put together in one process with their databases, wires and telemetry.
 *
 * What is opened first is closed last. Opening, in order: the way to other services, the services (callees before
 * callers), the wires, and last the registry, so that nobody is sent here before everything is ready. Draining is
 * the same list backwards: off the registry, calls in flight end, services close (a gateway lets its requests
 * end), then the rest.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { CallPolicies } from '../client/call-policies.ts'
import { sensitiveFields } from '../contract/sensitive.ts'
import type { Caller } from '../kernel/caller.ts'
import { Closing } from '../kernel/closing.ts'
import type { Ports } from '../kernel/context.ts'
import { TimerWheel } from '../kernel/timer-wheel.ts'
import { LoopGuard } from '../resilience/loop-guard.ts'
import type { Service } from '../service/definition.ts'
import { LoopWatch } from '../service/loop-watch.ts'
import { ServiceReceiver } from '../service/receive.ts'
import type { Signals } from '../telemetry/active-work.ts'
import { HeadSampler } from '../telemetry/head-sampler.ts'
import { createLogger, type Logger } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { takeOutside } from '../telemetry/otel-facade.ts'
import { Redaction } from '../telemetry/redaction.ts'
import { SpanRing } from '../telemetry/spans.ts'
import { openFramesServer } from '../wire/frames/frames-server.ts'
import { createHttpClient } from '../wire/http/http-client.ts'
import { openHttpServer, type Page } from '../wire/http/http-server.ts'
import { Trust } from '../wire/trust.ts'
import { type Address, formatAddress, parseAddress } from '../wire/wire.ts'
import { type App, loadServices } from './app.ts'
import type { Environment } from './config.ts'
import { httpCaller } from './http-caller.ts'
import { Membership } from './membership.ts'
import { type Network, openNetwork } from './network.ts'
import { openOutside } from './open-outside.ts'
import { openPolicies } from './open-policies.ts'
import { openService, readServiceSettings } from './open-service.ts'
import { openTelemetry } from './open-telemetry.ts'
import { type OtlpSettings, readOtlpSettings } from './otlp-settings.ts'
import { pagesOf } from './pages.ts'
import type { HostParts } from './parts.ts'
import type { HostSettings } from './settings.ts'

/** What a host is opened with. */
export interface HostOptions {
  readonly app: App
  readonly settings: HostSettings
  readonly environment: Environment
  readonly ports: Ports
  /** Default: standard output. */
  readonly log?: Logger
  /** That of `log`: learns what the contracts of the host's services mark. Default: one of its own. */
  readonly redaction?: Redaction
  /** Told the ids of traces that are slow or failed here; for `keepTraces` of the other hosts. Default nobody. */
  readonly onTracesKept?: (traceIds: readonly string[]) => void
  /** Default true; false: it stays out of the registry, since no service calls it. */
  readonly isAnnounced?: boolean
  /** Who is calling over HTTP. Default: whoever shows a process credential or a user token. */
  readonly authenticate?: (incoming: IncomingMessage) => Caller
  /** Pages beside the fixed ones, by path; everybody may see them. */
  readonly page?: (path: string) => Page | undefined
  /** Requests of another protocol over HTTP, answered before anything else looks at them; they see to their own access. */
  readonly foreign?: (path: string, incoming: IncomingMessage) => Promise<Page> | undefined
}

/** A running host. */
export interface Host {
  /** Where it takes frames. */
  readonly frames: Address
  /** Where it speaks HTTP: an origin. */
  readonly http: string
  readonly metrics: Metrics
  readonly spans: SpanRing
  /** Calls being answered now. */
  readonly inFlight: number
  /** Other hosts have seen that these traces are slow or failed: what is here of them is exported, too. */
  keepTraces(traceIds: readonly string[]): void
  /** Follows the registry no more; what it knows of others stays. For who ends after the registry, and need not be told that it is away. */
  stopFollowing(): Promise<void>
  /** Leaves in good order; see the head of this file. */
  close(): Promise<void>
}

/** How long any one step of closing may take; calls in flight are bounded by their deadlines, mostly far below. */
const CLOSING_STEP_MS = 30_000

/**
 * Opens a host; it is in the registry when this resolves. When it fails, what was opened is closed again.
 *
 * @throws ConfigError naming every wrong setting; FlotillaError when a port or a database cannot be had.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const otlp = readOtlpSettings(options.environment)
  const parts = makeParts(options, otlp)
  try {
    takeOutside(outsideSignals(parts), parts.isSampled)
    openTelemetry(parts, otlp, options.onTracesKept ?? (() => {}))
    const services = await loadServices(options.app, options.settings.services)
    for (const { contract, calls } of services)
      for (const one of [contract, ...calls]) parts.redaction.add(sensitiveFields(one))
    const settings = readServiceSettings(services, options.environment)
    await openPolicies(parts, services)
    const network = await openNetwork(parts, services)
    for (const [service, its] of settings) await openService(parts, network, service, its)
    await network.followOwnRegistry()
    warm(parts.receiver)
    const wires = await openWires(parts, services, options)
    await join(parts, options.isAnnounced === false ? undefined : network.registryCalls, services, wires)
    parts.log.info('ready', { frames: formatAddress(wires.frames), http: wires.http })
    return {
      ...wires,
      metrics: parts.metrics,
      spans: parts.spans,
      get inFlight() {
        return parts.receiver.inFlight
      },
      keepTraces(traceIds) {
        for (const traceId of traceIds) parts.spans.kept.addOf(traceId)
      },
      stopFollowing: () => network.stopFollowing(),
      close: () => parts.closing.close(),
    }
  } catch (error) {
    await parts.closing.close()
    throw error
  }
}

function makeParts(
  { app, settings, environment, ports, log, redaction = new Redaction() }: HostOptions,
  { isOff, traces }: OtlpSettings,
): HostParts {
  const { clock } = ports
  const { services, instance, version, logLevel } = settings
  const wheel = new TimerWheel(clock)
  const closing = new Closing(clock, CLOSING_STEP_MS)
  const http = createHttpClient(clock)
  closing.defer('outside HTTP', () => http.close())
  const metrics = new Metrics({ isOff })
  const watch = settings.admission === 'adaptive' ? watchLoop(ports, metrics, closing) : undefined
  const root = log ?? createLogger({ level: logLevel, clock, redaction, fields: { instance, version } })
  const logOf = (service: string): Logger => root.with({ service })
  return {
    app,
    settings,
    environment,
    ports,
    log: logOf(services.join(',')),
    logOf,
    redaction,
    metrics,
    spans: new SpanRing({ slowMs: settings.tracesSlowMs, isExported: traces.length > 0, isOff }),
    isSampled: new HeadSampler(clock, ports.random, {
      perSecond: isOff ? 0 : settings.tracesPerSecond,
      ratio: isOff ? 0 : settings.tracesRatio,
    }).choose,
    wheel,
    trust: new Trust(settings, clock),
    http,
    outside: openOutside(metrics, app, services, environment),
    receiver: new ServiceReceiver(wheel, watch),
    watch,
    policies: new CallPolicies(),
    ownPolicies: new Map(),
    closing,
    state: { isReady: false, isDraining: false },
  }
}

/** Takes what user code records outside any work. */
function outsideSignals({ app, spans, metrics, ports }: HostParts): Signals {
  return { service: app.name, spans: spans.of(app.name), metrics, ports }
}

function watchLoop({ clock, random }: Ports, metrics: Metrics, closing: Closing): LoopWatch {
  const guard = new LoopGuard(random)
  const help = 'How late the event loop came to a timer, while there was work.'
  const delays = metrics.histogram('flotilla_event_loop_delay_seconds', help).with()
  const level = metrics
    .gauge(
      'flotilla_shedding_level',
      'What is refused for a late event loop: 1 sheddable, 2 also sheddable_plus.',
    )
    .with()
  metrics.onScrape(() => level.set(guard.level))
  const watch = new LoopWatch(clock, guard, delays)
  closing.defer('watch of the event loop', async () => watch.close())
  return watch
}

/** Compiles every check now, so that the first caller does not wait for it. */
function warm(receiver: ServiceReceiver): void {
  for (const operation of receiver.operations) {
    operation.checkInput(undefined)
    operation.checkOutput(undefined)
  }
}

interface Wires {
  readonly frames: Address
  readonly http: string
}

async function openWires(
  parts: HostParts,
  services: readonly Service[],
  { authenticate = httpCaller(parts.trust), page, foreign }: HostOptions,
): Promise<Wires> {
  const { settings, ports, receiver, trust, log, closing, metrics, state } = parts
  const frames = await openFramesServer({
    address: parseAddress(settings.frames) as Address,
    clock: ports.clock,
    receiver,
    trust,
    instance: settings.instance,
    onPeerError: (error) => log.warn('a peer broke the frames protocol', { error }),
  })
  closing.defer('frames', () => frames.drain())
  const contracts = services.map(({ contract }) => contract)
  const fixed = pagesOf({ title: settings.instance, version: settings.version, contracts, metrics, state })
  const face = await openHttpServer({
    host: settings.httpHost,
    port: settings.httpPort,
    ports,
    receiver,
    authenticate,
    page: (path) => page?.(path) ?? fixed(path),
    ...(foreign === undefined ? {} : { foreign }),
  })
  closing.defer('HTTP', () => face.drain())
  return { frames: frames.address, http: `http://${face.host}:${face.port}` }
}

/** Announces the host, where there is a registry: from here on it gets calls. */
async function join(
  parts: HostParts,
  registryCalls: Network['registryCalls'],
  services: readonly Service[],
  wires: Wires,
): Promise<void> {
  const { settings, ports, log, closing, state } = parts
  const { instance, version, zone, weight, drainDelayMs } = settings
  const frames = formatAddress(wires.frames)
  const membership =
    registryCalls &&
    new Membership({
      clock: ports.clock,
      random: ports.random,
      log,
      registry: registryCalls,
      instances: services.map(({ contract }) => ({
        instance,
        service: contract.name,
        version,
        frames,
        http: wires.http,
        zone,
        weight,
      })),
    })
  state.isReady = true
  await membership?.join()
  closing.defer('membership', async () => {
    state.isReady = false
    state.isDraining = true
    parts.receiver.freeze()
    await membership?.leave()
    // Callers that have not heard yet still call, and are served: those that ask the registry, and those that ask readiness.
    await ports.clock.sleep(drainDelayMs)
  })
}
