/**
 * How long to wait before trying again.
 *
 * @module
 */
import type { Random } from '../kernel/random.ts'

/** Bounds of the wait. */
export interface BackoffPolicy {
  /** Upper bound of the first wait, > 0. */
  readonly baseMs: number
  /** Upper bound of any wait. */
  readonly capMs: number
}

/**
 * A wait drawn evenly from 0 to min(cap, base · 2^retry), `retry` counting from 0: full jitter, which spreads
 * callers that failed together.
 *
 * @source https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function fullJitterMs(random: Random, retry: number, policy: BackoffPolicy): number {
  return random.next() * Math.min(policy.capMs, policy.baseMs * 2 ** retry)
}
