/**
 * What the operator says about the edge, put together with its settings: what an exchange asks. It may change at any time, as a whole;
 * limits that stay as they are keep what they have counted.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { Operation } from '@flotilla/core/operation'
import type { Random } from '@flotilla/core/random'
import type { ServiceRuntime } from '@flotilla/core/service'
import type { GrpcFiles, GrpcRoute } from '../grpc/grpc-files.ts'
import { GrpcUpstream } from '../grpc/grpc-upstream.ts'
import { RateLimit } from '../limit/rate-limit.ts'
import type { Sharing } from '../limit/sharing.ts'
import { addressGroup } from '../match/client-address.ts'
import type { GatewayPolicies, Match, RoutePolicy } from '../policy/gateway-policies.ts'
import type { GrpcPolicy } from '../policy/grpc-policies.ts'
import { enrichments, RoutePolicies } from '../policy/route-policies.ts'
import { ByName } from '../upstream/by-name.ts'
import { Upstream, type UpstreamSettings } from '../upstream/upstream.ts'
import { WaitingRoom, type WaitingRoomPolicy } from '../waiting/waiting-room.ts'
import type { EdgeLimits, Route } from './route.ts'
import type { GatewaySettings } from './settings.ts'
import { cookieName, type Entry } from './waiting-entry.ts'
import { WeightedRoutes } from './weighted-routes.ts'

const CORS_MAX_AGE_S = 600
const GRPC_TIMEOUT_MS = 30_000

/** What a route policy comes to. */
export interface RoutePlan {
  readonly policy: RoutePolicy
  /** Who answers instead; absent: the operation of the route. */
  readonly to: WeightedRoutes | undefined
  readonly mirror: Route | undefined
  /** Whom answers are enriched from, by the id of the operation. */
  readonly sources: ReadonlyMap<string, Route>
  readonly limit: RateLimit | undefined
  readonly entry: Entry | undefined
  readonly upstream: Upstream | undefined
  readonly grpc: GrpcPlan | undefined
}

/** A gRPC server that answers, and how it is asked. */
export interface GrpcPlan {
  readonly upstream: GrpcUpstream
  readonly route: GrpcRoute
  /** For an answer of one message. */
  readonly timeoutMs: number
}

/** What it takes. */
export interface EdgePoliciesOptions {
  readonly runtime: ServiceRuntime<GatewaySettings>
  readonly routes: ReadonlyMap<Operation, Route>
  readonly sharing: Sharing
  readonly grpcFiles: GrpcFiles
}

/** What they come to, all together. */
export interface EdgeRules {
  readonly routes: RoutePolicies<RoutePlan>
  readonly limits: EdgeLimits
  readonly corsOrigins: ReadonlySet<string>
  readonly corsMaxAgeS: number
  /** Of every answer: names and values in turn. */
  readonly headers: readonly string[]
}

/** What the operator says. */
export class EdgePolicies {
  readonly #options: EdgePoliciesOptions
  #limits = new Map<string, RateLimit>()
  readonly #upstreams: ByName<UpstreamSettings, Upstream>
  readonly #grpc: ByName<GrpcPolicy, GrpcUpstream>
  #entries = new Map<string, Entry>()
  #now: EdgeRules

  constructor(options: EdgePoliciesOptions) {
    const { runtime } = options
    this.#options = options
    this.#upstreams = new ByName((settings) => new Upstream(settings, runtime))
    this.#grpc = new ByName((settings) => new GrpcUpstream(settings, runtime))
    this.#now = this.#rulesOf({})
  }

  /** What holds now. */
  get now(): EdgeRules {
    return this.#now
  }

  /** From now on this holds; it has passed the checks. */
  replace(policies: GatewayPolicies): void {
    this.#now = this.#rulesOf(policies)
  }

  #rulesOf(policies: GatewayPolicies): EdgeRules {
    const { config } = this.#options.runtime
    const before = this.#limits
    this.#limits = new Map()
    const entries = this.#entries
    this.#entries = new Map()
    const upstreams = this.#upstreams.replace(policies.upstreams ?? {})
    const rules = {
      limits: this.#limitsOf(policies, before),
      corsOrigins: new Set(policies.cors?.origins ?? config.corsOrigins),
      corsMaxAgeS: policies.cors?.maxAgeS ?? CORS_MAX_AGE_S,
      headers: Object.entries(policies.headers ?? {}).flatMap(([name, value]) => [name.toLowerCase(), value]),
      routes: this.#routesOf(policies, before, entries, upstreams),
    }
    for (const [id, limit] of before) if (!this.#limits.has(id)) limit.close()
    return rules
  }

  #limitsOf({ limits = {} }: GatewayPolicies, before: ReadonlyMap<string, RateLimit>): EdgeLimits {
    const { config } = this.#options.runtime
    const perTier = { free: config.freePerMinute, premium: config.premiumPerMinute, ...limits.tiers }
    const limit = (name: string, perMinute: number, key = name): RateLimit =>
      this.#limit(before, key, { name, perMinute, burst: perMinute })
    return {
      address: limit('address', limits.address ?? config.addressPerMinute),
      anonymous: limit('anonymous', limits.anonymous ?? config.anonymousPerMinute),
      strict: limit('strict', limits.strict ?? config.strictPerMinute),
      tiers: new Map(Object.entries(perTier).map(([tier, its]) => [tier, limit(tier, its, `tier ${tier}`)])),
    }
  }

  #routesOf(
    policies: GatewayPolicies,
    before: ReadonlyMap<string, RateLimit>,
    entries: ReadonlyMap<string, Entry>,
    upstreams: ReadonlyMap<string, Upstream>,
  ): RoutePolicies<RoutePlan> {
    const { routes, grpcFiles } = this.#options
    const servers = this.#grpc.replace(policies.grpc ?? {})
    const { policies: all, routes: toGrpc } = grpcFiles.of(policies)
    const grpcOf = (policy: RoutePolicy): GrpcPlan | undefined => {
      const upstream = policy.grpc && servers.get(policy.grpc.name)
      const route = toGrpc.get(policy)
      const timeoutMs = policy.timeoutMs ?? policies.grpc?.[policy.grpc?.name ?? '']?.timeoutMs
      return upstream && route && { upstream, route, timeoutMs: timeoutMs ?? GRPC_TIMEOUT_MS }
    }
    const byId = new Map([...routes.values()].map((route) => [route.operation.id, route]))
    return new RoutePolicies(all, [...routes.keys()], (policy) => {
      const { match, to, upstream, mirror, limit } = policy
      const weights = to?.map(({ operation, weight = 1 }) => [byId.get(operation) as Route, weight] as const)
      return {
        policy,
        to: weights && new WeightedRoutes(weights),
        upstream: upstream && upstreams.get(upstream.name),
        grpc: grpcOf(policy),
        mirror: mirror && byId.get(mirror.operation),
        sources: new Map(enrichments(policy).map(({ from }) => [from, byId.get(from) as Route] as const)),
        entry: policy.waitingRoom && this.#entry(entries, match, policy.waitingRoom),
        limit:
          limit &&
          this.#limit(before, JSON.stringify([match, limit.by]), {
            name: 'route',
            perMinute: limit.perMinute,
            burst: limit.burst ?? limit.perMinute,
          }),
      }
    })
  }

  /** The room there was, if it was like this: places that were given away stay so. */
  #entry(before: ReadonlyMap<string, Entry>, match: Match, policy: WaitingRoomPolicy): Entry {
    const { config, clock } = this.#options.runtime
    const id = JSON.stringify([match, policy])
    const room = JSON.stringify(match)
    const instances = (): number => this.#options.sharing.instances
    const its = before.get(id) ?? {
      cookie: cookieName(room),
      room: new WaitingRoom({ ...policy, id: room, key: config.userSigningKey, clock, instances }),
    }
    this.#entries.set(id, its)
    return its
  }

  /** The one there was, if it was like this. */
  #limit(
    before: ReadonlyMap<string, RateLimit>,
    key: string,
    { name, perMinute, burst }: { name: string; perMinute: number; burst: number },
  ): RateLimit {
    const id = JSON.stringify([key, perMinute, burst])
    const its =
      this.#limits.get(id) ??
      before.get(id) ??
      new RateLimit({ name, id, perMinute, burst, isStrict: name === 'strict' }, this.#options.sharing)
    this.#limits.set(id, its)
    return its
  }

  /** When nobody is left who waits for a foreign server. */
  async close(): Promise<void> {
    for (const upstream of this.#grpc.all) upstream.close()
    for (const upstream of this.#upstreams.all) upstream.destroy()
  }
}

/** Codes of what the operator refuses. */
const REFUSAL_CODES = {
  403: 'permission_denied',
  404: 'not_found',
  410: 'not_found',
  503: 'unavailable',
} as const

/** The error that the operator wants to be answered; undefined when nobody is refused. */
export function refusalBy({ refuse }: RoutePolicy): FlotillaError | undefined {
  if (refuse === undefined) return undefined
  const { status, detail = 'This is not to be had right now.', retryAfterS } = refuse
  return new FlotillaError(REFUSAL_CODES[status], detail, {
    status,
    // What an operator says is meant for people outside.
    reason: 'route_refused',
    executed: 'no',
    retryAfterMs: retryAfterS === undefined ? undefined : retryAfterS * 1_000,
  })
}

/** Who is counted: a key that no other one has. */
export function countedBy(
  by: 'address' | 'user' | 'everybody' | undefined,
  user: User | undefined,
  address: string,
): string {
  if (by === 'everybody') return ''
  // No address looks like it.
  return user === undefined || by === 'address' ? addressGroup(address) : `user ${user.id}`
}

/** Who answers: the route itself, or somebody the operator has put there. */
export function chosenRoute(
  plan: RoutePlan | undefined,
  route: Route,
  user: User | undefined,
  address: string,
  random: Random,
): Route {
  if (plan?.to === undefined) return route
  const { sticky } = plan.policy
  const key = sticky === 'user' ? user?.id : sticky && addressGroup(address)
  return key === undefined ? plan.to.any(random) : plan.to.of(key)
}
