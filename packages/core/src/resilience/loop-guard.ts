/**
 * Which work to refuse because the event loop comes too late to everything.
 *
 * A limit on concurrency sees work that waits; it does not see work that computes, because nothing else runs meanwhile. That
 * shows in the event loop: whatever is due comes late. The guard is told how late, several times a second. A quarter of a second
 * in which something was late by more than 50 ms is a late window; one alone may be a collection of garbage, so four in a row count.
 * From then on each late window raises the level, and each other lowers it. At `critical` that takes more than 200 ms: a
 * process that is busy with what matters is late, and still in time for those who ask.
 *
 * ```
 * level   0 ──── 1 ──── 2 ──────── 2.95
 * refused  sheddable  + sheddable_plus  + critical
 * ```
 *
 * Between two marks it is a share of the class, drawn by chance. The level runs through the sheddable classes in steps of a half;
 * within `critical` it takes away a quarter of what is still let in, so that it finds the share that fits, whatever it is. A
 * twentieth is let in always, and `critical_plus` is never refused: without work nothing would tell that all is well again.
 *
 * @module
 */
import type { Random } from '../kernel/random.ts'

const WINDOW_MS = 250
const LATE_MS = 50
const CRITICAL_LATE_MS = 200
const LATE_WINDOWS = 4
/** Where the class `critical` begins. */
const CRITICAL_LEVEL = 2
const STEP_UP = 0.5
const STEP_DOWN = 0.2
const CRITICAL_LEFT = 0.75
const CRITICAL_GROWTH = 1.2
const CRITICAL_SHARE_MIN = 0.05

/** Told how late the event loop is; says what to refuse. */
export class LoopGuard {
  readonly #random: Pick<Random, 'next'>
  #level = 0
  #lateWindows = 0
  #windowFromMs = Number.NEGATIVE_INFINITY
  #worstMs = 0

  constructor(random: Pick<Random, 'next'>) {
    this.#random = random
  }

  /** How much is refused, from 0 to 2.95: see the head of this file. */
  get level(): number {
    return this.#level
  }

  /** Something that was due came `delayMs` late. */
  observe(delayMs: number, nowMs: number): void {
    if (delayMs > this.#worstMs) this.#worstMs = delayMs
    if (nowMs - this.#windowFromMs < WINDOW_MS) return
    const isLate = this.#worstMs > LATE_MS
    const isVeryLate = this.#worstMs > CRITICAL_LATE_MS
    const isCritical = this.#level >= CRITICAL_LEVEL
    this.#windowFromMs = nowMs
    this.#worstMs = 0
    this.#lateWindows = isLate ? this.#lateWindows + 1 : 0
    if (this.#lateWindows >= LATE_WINDOWS && (!isCritical || isVeryLate)) this.#level = raised(this.#level)
    else if (!isLate || (this.#level > CRITICAL_LEVEL && !isVeryLate)) this.#level = lowered(this.#level)
  }

  /** Whether to refuse this one; `rank` is the place of its class in `criticalities`. */
  sheds(rank: number): boolean {
    if (this.#level === 0) return false
    // The share of a class that is refused: all of it from the level above its own. That of `critical_plus` is never reached.
    const share = this.#level - (3 - rank)
    return share > 0 && this.#random.next() < share
  }
}

function raised(level: number): number {
  if (level < CRITICAL_LEVEL) return Math.min(CRITICAL_LEVEL, level + STEP_UP)
  return 3 - Math.max(CRITICAL_SHARE_MIN, (3 - level) * CRITICAL_LEFT)
}

function lowered(level: number): number {
  if (level <= CRITICAL_LEVEL) return Math.max(0, level - STEP_DOWN)
  return Math.max(CRITICAL_LEVEL, 3 - (3 - level) * CRITICAL_GROWTH)
}
