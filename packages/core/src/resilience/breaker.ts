/**
 * Failure accrual: when to leave an instance alone, and for how long. It is what other systems call outlier ejection, too.
 *
 * - **closed**: calls go through. Five failures in a row, or a moving success rate below 80 %, open it.
 * - **open**: the instance is avoided for 5 s, twice as long each time it opens again, up to 300 s, half of it jitter. Ten seconds closed take one
 *   doubling back, a success alone none: an instance that fails every other call passes its probe every other time, and must not be
 *   back every five seconds. Balancing prefers others; when most are open it uses all the same (`balance/balancer.ts`, panic).
 * - **probing**: the wait is over and exactly one call is on its way. Its success closes the breaker, its failure opens it.
 *
 * Failures are what says something about the instance: connection errors, time-outs, `unavailable`, `internal`; and answers so late that
 * another instance's was taken (`client/hedged-call.ts`). A refusal in the domain's words is a success.
 *
 * @source Finagle's `FailureAccrualFactory` and `FailureAccrualPolicy` (5 failures; success rate 80 %; 5 s to 300 s); Envoy, "Outlier
 *   detection": a wait that grows with each ejection and shrinks with time in health
 * @module
 */
import type { Random } from '../kernel/random.ts'

const FAILURES_IN_A_ROW = 5
const SUCCESS_RATIO_MIN = 0.8
/** Weight of the newest call: about the last 40 calls decide. */
const NEWEST_WEIGHT = 0.05
const OPEN_MS_MIN = 5_000
const OPEN_MS_MAX = 300_000
/** 5 s doubled so often are more than 300 s. */
const DOUBLINGS_MAX = 6
/** So long closed takes one doubling back. */
const WELL_MS = 10_000

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
  #doublings = 0
  #closedMs = 0

  constructor(random: Random) {
    this.#random = random
  }

  get kind(): State['kind'] {
    return this.#state.kind
  }

  /** True when the next call may well fail: the last one did, or it is a probe. */
  get isDoubtful(): boolean {
    return this.#failuresInARow > 0 || this.#state.kind !== 'closed'
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

  succeed(nowMs: number): void {
    this.#failuresInARow = 0
    this.#successRatio += NEWEST_WEIGHT * (1 - this.#successRatio)
    if (this.#state.kind === 'closed') return
    // The instance answers again: with the old success rate the next failure would open it.
    this.#state = closedState
    this.#successRatio = 1
    this.#closedMs = nowMs
  }

  fail(nowMs: number): void {
    this.#failuresInARow++
    this.#successRatio -= NEWEST_WEIGHT * this.#successRatio
    const isTooMuch = this.#failuresInARow >= FAILURES_IN_A_ROW || this.#successRatio < SUCCESS_RATIO_MIN
    if (this.#state.kind === 'probing' || (this.#state.kind === 'closed' && isTooMuch)) this.#open(nowMs)
  }

  #open(nowMs: number): void {
    if (this.#state.kind === 'closed') {
      this.#doublings = Math.max(0, this.#doublings - Math.floor((nowMs - this.#closedMs) / WELL_MS))
    }
    const openMs = Math.min(OPEN_MS_MAX, OPEN_MS_MIN * 2 ** this.#doublings)
    this.#doublings = Math.min(DOUBLINGS_MAX, this.#doublings + 1)
    this.#state = { kind: 'open', untilMs: nowMs + openMs / 2 + this.#random.next() * (openMs / 2) }
  }
}
