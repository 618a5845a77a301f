/**
 * Waiting for a service that is about to come back.
 *
 * When no instance can be reached, nothing was sent, so waiting adds no load and loses nothing: a process that is restarted
 * is back within a second, and the calls that meanwhile wait for it succeed. But not for long: a service that has been away
 * for two seconds is down, and its callers had better use their fallbacks at once.
 *
 * @source gRPC's "wait for ready", bounded, https://grpc.io/docs/guides/wait-for-ready/
 * @module
 */
import type { Clock } from '../kernel/clock.ts'

const GRACE_MS = 2_000
const WAITING_MAX = 1_000
const POLL_MS_MIN = 10
const POLL_MS_MAX = 100

/** Tells whether, and how long, calls to one service wait. */
export class Readiness {
  readonly #clock: Clock
  #awaySinceMs: number | undefined
  #waiting = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** An instance could be reached. */
  reached(): void {
    this.#awaySinceMs = undefined
  }

  /**
   * Waits a moment for an instance to appear. False: do not wait any more, the service is away for too long, too many wait
   * already, or the deadline is too near.
   *
   * @param tries how often this call has waited before.
   */
  async wait(tries: number, deadlineMs: number): Promise<boolean> {
    const nowMs = this.#clock.monotonicMs()
    this.#awaySinceMs ??= nowMs
    const pauseMs = Math.min(POLL_MS_MAX, POLL_MS_MIN * 2 ** tries)
    const isHopeless = nowMs - this.#awaySinceMs > GRACE_MS || nowMs + pauseMs >= deadlineMs
    if (isHopeless || this.#waiting >= WAITING_MAX) return false
    this.#waiting++
    try {
      await this.#clock.sleep(pauseMs)
    } finally {
      this.#waiting--
    }
    return true
  }
}
