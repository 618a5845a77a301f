/**
 * One after the other, as often as their weights say and as evenly as that can be: weights 5, 1, 1 give a a b a c a a, not a a a a a b c.
 *
 * Every pick raises each by its weight, takes the highest, and lowers that by the sum of all.
 *
 * @source nginx, `ngx_http_upstream_round_robin.c`: smooth weighted round robin (2012)
 * @module
 */
import { type Endpoint, weightAt } from './endpoint.ts'
import type { Policy } from './policy.ts'

/** The policies `round_robin`, to which all weights are 1, and `weighted_round_robin`. */
export class SmoothRoundRobin implements Policy {
  readonly #isWeighted: boolean
  readonly #credits = new WeakMap<Endpoint, number>()

  constructor(isWeighted: boolean) {
    this.#isWeighted = isWeighted
  }

  pick<T extends Endpoint>(candidates: readonly T[], nowMs: number): T | undefined {
    let best: T | undefined
    let bestCredit = Number.NEGATIVE_INFINITY
    let total = 0
    for (const candidate of candidates) {
      const weight = this.#isWeighted ? weightAt(candidate, nowMs) : (candidate.slowStart?.share(nowMs) ?? 1)
      const credit = (this.#credits.get(candidate) ?? 0) + weight
      this.#credits.set(candidate, credit)
      total += weight
      if (credit > bestCredit) {
        best = candidate
        bestCredit = credit
      }
    }
    if (best !== undefined) this.#credits.set(best, bestCredit - total)
    return best
  }
}
