/**
 * When to stop calling an operation at all for a while: half of its calls fail, wherever they are sent.
 *
 * - **closed**: calls go through. When of the last ten seconds' calls, 20 or more, half have failed, it opens.
 * - **open**: every call is refused on the spot, for a second; for twice as long as before each time a probe fails, up to five seconds;
 *   a fifth more or less, so that callers do not come back together.
 * - **probing**: one call at a time is let through; after its success two, then four. Five successes in a row close it, one failure
 *   opens it again.
 *
 * It opens for one second at first and not for five at once, because most of what fails everywhere is back in a moment (a database that
 * fails over, a callee that restarts), and must not be made to last. It knows nothing of instances: the one that is ill among many
 * is found by `breaker.ts`, and half of all calls do not fail for it.
 *
 * Who asks is given a permit, and tells with it how the call ended. What began before the state changed says nothing any more: a call
 * that was sent in good times and times out much later must neither close nor open.
 *
 * @source Hystrix, "How it Works": 20 requests, 50 %, rolling 10 s, open 5 s. Probes that double as in a slow start: ours.
 * @module
 */
import type { Random } from '../kernel/random.ts'
import { SlidingCount } from './sliding-count.ts'

const WINDOW_S = 10
const CALLS_MIN = 20
const FAILED_SHARE_MAX = 0.5
const OPEN_MS_MIN = 1_000
const OPEN_MS_MAX = 5_000
const JITTER_SHARE = 0.2
const SUCCESSES_TO_CLOSE = 5
/** What who comes while others probe is asked to wait: probes are answered or not within about that. */
const PROBING_WAIT_MS = 1_000

/** No permit: the call must not be made. All others are above 0. */
export const REFUSED = 0

/** How a call ended, as far as it tells of the callee; `nothing`: it does not. */
export type Outcome = 'success' | 'failure' | 'nothing'

/** The breaker of one operation of one service, as one caller sees it. */
export class ServiceBreaker {
  readonly #random: Random
  readonly #calls = new SlidingCount(WINDOW_S)
  readonly #failures = new SlidingCount(WINDOW_S)
  #kind: 'closed' | 'open' | 'probing' = 'closed'
  /** Permits of one state are the same number, and no other state's. */
  #permit = 1
  #untilMs = 0
  #openMs = OPEN_MS_MIN
  #probes = 0
  #successes = 0

  constructor(random: Random) {
    this.#random = random
  }

  get kind(): 'closed' | 'open' | 'probing' {
    return this.#kind
  }

  /** The permit for a call that is about to be made, or REFUSED. `end` must follow every permit. */
  tryBegin(nowMs: number): number {
    if (this.#kind === 'closed') return this.#permit
    if (this.#kind === 'open') {
      if (nowMs < this.#untilMs) return REFUSED
      this.#become('probing')
    }
    if (this.#probes >= 2 ** Math.floor(Math.log2(this.#successes + 1))) return REFUSED
    this.#probes++
    return this.#permit
  }

  /** Milliseconds until it is worth asking again; 0 when it is closed. */
  waitMs(nowMs: number): number {
    if (this.#kind === 'closed') return 0
    return this.#kind === 'open' ? Math.max(0, this.#untilMs - nowMs) : PROBING_WAIT_MS
  }

  /** The call with this permit ended. */
  end(permit: number, outcome: Outcome, nowMs: number): void {
    if (permit !== this.#permit) return
    if (this.#kind === 'closed') this.#count(outcome, nowMs)
    else this.#probed(outcome, nowMs)
  }

  #count(outcome: Outcome, nowMs: number): void {
    if (outcome === 'nothing') return
    this.#calls.add(nowMs)
    if (outcome === 'success') return
    this.#failures.add(nowMs)
    const calls = this.#calls.total(nowMs)
    if (calls >= CALLS_MIN && this.#failures.total(nowMs) >= calls * FAILED_SHARE_MAX) this.#open(nowMs)
  }

  #probed(outcome: Outcome, nowMs: number): void {
    this.#probes--
    if (outcome === 'failure') {
      this.#openMs = Math.min(OPEN_MS_MAX, this.#openMs * 2)
      this.#open(nowMs)
    } else if (outcome === 'success' && ++this.#successes >= SUCCESSES_TO_CLOSE) {
      this.#openMs = OPEN_MS_MIN
      this.#become('closed')
    }
  }

  #open(nowMs: number): void {
    this.#untilMs = nowMs + this.#openMs * (1 + JITTER_SHARE * (2 * this.#random.next() - 1))
    this.#become('open')
  }

  #become(kind: 'closed' | 'open' | 'probing'): void {
    this.#kind = kind
    this.#permit++
    this.#probes = 0
    this.#successes = 0
    this.#calls.clear()
    this.#failures.clear()
  }
}
