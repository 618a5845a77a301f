/**
 * The host of the control API: the same machinery as every other host, with a token at the door.
 *
 * @module
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import { type Host, openHost } from '@flotilla/core/host'
import type { Page } from '@flotilla/core/http-server'
import type { HostGiven } from '@flotilla/core/run-host'
import type { Service } from '@flotilla/core/service'
import { type ControlOptions, controlService } from '../api/service.ts'
import { type ObserveOptions, observeService } from '../watch/observe-service.ts'
import { otlpReceiver } from '../watch/otlp-receiver.ts'
import { prometheusTargets, TARGETS_PATH } from '../watch/prometheus-targets.ts'
import { targetsOf } from '../watch/system-state.ts'
import { consoleFolder, consolePages } from './console-pages.ts'

/** What it needs. */
export interface ControlHostOptions {
  readonly given: HostGiven
  readonly service: ControlOptions
  /** Of operators. */
  readonly token: string
  /** What the console's login link carries. */
  readonly consoleKey: string
  /** What is observed; absent: nothing is. */
  readonly observe?: ObserveOptions | undefined
  /** With what programs send telemetry. */
  readonly telemetryKey: string
}

const NAME = 'control'
/** Said by the console when its user has allowed changes. */
const CHANGES_HEADER = 'x-flotilla-changes'
/** Names under which this machine calls itself. Any other Host is a web page that had its name point here (DNS rebinding). */
const OWN_HOSTS = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/

/** Opens it, on loopback as every host. */
export function openControlHost({
  given,
  service,
  token,
  consoleKey,
  observe,
  telemetryKey,
}: ControlHostOptions): Promise<Host> {
  const services: Record<string, () => Promise<Service>> = { [NAME]: async () => controlService(service) }
  if (observe !== undefined) services['observe'] = async () => observeService(observe)
  return openHost({
    ...given,
    isAnnounced: false,
    app: { name: NAME, folder: '', services },
    settings: { ...given.settings, services: Object.keys(services) },
    authenticate: operatorCaller(token, consoleKey),
    page: consolePages(consoleFolder()),
    foreign: foreignRequests(service, observe && otlpReceiver(observe.store, telemetryKey)),
  })
}

type Foreign = (path: string, incoming: IncomingMessage) => Promise<Page> | undefined

/** Programs that send telemetry, with their key; and a Prometheus, which like everybody on this machine may see who shows figures where. */
function foreignRequests(service: ControlOptions, receiver: Foreign | undefined): Foreign {
  const targets = prometheusTargets(() => targetsOf(service))
  const tell = async (incoming: IncomingMessage): Promise<Page> => {
    refuseForeignNames(incoming)
    return targets(`127.0.0.1:${incoming.socket.localPort}`)
  }
  return (path, incoming) =>
    path === TARGETS_PATH && incoming.method === 'GET' ? tell(incoming) : receiver?.(path, incoming)
}

/** @throws FlotillaError `permission_denied` for a web page that had its name point here. */
function refuseForeignNames({ headers }: IncomingMessage): void {
  if (OWN_HOSTS.test(headers.host ?? '')) return
  throw new FlotillaError('permission_denied', 'Call this API by its own address.', { executed: 'no' })
}

/**
 * Who holds the token of the data folder is the operator. Who holds the console's key may look, and act where the page says so with each
 * request: a catch against a slip of the hand. No cookies: nothing that a page of another port could have a browser send along.
 */
function operatorCaller(token: string, consoleKey: string): (incoming: IncomingMessage) => Caller {
  const operator = callerOf('operator', ['operator'])
  const viewer = callerOf('console', ['viewer'])
  const actor = callerOf('console', ['viewer', 'operator'])
  return (incoming) => {
    refuseForeignNames(incoming)
    const { headers } = incoming
    if (isBearer(headers.authorization, token)) return operator
    if (isBearer(headers.authorization, consoleKey))
      return headers[CHANGES_HEADER] === 'allowed' ? actor : viewer
    throw new FlotillaError(
      'unauthenticated',
      'Send the token from the data folder, or open the link of: npx flotilla console',
      { executed: 'no' },
    )
  }
}

function callerOf(id: string, roles: readonly string[]): Caller {
  return { user: { id, roles, scopes: [], tier: 'enterprise' } }
}

function isBearer(given: string | undefined, secret: string): boolean {
  const [expected, its] = [Buffer.from(`Bearer ${secret}`), Buffer.from(given ?? '')]
  return its.length === expected.length && timingSafeEqual(its, expected)
}
