/**
 * By which limits a request is counted, and as whose. Pure.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { FlotillaError } from '@flotilla/core/error'
import type { RateLimit, Verdict } from '../limit/rate-limit.ts'
import { addressGroup } from '../match/client-address.ts'
import { countedBy, type RoutePlan } from './edge-policies.ts'
import type { EdgeLimits, Route } from './route.ts'

/** A limit, and whose request it is. */
export type Count = readonly [limit: RateLimit, key: string]

/** Keys of buckets are kept; what they are made of comes from strangers. */
const STRICT_KEY_CHARS_MAX = 256
const UNLIMITED_ROLES = ['admin']

/** Of whoever asks, in general and of this route. */
export function callerCounts(
  { anonymous, tiers }: EdgeLimits,
  { limit, policy }: Partial<RoutePlan>,
  user: User | undefined,
  address: string,
): readonly Count[] {
  const counts: Count[] = []
  if (user === undefined) counts.push([anonymous, addressGroup(address)])
  else if (!user.roles.some((role) => UNLIMITED_ROLES.includes(role))) {
    const perTier = tiers.get(user.tier)
    if (perTier !== undefined) counts.push([perTier, user.id])
  }
  if (limit !== undefined) counts.push([limit, countedBy(policy?.limit?.by, user, address)])
  return counts
}

/** Of a route that could be used to guess something: by address, and by what is guessed at. */
export function strictCounts(
  { strict }: EdgeLimits,
  { operation: { id }, strictKeyOf }: Route,
  input: unknown,
  address: string,
): readonly Count[] {
  if (strictKeyOf === undefined) return none
  return [
    [strict, `${id} ${addressGroup(address)}`],
    [strict, `${id} ${strictKeyOf(input).slice(0, STRICT_KEY_CHARS_MAX)}`],
  ]
}

const none: readonly Count[] = []

/** What the answer to a refused request says of the limit: names and values in turn. */
export function limitFields(limit: RateLimit, verdict: Verdict): readonly string[] {
  return ['ratelimit-policy', limit.policyField, 'ratelimit', limit.field(verdict)]
}

/** The refusal. */
export function tooMany({ retryAfterMs }: Verdict): FlotillaError {
  return new FlotillaError('resource_exhausted', 'Too many requests; wait a moment.', {
    executed: 'no',
    retryAfterMs,
  })
}
