/**
 * What the wall clock shows when the monotonic one shows 0, more exactly than one look at both can tell.
 *
 * The wall clock is read in whole milliseconds, cut off. So a look gives an offset that is up to one too small, and the greatest of many
 * looks is nearly right: spans of several processes on one machine line up to within a few hundredths of a millisecond.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'

/** A look that differs by more says that somebody has set the wall clock. */
const JUMP_MS = 5
/** By so much it may fall behind between two looks: clocks run at slightly different rates. */
const DRIFT_MS = 0.002

/** The offset, better with each look. */
export class WallOffset {
  readonly #clock: Pick<Clock, 'now' | 'monotonicMs'>
  #offsetMs = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'now' | 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Looks, and gives the offset in milliseconds. */
  look(): number {
    const seen = this.#clock.now() - this.#clock.monotonicMs()
    const expected = this.#offsetMs - DRIFT_MS
    this.#offsetMs = Math.abs(seen - expected) > JUMP_MS ? seen : Math.max(seen, expected)
    return this.#offsetMs
  }
}
