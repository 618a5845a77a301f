/**
 * What the operator says about the edge, put together with its settings: what an exchange asks. It may change at any time, as a whole;
 * limits that stay as they are keep what they have counted.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { Operation } from '@flotilla/core/operation'
import type { ServiceRuntime } from '@flotilla/core/service'
import { RateLimit } from '../limit/rate-limit.ts'
import { addressGroup } from '../match/client-address.ts'
import type { GatewayPolicies, RoutePolicy } from '../policy/gateway-policies.ts'
import { RoutePolicies } from '../policy/route-policies.ts'
import { Upstream } from '../upstream/upstream.ts'
import type { EdgeLimits, Route } from './route.ts'
import type { GatewaySettings } from './settings.ts'
import { WeightedRoutes } from './weighted-routes.ts'

const CORS_MAX_AGE_S = 600

/** What a route policy comes to. */
export interface RoutePlan {
  readonly policy: RoutePolicy
  /** Who answers instead; absent: the operation of the route. */
  readonly to: WeightedRoutes | undefined
  readonly mirror: Route | undefined
  readonly limit: RateLimit | undefined
  readonly upstream: Upstream | undefined
}

/** What it takes. */
export interface EdgePoliciesOptions {
  readonly runtime: ServiceRuntime<GatewaySettings>
  readonly routes: ReadonlyMap<Operation, Route>
}

/** What holds now. */
export class EdgePolicies {
  readonly #options: EdgePoliciesOptions
  #kept = new Map<string, RateLimit>()
  #upstreams = new Map<string, Upstream>()
  routes!: RoutePolicies<RoutePlan>
  limits!: EdgeLimits
  corsOrigins: ReadonlySet<string> = new Set()
  corsMaxAgeS = 0
  /** Of every answer: names and values in turn. */
  headers: readonly string[] = []

  constructor(options: EdgePoliciesOptions) {
    this.#options = options
    this.replace({})
  }

  /** From now on this holds; it has passed the checks. */
  replace(policies: GatewayPolicies): void {
    const { runtime, routes } = this.#options
    const { config } = runtime
    const before = this.#kept
    this.#kept = new Map()
    const limit = (name: string, perMinute: number, burst = perMinute, key = name): RateLimit => {
      const id = JSON.stringify([key, perMinute, burst])
      const its = before.get(id) ?? new RateLimit(name, { perMinute, burst }, runtime.clock)
      this.#kept.set(id, its)
      return its
    }
    const { address, anonymous, strict, tiers } = policies.limits ?? {}
    const perTier = { free: config.freePerMinute, premium: config.premiumPerMinute, ...tiers }
    this.limits = {
      address: limit('address', address ?? config.addressPerMinute),
      anonymous: limit('anonymous', anonymous ?? config.anonymousPerMinute),
      strict: limit('strict', strict ?? config.strictPerMinute),
      tiers: new Map(
        Object.entries(perTier).map(([tier, its]) => [tier, limit(tier, its, its, `tier ${tier}`)]),
      ),
    }
    this.corsOrigins = new Set(policies.cors?.origins ?? config.corsOrigins)
    this.corsMaxAgeS = policies.cors?.maxAgeS ?? CORS_MAX_AGE_S
    this.headers = Object.entries(policies.headers ?? {}).flatMap(([name, value]) => [
      name.toLowerCase(),
      value,
    ])
    const upstreams = this.#openUpstreams(policies)
    const byId = new Map([...routes.values()].map((route) => [route.operation.id, route]))
    this.routes = new RoutePolicies(policies, [...routes.keys()], (policy) => ({
      policy,
      to:
        policy.to &&
        new WeightedRoutes(
          policy.to.map(({ operation, weight = 1 }) => [byId.get(operation) as Route, weight]),
        ),
      upstream: policy.upstream && upstreams.get(policy.upstream.name),
      mirror: policy.mirror && byId.get(policy.mirror.operation),
      limit:
        policy.limit &&
        limit(
          'route',
          policy.limit.perMinute,
          policy.limit.burst,
          JSON.stringify([policy.match, policy.limit.by]),
        ),
    }))
  }

  /** Those that stay as they are keep their connections; others end when their exchanges have. */
  #openUpstreams({ upstreams = {} }: GatewayPolicies): ReadonlyMap<string, Upstream> {
    const { clock, random } = this.#options.runtime
    const before = this.#upstreams
    this.#upstreams = new Map()
    const byName = new Map<string, Upstream>()
    for (const [name, settings] of Object.entries(upstreams)) {
      const id = JSON.stringify([name, settings])
      const its = before.get(id) ?? new Upstream(settings, clock, random)
      before.delete(id)
      this.#upstreams.set(id, its)
      byName.set(name, its)
    }
    for (const gone of before.values()) void gone.close()
    return byName
  }

  /** When nobody is left who waits for a foreign server. */
  async close(): Promise<void> {
    await Promise.all([...this.#upstreams.values()].map((upstream) => upstream.destroy()))
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
