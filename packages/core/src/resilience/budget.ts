/**
 * How much more than its calls a caller may do because of them: a share of the calls of the last ten seconds, whatever happens.
 *
 * Retries and hedges are extra load: without a budget a callee that answers half its calls sees three times the load exactly when it
 * can bear the least. The floor lets a caller that makes one call a minute retry it; it holds where it is above the share, and does not come
 * on top, so that a share of a tenth is a tenth.
 *
 * @source Finagle's `RetryBudget`: deposits and withdrawals that expire after `ttl`. There the floor comes on top.
 * @module
 */
import { SlidingCount } from './sliding-count.ts'

/** Ten slices of calls are between nine and ten seconds. */
const CALLS_S = 10
/** What was taken is remembered for between ten and eleven seconds, so that no ten of them hold more than is allowed. */
const TAKEN_S = CALLS_S + 1

/** Bounds of a budget. */
export interface BudgetPolicy {
  /** Allowed per call, from 0. */
  readonly ratio: number
  /** Allowed per second, however few calls there are. */
  readonly floorPerSec: number
}

/** One budget. */
export class Budget {
  readonly #calls = new SlidingCount(CALLS_S)
  readonly #taken = new SlidingCount(TAKEN_S)
  #policy: BudgetPolicy

  constructor(policy: BudgetPolicy) {
    this.#policy = policy
  }

  /** From now on these bounds hold, for the calls that were counted too. */
  configure(policy: BudgetPolicy): void {
    this.#policy = policy
  }

  /** Counts an original call, when it is sent. */
  deposit(nowMs: number): void {
    this.#calls.add(nowMs)
  }

  /** Takes the permission for one; false when there is none. */
  tryWithdraw(nowMs: number): boolean {
    const { ratio, floorPerSec } = this.#policy
    const allowed = Math.max(this.#calls.total(nowMs) * ratio, floorPerSec * CALLS_S)
    if (this.#taken.total(nowMs) + 1 > allowed) return false
    this.#taken.add(nowMs)
    return true
  }
}
