/**
 * How much extra load retries may make: a share of the calls of the last ten seconds, whatever fails.
 *
 * Without it, a callee that answers half its calls sees three times the load exactly when it can bear the least.
 * The floor lets a caller that makes one call a minute retry it.
 *
 * @source Finagle's `RetryBudget`: deposits and withdrawals that expire after `ttl`.
 * @module
 */

const SLICE_MS = 1_000
/** Ten slices of calls are between nine and ten seconds. */
const CALL_SLICES = 10
/** Retries are remembered for between ten and eleven seconds, so that no ten of them hold more than is allowed. */
const SLICES = CALL_SLICES + 1

/** Bounds of a budget. */
export interface RetryBudgetPolicy {
  /** Retries allowed per call, 0 to 1. */
  readonly ratio: number
  /** Retries a second allowed regardless. */
  readonly floorPerSec: number
}

/** One budget; for each pair of caller and callee there is one, shared by all operations. */
export class RetryBudget {
  readonly #policy: RetryBudgetPolicy
  readonly #calls = new Float64Array(SLICES)
  readonly #retries = new Float64Array(SLICES)
  #slice = 0

  constructor(policy: RetryBudgetPolicy) {
    this.#policy = policy
  }

  /** Counts an original call, when it is sent. */
  deposit(nowMs: number): void {
    const index = this.#turn(nowMs)
    this.#calls[index] = (this.#calls[index] as number) + 1
  }

  /** Takes the permission for one retry; false when there is none. */
  tryWithdraw(nowMs: number): boolean {
    const index = this.#turn(nowMs)
    const oldest = (index + 1) % SLICES
    const calls = sum(this.#calls) - (this.#calls[oldest] as number)
    const allowed = calls * this.#policy.ratio + this.#policy.floorPerSec * CALL_SLICES
    if (sum(this.#retries) + 1 > allowed) return false
    this.#retries[index] = (this.#retries[index] as number) + 1
    return true
  }

  /** Forgets what is older than eleven seconds and returns the index of the current second. */
  #turn(nowMs: number): number {
    const slice = Math.floor(nowMs / SLICE_MS)
    if (slice !== this.#slice) {
      const from = Math.max(this.#slice + 1, slice - SLICES + 1)
      for (let passed = from; passed <= slice; passed++) {
        this.#calls[passed % SLICES] = 0
        this.#retries[passed % SLICES] = 0
      }
      this.#slice = slice
    }
    return slice % SLICES
  }
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
