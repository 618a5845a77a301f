/**
 * A turn of work, again and again: some time after the one before, and at once when woken.
 *
 * @module
 */
import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

/** A turn that failed is not followed by another one sooner, however often it is woken. */
const AFTER_FAILURE_MS = 100

/** What a ticker is made of. */
export interface TickerOptions {
  readonly clock: Clock
  readonly random: Random
  /** From the end of a turn to the next one, ± 10 %: not all instances do it at the same moment. */
  readonly intervalMs: number
  readonly turn: () => Promise<void>
  /** Told what a turn threw. */
  readonly onError: (error: unknown) => void
}

/** The loop; it runs from the beginning. */
export class Ticker {
  readonly #options: TickerOptions
  readonly #running: Promise<void>
  #isClosing = false
  /** Somebody wants a turn that begins later than now. */
  #isWoken = false
  /** Ends the pause that is going on: when woken, and when closing. */
  #wakeUp: () => void = nothing
  #giveUp: () => void = nothing

  constructor(options: TickerOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** True once `close` was called: a long turn should come to its end. */
  get isClosing(): boolean {
    return this.#isClosing
  }

  /** Starts the next turn at once; a turn that is running is followed by another one. */
  wake(): void {
    this.#isWoken = true
    this.#wakeUp()
  }

  /** Ends after the turn that is running. */
  close(): Promise<void> {
    this.#isClosing = true
    this.#giveUp()
    return this.#running
  }

  async #run(): Promise<void> {
    const { random, turn, onError, intervalMs } = this.#options
    // A constructor must not begin to work before it has ended.
    await undefined
    while (!this.#isClosing) {
      // Before the turn: who wakes us during it wants another one.
      this.#isWoken = false
      try {
        await turn()
      } catch (error) {
        onError(error)
        await this.#pause(AFTER_FAILURE_MS, false)
      }
      if (!this.#isWoken) await this.#pause(intervalMs * (0.9 + random.next() * 0.2), true)
    }
  }

  #pause(ms: number, canBeWoken: boolean): Promise<void> {
    if (this.#isClosing) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel()
        this.#wakeUp = nothing
        this.#giveUp = nothing
        resolve()
      }
      const timer = this.#options.clock.schedule(ms, end)
      this.#giveUp = end
      if (canBeWoken) this.#wakeUp = end
    })
  }
}

function nothing(): void {
  // Nobody pauses.
}
