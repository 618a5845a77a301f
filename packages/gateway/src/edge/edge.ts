/**
 * The edge opened: everything a request meets, made once, and the server that listens.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { type Contract, operationsOf } from '@flotilla/core/contract'
import type { Operation } from '@flotilla/core/operation'
import { createRouter, type Router } from '@flotilla/core/router'
import type { PassOn, ServiceRuntime } from '@flotilla/core/service'
import type { JSONWebKeySet } from 'jose'
import { AccessTokens } from '../auth/access-token.ts'
import { ApiKeys } from '../auth/api-keys.ts'
import { UserTokens } from '../auth/user-tokens.ts'
import { RateLimit } from '../limit/rate-limit.ts'
import { type AddressOf, clientAddress } from '../match/client-address.ts'
import { AccessLog } from './access-log.ts'
import { EdgeMetrics } from './edge-metrics.ts'
import type { GatewaySpec } from './gateway.ts'
import { createPages, type Pages } from './pages.ts'
import { openPublicServer } from './public-server.ts'
import type { GatewaySettings } from './settings.ts'

/** What it takes. */
export interface EdgeOptions {
  readonly runtime: ServiceRuntime<GatewaySettings>
  readonly spec: Pick<GatewaySpec<Contract>, 'issuer' | 'audience' | 'strictRoutes' | 'title' | 'description'>
  readonly contracts: readonly Contract[]
  readonly fetchKeys: () => Promise<JSONWebKeySet>
  readonly findApiKey: (key: string) => Promise<User | undefined>
}

/** A route of the edge. */
export interface Route {
  readonly operation: Operation
  readonly passOn: PassOn
  /** What is counted beside the address on a strict route; absent on others. */
  readonly strictKeyOf: ((input: unknown) => string) | undefined
  readonly cacheControl: string
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
  readonly userTokens: UserTokens
  readonly accessLog: AccessLog
  readonly metrics: EdgeMetrics
  readonly corsOrigins: ReadonlySet<string>
}

/**
 * Opens the edge; it takes requests when this resolves.
 *
 * @throws FlotillaError `unavailable` when the port is taken.
 */
export async function openEdge(options: EdgeOptions): Promise<void> {
  const { runtime, spec, contracts } = options
  const { config, clock, closing, instance, metrics } = runtime
  const operations = contracts.flatMap(operationsOf).filter((operation) => operation.rest !== undefined)
  const accessLog = new AccessLog(clock, instance)
  closing.defer('access log', () => accessLog.flush())
  const edge: Edge = {
    runtime,
    router: createRouter(operations),
    routes: new Map(operations.map((operation) => [operation, routeOf(options, operation)])),
    pages: createPages({ ...spec, contracts, isDraining: runtime.isDraining }),
    addressOf: clientAddress(config.trustedProxies),
    limits: limitsOf(runtime),
    accessTokens: new AccessTokens({ ...spec, clock, fetchKeys: options.fetchKeys }),
    apiKeys: new ApiKeys(clock, options.findApiKey),
    userTokens: new UserTokens(config.userSigningKey, clock),
    accessLog,
    metrics: new EdgeMetrics(metrics),
    corsOrigins: new Set(config.corsOrigins),
  }
  const server = await openPublicServer(edge)
  closing.defer('public server', () => server.drain())
}

function routeOf({ runtime, spec }: EdgeOptions, operation: Operation): Route {
  const { cache } = operation
  return {
    operation,
    passOn: runtime.outgoing(operation),
    strictKeyOf: spec.strictRoutes.find((route) => route.operation === operation)?.keyOf,
    cacheControl: cache === undefined ? 'no-store' : `${cache.scope}, max-age=${cache.maxAgeS}`,
  }
}

function limitsOf({ config, clock }: ServiceRuntime<GatewaySettings>): EdgeLimits {
  return {
    address: new RateLimit('address', config.addressPerMinute, clock),
    anonymous: new RateLimit('anonymous', config.anonymousPerMinute, clock),
    tiers: new Map([
      ['free', new RateLimit('free', config.freePerMinute, clock)],
      ['premium', new RateLimit('premium', config.premiumPerMinute, clock)],
    ]),
    strict: new RateLimit('strict', config.strictPerMinute, clock),
  }
}
