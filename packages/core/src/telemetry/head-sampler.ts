/**
 * Which traces are recorded whole from their beginning on: all of them while there are few, a share of them beyond.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'

/** What the operator says. */
export interface SamplingRules {
  /** So many traces a second are chosen whatever the share is. */
  readonly perSecond: number
  /** Of those beyond, 0 to 1. */
  readonly ratio: number
}

/** Decides for one process. */
export class HeadSampler {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #random: Random
  readonly #rules: SamplingRules
  #second = Number.NEGATIVE_INFINITY
  #chosen = 0

  constructor(clock: Pick<Clock, 'monotonicMs'>, random: Random, rules: SamplingRules) {
    this.#clock = clock
    this.#random = random
    this.#rules = rules
  }

  /** Whether a trace that begins now is one of them. */
  readonly choose = (): boolean => {
    const { perSecond, ratio } = this.#rules
    const second = Math.floor(this.#clock.monotonicMs() / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#chosen = 0
    }
    if (this.#chosen < perSecond) {
      this.#chosen++
      return true
    }
    return ratio > 0 && this.#random.next() < ratio
  }
}
