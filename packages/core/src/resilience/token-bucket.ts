/**
 * A rate with a burst.
 *
 * Of a bucket one number is kept: the time at which it will be full again. Taking tokens moves it into the future, giving back moves it
 * back, and once it has passed there is nothing to keep: a bucket that was forgotten is a full one.
 *
 * @source the generic cell rate algorithm (ITU-T I.371, appendix I), with a burst for its tolerance
 * @module
 */

/** What counts as a token: fractions add up to a little less than one, and who waited as told must not wait again. */
const WHOLE = 1 - 1e-6

/** What one bucket allows. */
export interface BucketPolicy {
  /** Tokens that come back per minute. */
  readonly perMinute: number
  /** Tokens it holds when full. */
  readonly burst: number
}

/** What came of taking tokens. */
export interface Grant {
  /** Tokens that were there, at most as many as were wanted. */
  readonly taken: number
  /** Whole milliseconds until the next token; 0 when as many were taken as were wanted. */
  readonly retryAfterMs: number
}

/** A token bucket; an idle one costs nothing. */
export class TokenBucket {
  readonly policy: BucketPolicy
  #fullAtMs: number

  /** `fullAtMs`: when it will be full; default: it is. */
  constructor(policy: BucketPolicy, fullAtMs = Number.NEGATIVE_INFINITY) {
    this.policy = policy
    this.#fullAtMs = fullAtMs
  }

  /** When it will be full, unless more is taken: all there is to know of it. */
  get fullAtMs(): number {
    return this.#fullAtMs
  }

  /** Takes up to `wanted` whole tokens. `nowMs` never goes back. */
  take(nowMs: number, wanted = 1): Grant {
    const { burst, perMinute } = this.policy
    const perMs = perMinute / 60_000
    const fullAtMs = Math.max(this.#fullAtMs, nowMs)
    const tokens = burst - (fullAtMs - nowMs) * perMs
    const taken = Math.max(0, Math.min(wanted, Math.floor(tokens + 1 - WHOLE)))
    this.#fullAtMs = fullAtMs + taken / perMs
    const retryAfterMs = taken === wanted ? 0 : Math.ceil((WHOLE - (tokens - taken)) / perMs)
    return { taken, retryAfterMs }
  }

  /** Puts tokens back that were taken and not used; those that do not fit any more are lost. */
  giveBack(count: number): void {
    this.#fullAtMs -= (count * 60_000) / this.policy.perMinute
  }
}
