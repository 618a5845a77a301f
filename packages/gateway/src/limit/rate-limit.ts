/**
 * Rate limits: token buckets by whoever is counted, in memory, the longest unused forgotten first.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { type BucketAnswer, type BucketPolicy, TokenBucket } from '@flotilla/core/token-bucket'
import { LRUCache } from 'lru-cache'

/** Buckets kept per limit. One that is forgotten would be full again soon anyway. */
const BUCKETS_MAX = 100_000

/** One limit, for many keys. */
export class RateLimit {
  /** Shown in the `RateLimit` fields. */
  readonly name: string
  readonly policy: BucketPolicy
  readonly #clock: Clock
  readonly #buckets = new LRUCache<string, TokenBucket>({ max: BUCKETS_MAX })

  constructor(name: string, policy: BucketPolicy, clock: Clock) {
    this.name = name
    this.policy = policy
    this.#clock = clock
  }

  /** Counts one request of `key`. */
  take(key: string): BucketAnswer {
    const nowMs = this.#clock.monotonicMs()
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = new TokenBucket(this.policy, nowMs)
      this.#buckets.set(key, bucket)
    }
    return bucket.take(nowMs)
  }

  /** The `RateLimit-Policy` field. */
  get policyField(): string {
    return `"${this.name}";q=${this.policy.burst};w=60`
  }

  /**
   * The `RateLimit` field.
   *
   * @source https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
   */
  field(answer: BucketAnswer): string {
    return `"${this.name}";r=${answer.remaining};t=${Math.ceil(answer.retryAfterMs / 1000)}`
  }
}
