/**
 * A rate with a burst.
 *
 * @module
 */

/** What counts as a token: fractions add up to a little less than one, and who waited as told must not wait again. */
const WHOLE = 1 - 1e-9

/** What one bucket allows. */
export interface BucketPolicy {
  /** Tokens that come back per minute. */
  readonly perMinute: number
  /** Tokens it holds when full. */
  readonly burst: number
}

/** The answer to one attempt. */
export interface BucketAnswer {
  readonly isAllowed: boolean
  /** Whole tokens left. */
  readonly remaining: number
  /** Milliseconds until the next token; 0 when there is one. */
  readonly retryAfterMs: number
}

/** A token bucket, refilled when it is looked at, so that an idle one costs nothing. */
export class TokenBucket {
  readonly policy: BucketPolicy
  #tokens: number
  #lookedAtMs: number

  constructor(policy: BucketPolicy, nowMs: number) {
    this.policy = policy
    this.#tokens = policy.burst
    this.#lookedAtMs = nowMs
  }

  /** Takes one token if there is one. `nowMs` is monotonic. */
  take(nowMs: number): BucketAnswer {
    const perMs = this.policy.perMinute / 60_000
    this.#tokens = Math.min(this.policy.burst, this.#tokens + (nowMs - this.#lookedAtMs) * perMs)
    this.#lookedAtMs = nowMs
    if (this.#tokens >= WHOLE) {
      this.#tokens = Math.max(0, this.#tokens - 1)
      return { isAllowed: true, remaining: Math.floor(this.#tokens), retryAfterMs: 0 }
    }
    return { isAllowed: false, remaining: 0, retryAfterMs: Math.ceil((WHOLE - this.#tokens) / perMs) }
  }
}
