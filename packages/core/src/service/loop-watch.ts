/**
 * Looks how late the event loop is, while work comes into the process, and says what is let in.
 *
 * A timer that is due every 50 ms; by how much it comes later is the delay. It rests a second after the last of that work, or as soon as
 * nothing is refused any more: a process that nobody calls sleeps.
 *
 * @module
 */
import type { Clock, Timer } from '../kernel/clock.ts'
import type { LoopGuard } from '../resilience/loop-guard.ts'
import type { Histogram } from '../telemetry/metrics.ts'

const LOOK_MS = 50
const REST_AFTER_MS = 1_000

/** Tells a guard how late the event loop is, and others what it says. */
export class LoopWatch {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'schedule'>
  readonly #guard: LoopGuard
  readonly #delays: Histogram
  #timer: Timer | undefined
  #calledMs = 0
  #isClosed = false

  constructor(clock: Pick<Clock, 'monotonicMs' | 'schedule'>, guard: LoopGuard, delays: Histogram) {
    this.#clock = clock
    this.#guard = guard
    this.#delays = delays
  }

  /** Whether work that comes into the process is in time for its class; `rank` is the place of that in `criticalities`. */
  admits(rank: number, nowMs: number): boolean {
    this.#calledMs = nowMs
    if (this.#timer === undefined && !this.#isClosed) this.#lookAt(this.#clock.monotonicMs() + LOOK_MS)
    return !this.#guard.sheds(rank)
  }

  /** A timer left behind would keep the process alive. */
  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #lookAt(dueMs: number): void {
    this.#timer = this.#clock.schedule(LOOK_MS, () => {
      const nowMs = this.#clock.monotonicMs()
      const delayMs = Math.max(0, nowMs - dueMs)
      this.#delays.observe(delayMs)
      this.#guard.observe(delayMs, nowMs)
      this.#timer = undefined
      if (this.#guard.level > 0 || nowMs - this.#calledMs < REST_AFTER_MS) this.#lookAt(nowMs + LOOK_MS)
    })
  }
}
