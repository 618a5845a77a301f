/**
 * When to start a process again that ended by itself. Pure: told the time.
 *
 * The first restart comes at once, since most crashes are single events; further ones wait longer and longer, with jitter, so
 * that a process that cannot start does not take the machine with it. A process that was ready for a while has its past
 * forgiven. Five ends in three minutes are a crash loop: it is still tried, but people should look.
 *
 * @module
 */
import type { Random } from '@flotilla/core/random'

const WAIT_MS_MIN = 100
/** Default of the longest wait, in milliseconds. */
const RESTART_MS_MAX = 15_000
const FORGIVEN_MS = 30_000
const LOOP_ENDS = 5
/** Five starts that hang count, too: from the end of the first to that of the fifth there are four of 30 s, and the waits. */
const LOOP_MS = 180_000

/** The past of one process slot. */
export class RestartPolicy {
  readonly #random: Random
  readonly #waitMsMax: number
  #endsMs: number[] = []
  #inARow = 0

  constructor(random: Random, waitMsMax = RESTART_MS_MAX) {
    this.#random = random
    this.#waitMsMax = waitMsMax
  }

  /** It ended by itself after it was ready for `readyMs`, 0 if never; how long to wait before the next start. */
  ended(nowMs: number, readyMs: number): number {
    this.#inARow = readyMs >= FORGIVEN_MS ? 1 : this.#inARow + 1
    this.#endsMs = [...this.#endsMs.filter((ms) => nowMs - ms < LOOP_MS), nowMs]
    if (this.#inARow === 1) return 0
    const limitMs = Math.min(this.#waitMsMax, WAIT_MS_MIN * 2 ** (this.#inARow - 2))
    return limitMs / 2 + this.#random.next() * (limitMs / 2)
  }

  /** True while it ends faster than it can be of use. */
  isLooping(nowMs: number): boolean {
    return this.#endsMs.filter((ms) => nowMs - ms < LOOP_MS).length >= LOOP_ENDS
  }
}
