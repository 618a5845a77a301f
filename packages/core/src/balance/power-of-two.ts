/**
 * Of two drawn at random, the one with less expected work in front of a new call.
 *
 * Two random draws do nearly as well as looking at all, and callers that cannot see each other do not all run to the same "best" one.
 *
 * @source Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001
 * @module
 */
import { type Random, randomInteger } from '../kernel/random.ts'
import { type Endpoint, weightAt } from './endpoint.ts'
import type { Policy } from './policy.ts'

/** The policy `peak_ewma`. */
export class PowerOfTwo implements Policy {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  pick<T extends Endpoint>(candidates: readonly T[], nowMs: number): T | undefined {
    const count = candidates.length
    if (count < 2) return candidates[0]
    const first = randomInteger(this.#random, count)
    const other = (first + 1 + randomInteger(this.#random, count - 1)) % count
    const a = candidates[first] as T
    const b = candidates[other] as T
    return workOf(b, nowMs) < workOf(a, nowMs) ? b : a
  }
}

/** Expected work in front of a new call, for an instance of weight 1. */
function workOf(endpoint: Endpoint, nowMs: number): number {
  return endpoint.ewma.load(nowMs) / weightAt(endpoint, nowMs)
}
