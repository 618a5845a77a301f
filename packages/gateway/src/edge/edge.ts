/**
 * The edge opened: everything a request meets, made once, and the server that listens.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { type Contract, operationsOf } from '@flotilla/core/contract'
import type { Operation } from '@flotilla/core/operation'
import { apiPrefix, createRouter } from '@flotilla/core/router'
import type { ServiceRuntime } from '@flotilla/core/service'
import { AccessTokens } from '../auth/access-token.ts'
import { ApiKeys } from '../auth/api-keys.ts'
import { ASK_MS, EndedSessions, type EndedSessionsPage } from '../auth/ended-sessions.ts'
import type { Issuer } from '../auth/issuer.ts'
import { Proofs, REMEMBERED_MS } from '../auth/proof.ts'
import { originsOf } from '../auth/proof-target.ts'
import { UsedProofs } from '../auth/used-proofs.ts'
import { UserTokens } from '../auth/user-tokens.ts'
import { purgeTopic } from '../cache/purge.ts'
import { ResponseCache } from '../cache/response-cache.ts'
import type { GrpcFiles } from '../grpc/grpc-files.ts'
import { Sharing } from '../limit/sharing.ts'
import { clientAddress } from '../match/client-address.ts'
import type { GatewayPolicies } from '../policy/gateway-policies.ts'
import { AccessLog, openLogFile } from './access-log.ts'
import { browsingOf } from './browsing.ts'
import { Compression } from './compression.ts'
import { deprecationFieldsOf } from './deprecation.ts'
import { EdgeMetrics } from './edge-metrics.ts'
import { EdgePolicies } from './edge-policies.ts'
import type { Edge } from './equipment.ts'
import { Mirror } from './mirror.ts'
import { OpenStreams } from './open-streams.ts'
import { createPages } from './pages.ts'
import { openPublicServer } from './public-server.ts'
import type { Route } from './route.ts'
import { type GatewaySettings, isForTls, publicOrigins } from './settings.ts'
import type { EdgeSpec } from './spec.ts'
import { WaitingRooms } from './waiting-rooms.ts'

/** What it takes. */
export interface EdgeOptions {
  readonly runtime: ServiceRuntime<GatewaySettings>
  readonly spec: EdgeSpec
  readonly contracts: readonly Contract[]
  /** Whose access tokens are taken. */
  readonly issuers: readonly Issuer[]
  /** What the policies' check has read. */
  readonly grpcFiles: GrpcFiles
  readonly findApiKey: (key: string) => Promise<User | undefined>
  /** See `EndedSessionsOptions.fetch`; undefined: sessions are not looked at. */
  readonly fetchEndedSessions: ((after: number, limit: number) => Promise<EndedSessionsPage>) | undefined
}

/**
 * Opens the edge; it takes requests when this resolves. Gives the cache, for who wants something forgotten.
 *
 * @throws FlotillaError `unavailable` when the port is taken.
 */
export async function openEdge(options: EdgeOptions): Promise<ResponseCache> {
  const { runtime, spec, contracts, grpcFiles } = options
  const { config, clock, closing, log, metrics } = runtime
  const operations = contracts.flatMap(operationsOf).filter((operation) => operation.rest !== undefined)
  const accessLog = openAccessLog(runtime)
  const { invalidations = [] } = spec
  const cache = new ResponseCache({
    runtime,
    bytesMax: config.cacheBytesMax,
    invalidations,
    purgeTopic: contracts.map(purgeTopic).find((topic) => topic !== undefined),
  })
  const routes = new Map(operations.map((operation) => [operation, routeOf(options, operation, cache)]))
  const sharing = new Sharing(runtime)
  runtime.every('give back tokens', 1_000, () => sharing.giveBack())
  closing.defer('rate limits', () => sharing.giveBack(true))
  const policies = new EdgePolicies({ runtime, routes, sharing, grpcFiles })
  closing.defer('foreign servers', () => policies.close())
  runtime.followPolicies((its) => policies.replace((its ?? {}) as GatewayPolicies))
  const streams = new OpenStreams()
  const ended = endedSessions(options, () => streams.endThoseOver())
  const edge: Edge = {
    runtime,
    router: createRouter(operations),
    routes,
    policies,
    pages: createPages({ ...spec, contracts, isDraining: runtime.isDraining }),
    addressOf: clientAddress(config.trustedProxies),
    accessTokens: new AccessTokens({ issuers: options.issuers, endedSessions: ended, clock, log }),
    apiKeys: new ApiKeys({ clock, lookUp: options.findApiKey, endedSessions: ended }),
    proofs: proofs(runtime),
    userOfCertificate: spec.certificateUsers ?? (() => undefined),
    userTokens: new UserTokens(config.userSigningKey, clock),
    accessLog,
    metrics: new EdgeMetrics(metrics),
    mirror: new Mirror(runtime, metrics),
    compression: new Compression(metrics),
    waitingRooms: new WaitingRooms(metrics, isForTls(config)),
    streams,
  }
  const server = await openPublicServer(edge)
  closing.defer('public server', () => server.drain())
  return cache
}

/** Undefined: there is none. */
function openAccessLog({
  config,
  clock,
  closing,
  instance,
  log,
  metrics,
}: ServiceRuntime<GatewaySettings>): AccessLog | undefined {
  if (config.accessLog === 'off') return undefined
  const lost = metrics
    .counter('flotilla_gateway_access_log_lost_total', 'Lines of the access log that could not be written.')
    .with()
  const { write, close } = openLogFile(config.accessLog)
  // Not by the counter, which counts nothing where metrics are off.
  let isTold = false
  const onLost = (lines: number, error: unknown): void => {
    if (!isTold) log.error('the access log cannot be written; lines that are lost are counted', { error })
    isTold = true
    lost.add(lines)
  }
  const accessLog = new AccessLog({ clock, instance, write, onLost })
  closing.defer('access log', () => {
    accessLog.flush()
    close()
  })
  return accessLog
}

/** They are asked for from now on. */
function endedSessions(
  { runtime, fetchEndedSessions: fetch }: EdgeOptions,
  onEnded: () => void,
): EndedSessions | undefined {
  if (fetch === undefined) return undefined
  const { clock, log, metrics } = runtime
  const ended = new EndedSessions({ fetch, onEnded, clock, log, metrics })
  runtime.every('ask for ended sessions', ASK_MS, () => ended.refresh())
  return ended
}

function proofs({ clock, config, keyValue, metrics }: ServiceRuntime<GatewaySettings>): Proofs {
  const used = new UsedProofs({ clock, keyValue, metrics, rememberedMs: REMEMBERED_MS })
  return new Proofs({ clock, used, origins: originsOf(publicOrigins(config)) })
}

function routeOf(
  { runtime, spec, contracts }: EdgeOptions,
  operation: Operation,
  answers: ResponseCache,
): Route {
  const { cache, rest } = operation
  const scope = cache?.scope === 'private' ? 'private' : 'public'
  const passOn = runtime.outgoing(operation)
  const strictKeyOf = spec.strictRoutes.find((route) => route.operation === operation)?.keyOf
  return {
    operation,
    spanName: `${rest?.method} ${apiPrefix(operation)}${rest?.path}`,
    passOn,
    strictKeyOf,
    cacheControl: cache === undefined ? 'no-store' : `${scope}, max-age=${cache.maxAgeS}`,
    cacheControlOfUsers: cache === undefined ? 'no-store' : `private, max-age=${cache.maxAgeS}`,
    browsing: browsingOf(operation, isForTls(runtime.config)),
    // On a strict route every request is counted by what is in it.
    kept: strictKeyOf === undefined ? answers.route(operation, passOn) : undefined,
    onCommand: answers.onCommand(operation),
    deprecationFields: deprecationFieldsOf(operation, contracts),
  }
}
