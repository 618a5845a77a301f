/**
 * Calls of one key go to one instance, as long as it is there and has no more than its share to do: what that instance keeps in memory is
 * found again. When instances come or go, only keys move that must.
 *
 * Every instance has a score for every key; the highest takes it (rendezvous hashing, weighted). One that has a quarter more than its share
 * of all pending calls is passed over for the next, so a key that everybody wants cannot drown its instance (bounded loads). Where little
 * is going on, ten pending calls are no load, and keys stay where they are.
 *
 * @source Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", 1998; Schindelhauer and Schomaker,
 *   "Weighted Distributed Hash Tables", 2005 (the logarithm); Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016
 * @module
 */
import { fnv1a, mix } from '../kernel/hash.ts'
import { type Endpoint, weightAt } from './endpoint.ts'
import type { Policy } from './policy.ts'

/** How much more than its share an instance may have pending. */
const OVERLOAD = 1.25
/** Pending calls that are never too many. */
const PENDING_FREE = 10
const HASHES = 0x1_0000_0000

/** The policy `consistent_hash`. */
export class ConsistentHash implements Policy {
  readonly #keyless: Policy
  readonly #hashes = new WeakMap<Endpoint, number>()

  /** `keyless` picks for calls without a key. */
  constructor(keyless: Policy) {
    this.#keyless = keyless
  }

  pick<T extends Endpoint>(candidates: readonly T[], nowMs: number, key: string | undefined): T | undefined {
    if (key === undefined) return this.#keyless.pick(candidates, nowMs, key)
    let pending = 1
    let weights = 0
    for (const candidate of candidates) {
      pending += candidate.ewma.pending
      weights += weightAt(candidate, nowMs)
    }
    const hash = fnv1a(key)
    let best: T | undefined
    let bestScore = Number.NEGATIVE_INFINITY
    for (const candidate of candidates) {
      const share = weightAt(candidate, nowMs) / weights
      const room = Math.max(PENDING_FREE, Math.ceil(OVERLOAD * pending * share))
      if (candidate.ewma.pending >= room) continue
      const score = -candidate.weight / Math.log((mix(hash, this.#hashOf(candidate)) + 0.5) / HASHES)
      if (score > bestScore) {
        best = candidate
        bestScore = score
      }
    }
    return best
  }

  #hashOf(endpoint: Endpoint): number {
    let hash = this.#hashes.get(endpoint)
    if (hash === undefined) {
      hash = fnv1a(endpoint.id)
      this.#hashes.set(endpoint, hash)
    }
    return hash
  }
}
