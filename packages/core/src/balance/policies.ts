/**
 * The policies by name.
 *
 * `peak_ewma` is the default and nearly always right. The others are for those who know better, or must do as they did elsewhere.
 *
 * @module
 */
import type { Random } from '../kernel/random.ts'
import { ConsistentHash } from './consistent-hash.ts'
import { LeastConnections } from './least-connections.ts'
import type { Policy } from './policy.ts'
import { PowerOfTwo } from './power-of-two.ts'
import { SmoothRoundRobin } from './round-robin.ts'
import { WeightedRandom } from './weighted-random.ts'

/** Names of the policies. */
export const policyNames = [
  'peak_ewma',
  'round_robin',
  'weighted_round_robin',
  'least_connections',
  'random',
  'consistent_hash',
] as const

/** One of them. */
export type PolicyName = (typeof policyNames)[number]

const makers: Readonly<Record<PolicyName, (random: Random) => Policy>> = {
  peak_ewma: (random) => new PowerOfTwo(random),
  round_robin: () => new SmoothRoundRobin(false),
  weighted_round_robin: () => new SmoothRoundRobin(true),
  least_connections: (random) => new LeastConnections(random),
  random: (random) => new WeightedRandom(random),
  consistent_hash: (random) => new ConsistentHash(new PowerOfTwo(random)),
}

/** A policy that has picked nothing yet. */
export function createPolicy(name: PolicyName, random: Random): Policy {
  return makers[name](random)
}
