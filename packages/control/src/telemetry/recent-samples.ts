/**
 * The samples that came last, in memory: most questions about series are about the last minutes, and are asked again every few seconds.
 *
 * A ring of a fixed size, in the order of arrival, with the newest time of each block of it: what is older than a question is passed over in
 * blocks. It answers only for times of which it has forgotten nothing.
 *
 * @module
 */

const BLOCK = 4_096
const BLOCKS = 64
const SIZE = BLOCK * BLOCKS

/** Samples, from this time on, up to that, which is no part of it; microseconds since 1970. */
export interface RecentRange {
  readonly fromUs: number
  readonly toUs: number
}

/** The ring: 262,144 samples, 7 MB. */
export class RecentSamples {
  readonly #times = new Float64Array(SIZE)
  readonly #series = new Int32Array(SIZE)
  readonly #values = new Float64Array(SIZE)
  readonly #increases = new Float64Array(SIZE)
  readonly #newest = new Float64Array(BLOCKS).fill(Number.NEGATIVE_INFINITY)
  #count = 0
  /** The newest time of what is not here any more, or never was. */
  #forgottenUs = Number.NEGATIVE_INFINITY

  /** Takes a sample. */
  add(timeUs: number, series: number, value: number, increase: number): void {
    const slot = this.#count++ % SIZE
    const block = Math.floor(slot / BLOCK)
    if (slot % BLOCK === 0) {
      this.forgotten(this.#newest[block] as number)
      this.#newest[block] = timeUs
    } else if (timeUs > (this.#newest[block] as number)) this.#newest[block] = timeUs
    this.#times[slot] = timeUs
    this.#series[slot] = series
    this.#values[slot] = value
    this.#increases[slot] = increase
  }

  /** There are samples up to this time that were not added. */
  forgotten(timeUs: number): void {
    this.#forgottenUs = Math.max(this.#forgottenUs, timeUs)
  }

  /** True when all samples from this time on are here. */
  covers(fromUs: number): boolean {
    return fromUs > this.#forgottenUs
  }

  /** Visits the samples of a time, in the order of their arrival. */
  each(
    { fromUs, toUs }: RecentRange,
    visit: (series: number, timeUs: number, value: number, increase: number) => void,
  ): void {
    // The block that is being written over counts as forgotten but for what is new there.
    const oldest = Math.max(0, Math.ceil((this.#count - SIZE) / BLOCK) * BLOCK)
    for (let at = oldest; at < this.#count; ) {
      const slot = at % SIZE
      const end = Math.min(this.#count, at + BLOCK - (slot % BLOCK))
      if ((this.#newest[Math.floor(slot / BLOCK)] as number) >= fromUs) {
        for (let index = slot; index < slot + end - at; index++) {
          const timeUs = this.#times[index] as number
          if (timeUs < fromUs || timeUs >= toUs) continue
          visit(
            this.#series[index] as number,
            timeUs,
            this.#values[index] as number,
            this.#increases[index] as number,
          )
        }
      }
      at = end
    }
  }
}
