/**
 * The key-value port within one process.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import { type Grant, TokenBucket } from '../resilience/token-bucket.ts'
import type { KeyValue, Tokens } from './key-value.ts'

/** Buckets kept: some 30 MB with the keys that are usual. Beyond them the longest untouched is forgotten. */
const BUCKETS_MAX = 200_000
/** Old buckets that are looked at with each new one: more go than come. */
const SWEPT_AT_ONCE = 2

/** Keeps values in memory. */
export class MemoryKeyValue implements KeyValue {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #bucketsMax: number
  /** When each bucket will be full; the longest untouched first. */
  readonly #fullAtMs = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonicMs'>, bucketsMax = BUCKETS_MAX) {
    this.#clock = clock
    this.#bucketsMax = bucketsMax
  }

  /** Buckets that are kept. */
  get size(): number {
    return this.#fullAtMs.size
  }

  async take(wish: Tokens): Promise<Grant> {
    return this.takeNow(wish)
  }

  /** As `take`: nothing is waited for. */
  takeNow({ key, policy, count }: Tokens): Grant {
    const nowMs = this.#clock.monotonicMs()
    const bucket = new TokenBucket(policy, this.#fullAtMs.get(key))
    const grant = bucket.take(nowMs, count)
    this.#fullAtMs.delete(key)
    this.#fullAtMs.set(key, bucket.fullAtMs)
    this.#sweep(nowMs)
    return grant
  }

  async giveBack(rests: readonly Tokens[]): Promise<void> {
    for (const { key, policy, count } of rests) {
      const fullAtMs = this.#fullAtMs.get(key)
      // A bucket that was forgotten is full.
      if (fullAtMs === undefined) continue
      const bucket = new TokenBucket(policy, fullAtMs)
      bucket.giveBack(count)
      this.#fullAtMs.set(key, bucket.fullAtMs)
    }
  }

  /** Forgets what is full, and what is too much. */
  #sweep(nowMs: number): void {
    let looks = SWEPT_AT_ONCE
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (looks-- === 0) break
      if (fullAtMs <= nowMs || this.#fullAtMs.size > this.#bucketsMax) this.#fullAtMs.delete(key)
    }
  }
}
