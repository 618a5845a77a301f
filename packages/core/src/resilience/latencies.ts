/**
 * How long calls take of late: quantiles of the latest period that is over.
 *
 * A period ends when it has seen a thousand calls, but lasts a second at least; or after ten seconds, with a hundred. Quantiles are
 * worked out once at its end: to a call it costs one count. What is older than a minute is forgotten, for it says nothing of now.
 *
 * @module
 */
import { Histogram } from '../telemetry/metrics.ts'

const PERIOD_MS_MIN = 1_000
const PERIOD_MS = 10_000
const FORGET_MS = 60_000
const SAMPLES_MANY = 1_000
const SAMPLES_MIN = 100

/** Durations that so many of the calls did not exceed. */
export interface Quantiles {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** Infinity when there were too few calls to know: fewer than a thousand. */
  readonly p999Ms: number
}

/** What was measured of one operation. */
export class Latencies {
  #histogram = new Histogram()
  #sinceMs = Number.NEGATIVE_INFINITY
  #lookMs = Number.NEGATIVE_INFINITY
  #known: Quantiles | undefined
  #knownMs = 0

  /** A call was answered after `latencyMs`; or given up then, when its answer would have come later. */
  observe(latencyMs: number, nowMs: number): void {
    this.#histogram.observe(latencyMs)
    if (nowMs >= this.#lookMs) this.#look(nowMs)
  }

  /** What is known now; undefined: nothing yet, or nothing any more. */
  at(nowMs: number): Quantiles | undefined {
    return nowMs - this.#knownMs <= FORGET_MS ? this.#known : undefined
  }

  #look(nowMs: number): void {
    const { count } = this.#histogram
    const tookMs = nowMs - this.#sinceMs
    this.#lookMs = nowMs + PERIOD_MS_MIN
    if (tookMs > FORGET_MS) return this.#begin(nowMs)
    if (count < SAMPLES_MIN || (count < SAMPLES_MANY && tookMs < PERIOD_MS)) return
    const quantileMs = (share: number): number => this.#histogram.quantileMs(share)
    this.#known = {
      p50Ms: quantileMs(0.5),
      p95Ms: quantileMs(0.95),
      p99Ms: quantileMs(0.99),
      p999Ms: count >= SAMPLES_MANY ? quantileMs(0.999) : Number.POSITIVE_INFINITY,
    }
    this.#knownMs = nowMs
    this.#begin(nowMs)
  }

  #begin(nowMs: number): void {
    this.#histogram = new Histogram()
    this.#sinceMs = nowMs
  }
}
