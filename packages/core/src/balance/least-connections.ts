/**
 * The one with the fewest calls on their way to it, for its weight; one of them by chance where several have as few.
 *
 * @module
 */
import type { Random } from '../kernel/random.ts'
import { type Endpoint, weightAt } from './endpoint.ts'
import type { Policy } from './policy.ts'

/** The policy `least_connections`. */
export class LeastConnections implements Policy {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  pick<T extends Endpoint>(candidates: readonly T[], nowMs: number): T | undefined {
    let best: T | undefined
    let least = Number.POSITIVE_INFINITY
    let ties = 0
    for (const candidate of candidates) {
      const connections = (candidate.ewma.pending + 1) / weightAt(candidate, nowMs)
      if (connections > least) continue
      ties = connections < least ? 1 : ties + 1
      least = connections
      // Each of n ties stays with the same chance: the last of them comes in with 1/n.
      if (ties === 1 || this.#random.next() * ties < 1) best = candidate
    }
    return best
  }
}
