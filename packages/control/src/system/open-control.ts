/**
 * The control API of a system that is being opened, and the watch over everything.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Caller, User } from '@flotilla/core/caller'
import { isoTime } from '@flotilla/core/clock'
import type { Closing } from '@flotilla/core/closing'
import type { Ports } from '@flotilla/core/context'
import { type KeyPairText, Signer } from '@flotilla/core/credentials'
import { isFlotillaError } from '@flotilla/core/error'
import { sensitiveFields } from '@flotilla/core/sensitive'
import type { Service } from '@flotilla/core/service'
import { type Alerts, openAlerts } from '../alerts/alerts.ts'
import { Audit } from '../api/audit.ts'
import { ServiceDatabases } from '../api/databases.ts'
import type { Supervisor } from '../supervisor/supervisor.ts'
import { showDeadEvents } from '../watch/dead-events.ts'
import { contractsOf } from './app-module.ts'
import { CONSOLE_KEY, TELEMETRY_KEY } from './console-pages.ts'
import { openControlHost } from './control-host.ts'
import type { Databases } from './databases.ts'
import type { EnvironmentOptions } from './host-environment.ts'
import { openStore, STORE_BYTES_MAX, STORE_MS_MAX, startWatch } from './open-watch.ts'
import { gatewayOrigin } from './ports.ts'
import type { SystemOptions } from './system-options.ts'

const USER_TOKEN_MS = 60_000

/** What is open already. */
interface Opened {
  readonly databases: Databases
  readonly environment: EnvironmentOptions
  readonly userKeys: KeyPairText
  readonly supervisor: Supervisor
  readonly closing: Closing
}

/** The control API, and the watch over everything. */
export async function openControl(
  options: SystemOptions,
  { databases, environment, userKeys, supervisor, closing }: Opened,
): Promise<void> {
  const { module, services, placement, folder, secrets, tcp, ports, log } = options
  const watch = { folder, clock: ports.clock, log, closing }
  const store = await openStore(watch)
  if (isFlotillaError(store)) options.onStep(`nothing is watched: ${store.message}`)
  const contracts = contractsOf(services)
  const system = {
    app: module.app.name,
    placement,
    contracts,
    supervisor,
    gateway: gatewayOrigin(tcp, options.environment),
    startedAt: isoTime(ports.clock.now()),
  }
  const watching: { alerts?: Alerts } = {}
  const audit = new Audit({
    path: join(folder.path, 'audit.jsonl'),
    clock: ports.clock,
    sensitive: contracts.flatMap((contract) => [...sensitiveFields(contract)]),
  })
  const host = await openControlHost({
    ...options,
    controlPort: tcp.control,
    token: secrets.get('control token'),
    consoleKey: secrets.get(CONSOLE_KEY),
    telemetryKey: secrets.get(TELEMETRY_KEY),
    environment,
    service: {
      ...system,
      version: module.version,
      databases,
      isSingle: (host) => isSingle(options, host),
      administrator: administrator(new Signer(userKeys.privateKey), ports),
      onDown: options.onDown,
      audit,
    },
    observe: isFlotillaError(store)
      ? undefined
      : {
          ...system,
          store,
          audit,
          storeBytesMax: STORE_BYTES_MAX,
          databaseUrls: databases.urls,
          alerts: () =>
            (watching.alerts?.list() ?? []).map((alert) => ({ ...alert, labels: { ...alert.labels } })),
          follows: followsOf(services),
        },
  })
  closing.defer('control API', () => host.close())
  if (isFlotillaError(store)) return
  const http = await startWatch(store, system, host.metrics, watch)
  showDeadEvents(host.metrics, new ServiceDatabases(databases.urls, ports), ports, watch)
  watching.alerts = await openAlerts({
    ...ports,
    log,
    metrics: host.metrics,
    http,
    ask: (question) => store.series(question),
    statePath: join(folder.path, 'alerts.json'),
    rulePaths: rulePathsOf(options),
    keptMs: STORE_MS_MAX,
    consoleUrl: `http://127.0.0.1:${tcp.control}/console`,
  })
  closing.defer('alerts', async () => watching.alerts?.close())
}

/** Of the app, and of the operator, which wins. */
function rulePathsOf({ module, environment }: SystemOptions): string[] {
  const own = join(module.folder, 'alerts.yaml')
  const given = environment['FLOTILLA_ALERTS']
  return [...(existsSync(own) ? [own] : []), ...(given ? [resolve(given)] : [])]
}

/** The topics that each service reacts to. */
function followsOf(services: ReadonlyMap<string, Service>): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    [...services].map(([name, { reactions }]) => [name, reactions.map(({ topic }) => topic)]),
  )
}

function isSingle({ placement, placeable }: SystemOptions, host: string): boolean {
  const names = placement.hosts[host]?.services ?? []
  return placeable.some(({ name, isSingle: single }) => single && names.includes(name))
}

/** As whom operators call: an administrator, by a token of the kind the gateway signs. */
function administrator(signer: Signer, { clock }: Ports): () => Caller {
  return () => {
    const user: User = { id: 'operator', roles: ['admin'], scopes: [], tier: 'enterprise' }
    return { user, token: signer.user({ user, expiresAt: clock.now() + USER_TOKEN_MS }) }
  }
}
