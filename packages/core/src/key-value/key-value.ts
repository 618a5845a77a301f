/**
 * The key-value port: small values that processes share and can do without for a while. What must not be lost is in a service's own
 * database.
 *
 * So far these values are token buckets. Whoever holds a bucket decides by its own clock, so that those who share it need not agree on
 * the time, and takes in one step, so that no token is taken twice. A holder that starts anew has forgotten all buckets, and a
 * forgotten bucket is a full one.
 *
 * Every call ends within a quarter of a second, well or badly: somebody waits behind it.
 *
 * @module
 */
import type { BucketPolicy, Grant } from '../resilience/token-bucket.ts'

/** Milliseconds that a call may take. */
export const KEY_VALUE_MS_MAX = 250

/** Characters that a key may have. */
export const KEY_CHARS_MAX = 512

/** Buckets given back to in one call at the most. */
export const GIVE_BACK_MAX = 500

/** Tokens of a bucket. */
export interface Tokens {
  /** Names the bucket among those of the service; up to `KEY_CHARS_MAX` characters. */
  readonly key: string
  /** What the bucket allows: the same at every call, or else the bucket changes. */
  readonly policy: BucketPolicy
  /** How many, 1 to 1,000,000. */
  readonly count: number
}

/** The port. */
export interface KeyValue {
  /**
   * Takes up to `count` tokens.
   *
   * @throws FlotillaError `unavailable` or `deadline_exceeded` when the holder cannot be asked. Tokens may have been taken: they are lost.
   */
  take(wish: Tokens): Promise<Grant>
  /**
   * Gives back what was taken and not used, of `GIVE_BACK_MAX` buckets at the most; to be called once for each.
   *
   * @throws FlotillaError as `take` does.
   */
  giveBack(rests: readonly Tokens[]): Promise<void>
}
