/**
 * How much of one kind of work may run at once, learned from how long it takes.
 *
 * Work that finds room takes its bare time; work that has to share takes longer. So every window compares the mean of its
 * durations with that of the last ten minutes: where the short mean is more than half longer, there is a queue somewhere behind
 * this point (a pool, a processor, another service), and the limit falls; otherwise it rises a little. It comes to rest where a
 * few wait, somewhat above the knee: all of the throughput, little of the delay.
 *
 * - It starts at its maximum: what it refused before it has learned anything would be refused for nothing.
 * - It does not move while less than half of it is in use: nothing was tried that could tell.
 * - What is usual is at first the mean of ten windows; one that is slow while the limit is in use is an overload, and counts next to
 *   nothing. (Otherwise one that comes in the first seconds of a process would be most of what it knows.)
 * - While it holds a queue down, the long mean learns ten times more slowly. Overload would otherwise become the usual
 *   within ten minutes, and the limit drift upwards for as long as it lasts.
 * - Where the limit has been halved and work is still slow, the rate of work tells why. A queue behind this point keeps its
 *   server busy, so the rate stayed. If it fell, there was none: a callee has become slower by itself, what it takes now is the
 *   usual, and the limit is given back. (Without this, five times the latency of a callee that has room makes us refuse four fifths of its calls.)
 * - Work that takes three times as long as usual, or more, brings it down by three tenths a second, not by one: what waits behind
 *   256 others may run out of time.
 * - A window in which nothing waited at all lets it rise by a tenth, so that it comes back within seconds.
 *
 * Durations are without the time in a queue of our own: that is known, and says nothing about what is behind. Work that waits
 * for something to happen, such as a stream, is no sample.
 *
 * @source `Gradient2Limit` of https://github.com/Netflix/concurrency-limits (tolerance 1.5, 600 windows, warm-up 10, smoothing 0.2,
 * queue 4); the start and the last five rules are ours, with figures in docs/decisions/0023-admission.md
 * @module
 */

const WINDOW_MS = 1_000
const SAMPLES_MIN = 10
const TOLERANCE = 1.5
const GRADIENT_MIN = 0.5
/** How many may wait behind this point. */
const QUEUE = 4
const SMOOTHING = 0.2
/** Where work takes three times as long as usual, or more: down from 256 to 20 within ten seconds, not thirty. */
const SMOOTHING_AT_WORST = 0.6
const LONG_WINDOWS = 600
const WARM_UP_WINDOWS = 10
/** A long mean so many times the short one is of another time: work has become faster. */
const STALE_RATIO = 2
const STALE_DECAY = 0.95
/** How much more slowly the long mean learns from a queue that the limit holds down. */
const HELD_DOWN = 10
/** The rate of work that is left where halving the limit made it fall too; less than one, for it scatters. */
const RATE_LEFT = 0.7
/** Nothing waited: the short mean is not above this many times the long one. */
const FREE_RATIO = 1.1
const FREE_GROWTH = 0.5

/** A limit that follows what it sees. Told of every piece of work that has ended; says how many may run. */
export class GradientLimit {
  readonly #min: number
  readonly #max: number
  #limit: number
  #isFrozen = false
  /** Mean duration of about the last ten minutes. */
  #longMs = 0
  #windows = 0
  #windowFromMs = Number.NEGATIVE_INFINITY
  #samples = 0
  #sumMs = 0
  #runningMax = 0
  /** The limit at which the present fall began or was last looked at; 0: it does not fall. */
  #fallFrom = 0
  /** Pieces of work a second at that time. */
  #fallRate = 0
  /** Windows in a row in which work was slow. */
  #slowWindows = 0

  /** 1 <= `min` <= `max`. */
  constructor(min: number, max: number) {
    this.#min = min
    this.#max = max
    this.#limit = max
  }

  /** How many may run at once; a whole number from `min` to `max`. */
  get limit(): number {
    return Math.floor(this.#limit)
  }

  /** A piece of work has ended after `durationMs`; `running` is how many ran, this one included. */
  sample(durationMs: number, running: number, nowMs: number): void {
    if (this.#samples === 0 && this.#windows === 0) this.#windowFromMs = nowMs
    this.#samples++
    this.#sumMs += durationMs
    if (running > this.#runningMax) this.#runningMax = running
    if (this.#samples >= SAMPLES_MIN && nowMs - this.#windowFromMs >= WINDOW_MS) this.#endWindow(nowMs)
  }

  /** Leaves the limit where it is from now on: what a process sees while it drains is not what is usual. */
  freeze(): void {
    this.#isFrozen = true
  }

  #endWindow(nowMs: number): void {
    const shortMs = this.#sumMs / this.#samples
    const lastedMs = nowMs - this.#windowFromMs
    const rate = (this.#samples * 1_000) / lastedMs
    const isInUse = this.#runningMax >= this.#limit / 2
    this.#windowFromMs = nowMs
    this.#samples = 0
    this.#sumMs = 0
    this.#runningMax = 0
    if (this.#isFrozen) return
    this.#learn(shortMs, isInUse)
    // A rate with a pause in it tells nothing.
    if (!isInUse || lastedMs > 2 * WINDOW_MS) this.#fallFrom = 0
    else this.#judgeFall(shortMs, rate)
    if (isInUse) this.#move(shortMs)
  }

  #learn(shortMs: number, isInUse: boolean): void {
    const isKnown = this.#windows >= WARM_UP_WINDOWS
    // An overload that comes before ten windows have been seen must not become most of what is usual.
    const isOverload = isInUse && this.#windows > 0 && shortMs > TOLERANCE * this.#longMs
    if (!isKnown && !isOverload) {
      this.#windows++
      this.#longMs += (shortMs - this.#longMs) / this.#windows
    } else {
      const isAtWorst = TOLERANCE * this.#longMs <= GRADIENT_MIN * shortMs
      const isHeldDown = isInUse && shortMs > this.#longMs && !isAtWorst
      const weight = 2 / (LONG_WINDOWS + 1)
      this.#longMs += (shortMs - this.#longMs) * (isHeldDown ? weight / HELD_DOWN : weight)
    }
    if (this.#longMs > STALE_RATIO * shortMs) this.#longMs *= STALE_DECAY
  }

  #move(shortMs: number): void {
    const gradient = Math.min(1, Math.max(GRADIENT_MIN, (TOLERANCE * this.#longMs) / shortMs))
    const isFree = shortMs <= FREE_RATIO * this.#longMs
    const room = isFree ? Math.max(QUEUE, this.#limit * FREE_GROWTH) : QUEUE
    const smoothing = gradient === GRADIENT_MIN ? SMOOTHING_AT_WORST : SMOOTHING
    const next = (1 - smoothing) * this.#limit + smoothing * (this.#limit * gradient + room)
    this.#limit = Math.min(this.#max, Math.max(this.#min, next))
  }

  /** Once the limit has been halved: was there a queue to be got rid of? */
  #judgeFall(shortMs: number, rate: number): void {
    const isSlow = shortMs > TOLERANCE * this.#longMs
    this.#slowWindows = isSlow ? this.#slowWindows + 1 : 0
    if (!isSlow || this.#limit > this.#fallFrom) this.#fallFrom = 0
    // The first slow window may have begun before work became slow: its rate is of both times.
    if (this.#slowWindows < 2) return
    const isHalved = this.#limit <= this.#fallFrom / 2
    if (isHalved && rate < RATE_LEFT * this.#fallRate) {
      this.#longMs = shortMs
      this.#limit = this.#fallFrom
    }
    if (isHalved || this.#fallFrom === 0) {
      this.#fallFrom = this.#limit
      this.#fallRate = rate
    }
  }
}
