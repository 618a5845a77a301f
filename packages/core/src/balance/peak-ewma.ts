/**
 * How long a call to one instance can be expected to take: a moving average of its latency that jumps up at once and comes down
 * slowly, times the calls already on their way to it. A failed call counts as slow: otherwise an instance that fails in a
 * millisecond would attract everything.
 *
 * @source Finagle's `loadbalancer/PeakEwma.scala` (decay 10 s)
 * @module
 */
const DECAY_MS = 10_000
/** What a failure costs at the least. */
const PENALTY_MS = 1_000

/** What is known of one instance's latency; the caller tells it of every call. */
export class PeakEwma {
  #costMs = 0
  #stampMs = 0
  #pending = 0

  get pending(): number {
    return this.#pending
  }

  /** A call is sent. */
  begin(): void {
    this.#pending++
  }

  /** A call ended after `latencyMs`. */
  end(nowMs: number, latencyMs: number, hasFailed: boolean): void {
    this.#pending--
    const sampleMs = hasFailed ? Math.max(latencyMs, PENALTY_MS, this.#costMs) : latencyMs
    this.#costMs = sampleMs > this.#costMs ? sampleMs : this.#decayed(nowMs, sampleMs)
    this.#stampMs = nowMs
  }

  /** Expected milliseconds of work in front of a new call. */
  load(nowMs: number): number {
    // Never measured and busy: one probe is enough until it answers.
    if (this.#costMs === 0 && this.#pending > 0) return PENALTY_MS * (this.#pending + 1)
    return this.#decayed(nowMs, 0) * (this.#pending + 1)
  }

  #decayed(nowMs: number, towardsMs: number): number {
    const weight = Math.exp(-Math.max(0, nowMs - this.#stampMs) / DECAY_MS)
    return this.#costMs * weight + towardsMs * (1 - weight)
  }
}
