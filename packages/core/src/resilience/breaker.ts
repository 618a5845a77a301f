/**
 * Failure accrual: when to leave an instance alone, and for how long.
 *
 * - **closed**: calls go through. Five failures in a row, or a moving success rate below 80 %, open it.
 * - **open**: the instance is avoided for 5 s, doubling up to 300 s each time it opens again without a success in
 *   between, half of it jitter. Balancing prefers others; with nothing else left it may use the instance all the same.
 * - **probing**: the wait is over and exactly one call is on its way. Its success closes the breaker, its failure opens it.
 *
 * Failures are what says something about the instance: connection errors, time-outs, `unavailable`, `internal`. A refusal in
 * the domain's words is a success.
 *
 * @source Finagle's `FailureAccrualFactory` and `FailureAccrualPolicy` (5 failures; success rate 80 %; 5 s to 300 s)
 * @module
 */
import type { Random } from '../kernel/random.ts'

const FAILURES_IN_A_ROW = 5
const SUCCESS_RATIO_MIN = 0.8
/** Weight of the newest call: about the last 40 calls decide. */
const NEWEST_WEIGHT = 0.05
const OPEN_MS_MIN = 5_000
const OPEN_MS_MAX = 300_000

type State =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'probing' }

const closedState: State = { kind: 'closed' }
const probingState: State = { kind: 'probing' }

/** The breaker of one instance, as one caller sees it. */
export class InstanceBreaker {
  readonly #random: Random
  #state: State = closedState
  #failuresInARow = 0
  #successRatio = 1
  #openMs = OPEN_MS_MIN

  constructor(random: Random) {
    this.#random = random
  }

  get kind(): State['kind'] {
    return this.#state.kind
  }

  /** True when balancing may send a call there without second thoughts. */
  isAvailable(nowMs: number): boolean {
    return this.#state.kind === 'closed' || (this.#state.kind === 'open' && nowMs >= this.#state.untilMs)
  }

  /** A call is about to be sent. */
  begin(nowMs: number): void {
    if (this.#state.kind === 'open' && nowMs >= this.#state.untilMs) this.#state = probingState
  }

  /** A call ended without telling anything about the instance (it was canceled, or never sent). */
  abandon(nowMs: number): void {
    if (this.#state.kind === 'probing') this.#state = { kind: 'open', untilMs: nowMs }
  }

  succeed(): void {
    this.#failuresInARow = 0
    this.#successRatio += NEWEST_WEIGHT * (1 - this.#successRatio)
    if (this.#state.kind === 'closed') return
    // The instance answers again: forget the bad past, or the low success rate would open it at the next failure.
    this.#state = closedState
    this.#successRatio = 1
    this.#openMs = OPEN_MS_MIN
  }

  fail(nowMs: number): void {
    this.#failuresInARow++
    this.#successRatio -= NEWEST_WEIGHT * this.#successRatio
    const isTooMuch = this.#failuresInARow >= FAILURES_IN_A_ROW || this.#successRatio < SUCCESS_RATIO_MIN
    if (this.#state.kind === 'probing' || (this.#state.kind === 'closed' && isTooMuch)) this.#open(nowMs)
  }

  #open(nowMs: number): void {
    const waitMs = this.#openMs / 2 + this.#random.next() * (this.#openMs / 2)
    this.#state = { kind: 'open', untilMs: nowMs + waitMs }
    this.#openMs = Math.min(OPEN_MS_MAX, this.#openMs * 2)
  }
}
