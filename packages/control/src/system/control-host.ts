/**
 * The host of the control API, in the process that supervises: the same machinery as every other host, with a token at the door.
 *
 * @module
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Caller } from '@flotilla/core/caller'
import type { Ports } from '@flotilla/core/context'
import { FlotillaError } from '@flotilla/core/error'
import { type Host, openHost } from '@flotilla/core/host'
import { readHostSettings } from '@flotilla/core/host-settings'
import type { Logger } from '@flotilla/core/log'
import { type ControlOptions, controlService } from '../api/service.ts'
import { type EnvironmentOptions, hostEnvironment } from './host-environment.ts'

/** What it needs. */
export interface ControlHostOptions {
  readonly service: ControlOptions
  readonly ports: Ports
  readonly log: Logger
  readonly controlPort: number
  readonly token: string
  readonly environment: EnvironmentOptions
}

const NAME = 'control'
/** Names under which this machine calls itself. Any other Host is a web page that had its name point here (DNS rebinding). */
const OWN_HOSTS = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/

/** Opens it on loopback. */
export function openControlHost({
  service,
  ports,
  log,
  controlPort,
  token,
  environment,
}: ControlHostOptions): Promise<Host> {
  const variables = hostEnvironment(environment, { instance: NAME, services: [NAME] })
  return openHost({
    app: { name: NAME, folder: '', services: { [NAME]: async () => controlService(service) } },
    settings: { ...readHostSettings(variables), httpPort: controlPort },
    environment: variables,
    ports,
    log,
    authenticate: operatorCaller(token),
  })
}

function operatorCaller(token: string): (incoming: IncomingMessage) => Caller {
  const operator: Caller = { user: { id: 'operator', roles: ['operator'], scopes: [], tier: 'enterprise' } }
  const expected = Buffer.from(`Bearer ${token}`)
  return ({ headers }) => {
    if (!OWN_HOSTS.test(headers.host ?? '')) {
      throw new FlotillaError('permission_denied', 'Call this API by its own address.', { executed: 'no' })
    }
    const given = Buffer.from(headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new FlotillaError('unauthenticated', 'Send the token from the data folder.', { executed: 'no' })
    }
    return operator
  }
}
