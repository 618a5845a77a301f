/**
 * How often something happened of late: counts by the second, the oldest of which falls out when a new one begins.
 *
 * @module
 */

const SLICE_MS = 1_000

/** Counts what happened in the current second and in those before it. */
export class SlidingCount {
  readonly #slices: Uint32Array
  #slice = 0
  #total = 0

  /** @param seconds how many, the current one included: with ten, between nine and ten seconds are looked back. */
  constructor(seconds: number) {
    this.#slices = new Uint32Array(seconds)
  }

  /** It happened. `nowMs` is monotonic. */
  add(nowMs: number): void {
    this.#turn(nowMs)
    const index = this.#slice % this.#slices.length
    this.#slices[index] = (this.#slices[index] as number) + 1
    this.#total++
  }

  /** How often it happened. */
  total(nowMs: number): number {
    this.#turn(nowMs)
    return this.#total
  }

  /** As if it had never happened. */
  clear(): void {
    this.#slices.fill(0)
    this.#total = 0
  }

  #turn(nowMs: number): void {
    const slice = Math.floor(nowMs / SLICE_MS)
    if (slice === this.#slice) return
    const size = this.#slices.length
    for (let passed = Math.max(this.#slice + 1, slice - size + 1); passed <= slice; passed++) {
      this.#total -= this.#slices[passed % size] as number
      this.#slices[passed % size] = 0
    }
    this.#slice = slice
  }
}
