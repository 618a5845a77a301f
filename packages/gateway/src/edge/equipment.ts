/**
 * Everything a request meets at the edge, made once by `edge.ts`.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { Cancellation } from '@flotilla/core/cancellation'
import type { Operation } from '@flotilla/core/operation'
import type { Router } from '@flotilla/core/router'
import type { PassOn, ServiceRuntime } from '@flotilla/core/service'
import type { AccessTokens } from '../auth/access-token.ts'
import type { ApiKeys } from '../auth/api-keys.ts'
import type { UserTokens } from '../auth/user-tokens.ts'
import type { ClientCertificate } from '../http/certificate.ts'
import type { RateLimit } from '../limit/rate-limit.ts'
import type { AddressOf } from '../match/client-address.ts'
import type { AccessLog } from './access-log.ts'
import type { EdgeMetrics } from './edge-metrics.ts'
import type { Pages } from './pages.ts'
import type { GatewaySettings } from './settings.ts'

/** A route of the edge. */
export interface Route {
  readonly operation: Operation
  /** Of its spans: method and template, such as `GET /api/v1/products/{id}`. */
  readonly spanName: string
  readonly passOn: PassOn
  /** What is counted beside the address on a strict route; absent on others. */
  readonly strictKeyOf: ((input: unknown) => string) | undefined
  readonly cacheControl: string
  /** The same for answers to somebody who is known. */
  readonly cacheControlOfUsers: string
}

/** The limits of the edge. */
export interface EdgeLimits {
  readonly address: RateLimit
  readonly anonymous: RateLimit
  /** By tier; a tier that is not there has no limit. */
  readonly tiers: ReadonlyMap<string, RateLimit>
  readonly strict: RateLimit
}

/** Everything a request meets. */
export interface Edge {
  readonly runtime: ServiceRuntime<GatewaySettings>
  readonly router: Router
  readonly routes: ReadonlyMap<Operation, Route>
  readonly pages: Pages
  readonly addressOf: AddressOf
  readonly limits: EdgeLimits
  readonly accessTokens: AccessTokens
  readonly apiKeys: ApiKeys
  /** Who shows no token and no key, but this certificate. */
  readonly userOfCertificate: (certificate: ClientCertificate) => User | undefined
  readonly userTokens: UserTokens
  readonly accessLog: AccessLog
  readonly metrics: EdgeMetrics
  readonly corsOrigins: ReadonlySet<string>
  /** What stops each of the streams that are being sent. */
  readonly streams: Set<Cancellation>
}
