/**
 * Slow start: an instance that is new, or well again, gets few calls at first and all of its share after half a minute. Its code
 * is not compiled yet, its pools and caches are empty; the full share at once would look like a fault.
 *
 * @source Envoy, "Slow start mode": max(minimum, (time / window) ^ (1 / aggression)), minimum 10 %, aggression 1
 * @module
 */

const WINDOW_MS = 30_000
const SHARE_MIN = 0.1

/** The warming up of one instance. */
export class SlowStart {
  readonly #sinceMs: number

  constructor(sinceMs: number) {
    this.#sinceMs = sinceMs
  }

  /** The share of its weight that counts: from 0.1 to 1, which it keeps. */
  share(nowMs: number): number {
    return Math.min(1, Math.max(SHARE_MIN, (nowMs - this.#sinceMs) / WINDOW_MS))
  }
}

/**
 * Whether newcomers are to be spared: they are the few. When most are new, as after a start of everything, there is nobody to spare
 * them by.
 */
export function sparesNewcomers(newcomers: number, all: number): boolean {
  return newcomers * 2 < all
}
