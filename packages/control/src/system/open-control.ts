/**
 * The control API, and the watch over everything: what the control process is there for.
 *
 * Closed in two steps. What only looks (metrics, dead events, alerts, the list of instances) ends first, before anything that is watched: processes that stop are no
 * news. What takes (spans, log lines) ends after all others, and with it the store.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Caller, User } from '@flotilla/core/caller'
import { Closing } from '@flotilla/core/closing'
import type { Ports } from '@flotilla/core/context'
import { Signer } from '@flotilla/core/credentials'
import { isFlotillaError } from '@flotilla/core/error'
import { createHttpClient } from '@flotilla/core/http-client'
import type { Metrics } from '@flotilla/core/metrics'
import type { HostGiven, HostOfProcess } from '@flotilla/core/run-host'
import { sensitiveFields } from '@flotilla/core/sensitive'
import type { Service } from '@flotilla/core/service'
import { type Alerts, openAlerts } from '../alerts/alerts.ts'
import { Audit } from '../api/audit.ts'
import { ServiceDatabases } from '../api/databases.ts'
import type { RemoteFleet } from '../supervisor/remote-fleet.ts'
import type { TelemetryStore } from '../telemetry/telemetry-store.ts'
import { showDeadEvents } from '../watch/dead-events.ts'
import type { SystemOptions } from '../watch/system-state.ts'
import { type AppModule, contractsOf, loadAllServices, loadApp } from './app-module.ts'
import { openControlHost } from './control-host.ts'
import type { ControlTold } from './control-told.ts'
import { DataFolder } from './data-folder.ts'
import { openStore, STORE_BYTES_MAX, STORE_MS_MAX, startWatch, type WatchOptions } from './open-watch.ts'

const USER_TOKEN_MS = 60_000

/** What it takes. */
export interface OpenControlOptions {
  readonly given: HostGiven
  readonly told: ControlTold
  readonly fleet: RemoteFleet
  /** Takes what is to be closed before anything that is watched. */
  readonly lookers: Closing
  /** Told why nothing is watched, if so. */
  readonly onUnwatched: (why: string) => void
}

/** Opens it. What was opened is closed again when it fails. */
export async function openControl(options: OpenControlOptions): Promise<HostOfProcess> {
  const closing = new Closing(options.given.ports.clock)
  try {
    return await open(options, closing)
  } catch (error) {
    await options.lookers.close()
    await closing.close()
    throw error
  }
}

async function open(
  { given, told, fleet, lookers, onUnwatched }: OpenControlOptions,
  closing: Closing,
): Promise<HostOfProcess> {
  const { ports, log } = given
  const module = await loadApp(told.root)
  const services = await loadAllServices(module.app)
  const folder = new DataFolder(told.folder)
  const watch = { folder, clock: ports.clock, log, closing, lookers }
  const store = await openStore(watch)
  if (isFlotillaError(store)) onUnwatched(store.message)
  await fleet.known()
  const contracts = contractsOf(services)
  const system = {
    app: module.app.name,
    placement: told.placement,
    contracts,
    fleet,
    gateway: told.gateway,
    startedAt: told.startedAt,
  }
  const watching: { alerts?: Alerts } = {}
  const audit = new Audit({
    path: join(folder.path, 'audit.jsonl'),
    clock: ports.clock,
    sensitive: contracts.flatMap((contract) => [...sensitiveFields(contract)]),
  })
  const host = await openControlHost({
    ...told,
    given,
    service: {
      ...system,
      version: module.version,
      databases: told.databases,
      isSingle: (name) => told.singles.includes(name),
      administrator: administrator(new Signer(told.userKey), ports),
      audit,
    },
    observe: isFlotillaError(store)
      ? undefined
      : {
          ...system,
          store,
          audit,
          storeBytesMax: STORE_BYTES_MAX,
          databaseUrls: told.databases.urls,
          alerts: () =>
            (watching.alerts?.list() ?? []).map((alert) => ({ ...alert, labels: { ...alert.labels } })),
          follows: followsOf(services),
        },
  })
  closing.defer('control API', () => host.close())
  lookers.defer('list of instances', () => host.stopFollowing())
  if (!isFlotillaError(store))
    watching.alerts = await look({ given, told, module, store, system, own: host.metrics, watch })
  return {
    http: host.http,
    get inFlight() {
      return host.inFlight
    },
    keepTraces: (traceIds) => host.keepTraces(traceIds),
    async close() {
      await lookers.close()
      await closing.close()
    },
  }
}

/** Gathers what processes tell, and looks at it. */
async function look({
  given: { ports, log, settings },
  told,
  module,
  store,
  system,
  own,
  watch,
}: Pick<OpenControlOptions, 'given' | 'told'> & {
  readonly module: AppModule
  readonly store: TelemetryStore
  readonly system: SystemOptions
  readonly own: Metrics
  readonly watch: WatchOptions
}): Promise<Alerts> {
  const http = createHttpClient(ports.clock)
  watch.closing.defer('HTTP to processes', () => http.close())
  const alerts = await openAlerts({
    ...ports,
    log,
    metrics: own,
    http,
    ask: (question) => store.series(question),
    statePath: join(told.folder, 'alerts.json'),
    rulePaths: rulePathsOf(module, told),
    keptMs: STORE_MS_MAX,
    consoleUrl: `http://127.0.0.1:${settings.httpPort}/console`,
  })
  watch.lookers.defer('alerts', () => alerts.close())
  showDeadEvents(own, new ServiceDatabases(told.databases.urls, ports), ports, {
    ...watch,
    closing: watch.lookers,
  })
  // Last, and so the first to end.
  await startWatch(store, system, { own, http }, watch)
  return alerts
}

/** Of the app, and of the operator, which wins. */
function rulePathsOf({ folder }: AppModule, { alertRules }: ControlTold): string[] {
  const own = join(folder, 'alerts.yaml')
  return [...(existsSync(own) ? [own] : []), ...(alertRules === undefined ? [] : [alertRules])]
}

/** The topics that each service reacts to. */
function followsOf(services: ReadonlyMap<string, Service>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    [...services].map(([name, { reactions }]) => [name, reactions.map(({ topic }) => topic)]),
  )
}

/** As whom operators call: an administrator, by a token of the kind the gateway signs. */
function administrator(signer: Signer, { clock }: Ports): () => Caller {
  return () => {
    const user: User = { id: 'operator', roles: ['admin'], scopes: [], tier: 'enterprise' }
    return { user, token: signer.user({ user, expiresAt: clock.now() + USER_TOKEN_MS }) }
  }
}
