/**
 * A clock that stands still until told to move: waits take no real time and fire in a fixed order.
 *
 * @module
 */
import { type Clock, sleepOn, type Timer } from './clock.ts'

interface Waiting {
  readonly atMs: number
  readonly sequence: number
  readonly action: () => void
}

/** A clock for tests and the simulator. */
export class VirtualClock implements Clock {
  #wallStartMs: number
  #elapsedMs = 0
  #sequence = 0
  #waiting: Waiting[] = []

  /** `startMs`: the wall-clock time at the start, in milliseconds since 1970. */
  constructor(startMs = 1_700_000_000_000) {
    this.#wallStartMs = startMs
  }

  now(): number {
    return this.#wallStartMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  schedule(delayMs: number, action: () => void): Timer {
    const waiting: Waiting = {
      atMs: this.#elapsedMs + Math.max(0, delayMs),
      sequence: this.#sequence++,
      action,
    }
    this.#waiting.push(waiting)
    return {
      cancel: () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
      },
    }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal)
  }

  /** Waits not yet fired. */
  get pending(): number {
    return this.#waiting.length
  }

  /** Moves the wall clock by `byMs` without time passing, as an administrator or NTP would. */
  jump(byMs: number): void {
    this.#wallStartMs += byMs
  }

  /**
   * Lets `ms` pass. Every wait that falls due fires in order of time, then of creation; between two, pending
   * promise reactions run, so that what a wait sets off can set waits of its own inside the same span.
   */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#elapsedMs + ms
    for (;;) {
      await settle()
      const next = this.#earliest()
      if (next === undefined || next.atMs > untilMs) break
      this.#waiting = this.#waiting.filter((other) => other !== next)
      this.#elapsedMs = next.atMs
      next.action()
    }
    this.#elapsedMs = untilMs
    await settle()
  }

  #earliest(): Waiting | undefined {
    return this.#waiting.reduce<Waiting | undefined>((best, candidate) => {
      if (best === undefined || candidate.atMs < best.atMs) return candidate
      return candidate.atMs === best.atMs && candidate.sequence < best.sequence ? candidate : best
    }, undefined)
  }
}

/** Lets every promise reaction that is ready run: the check phase comes after all microtasks. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
