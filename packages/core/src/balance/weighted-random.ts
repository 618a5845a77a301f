/**
 * Any, as often as their weights say.
 *
 * @module
 */
import type { Random } from '../kernel/random.ts'
import { type Endpoint, weightAt } from './endpoint.ts'
import type { Policy } from './policy.ts'

/** The policy `random`. */
export class WeightedRandom implements Policy {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  pick<T extends Endpoint>(candidates: readonly T[], nowMs: number): T | undefined {
    let total = 0
    for (const candidate of candidates) total += weightAt(candidate, nowMs)
    let left = this.#random.next() * total
    for (const candidate of candidates) {
      left -= weightAt(candidate, nowMs)
      if (left < 0) return candidate
    }
    // What rounding leaves over belongs to the last.
    return candidates.at(-1)
  }
}
