/**
 * Everything a request meets at the edge, made once by `edge.ts`.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { Operation } from '@flotilla/core/operation'
import type { Router } from '@flotilla/core/router'
import type { ServiceRuntime } from '@flotilla/core/service'
import type { AccessTokens } from '../auth/access-token.ts'
import type { ApiKeys } from '../auth/api-keys.ts'
import type { Proofs } from '../auth/proof.ts'
import type { UserTokens } from '../auth/user-tokens.ts'
import type { ClientCertificate } from '../http/certificate.ts'
import type { AddressOf } from '../match/client-address.ts'
import type { AccessLog } from './access-log.ts'
import type { Compression } from './compression.ts'
import type { EdgeMetrics } from './edge-metrics.ts'
import type { EdgePolicies } from './edge-policies.ts'
import type { Mirror } from './mirror.ts'
import type { OpenStreams } from './open-streams.ts'
import type { Pages } from './pages.ts'
import type { Route } from './route.ts'
import type { GatewaySettings } from './settings.ts'
import type { WaitingRooms } from './waiting-rooms.ts'

/** Everything a request meets. */
export interface Edge {
  readonly runtime: ServiceRuntime<GatewaySettings>
  readonly router: Router
  readonly routes: ReadonlyMap<Operation, Route>
  readonly pages: Pages
  readonly addressOf: AddressOf
  readonly policies: EdgePolicies
  readonly accessTokens: AccessTokens
  readonly apiKeys: ApiKeys
  readonly proofs: Proofs
  /** Who shows no token and no key, but this certificate. */
  readonly userOfCertificate: (certificate: ClientCertificate) => User | undefined
  readonly userTokens: UserTokens
  /** Absent: requests leave no lines. */
  readonly accessLog: AccessLog | undefined
  readonly metrics: EdgeMetrics
  readonly mirror: Mirror
  readonly compression: Compression
  readonly waitingRooms: WaitingRooms
  readonly streams: OpenStreams
}
