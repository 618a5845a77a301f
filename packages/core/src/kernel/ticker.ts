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
  readonly #stop = new AbortController()
  #wake = new AbortController()
  readonly #running: Promise<void>

  constructor(options: TickerOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** True once `close` was called: a long turn should come to its end. */
  get isClosing(): boolean {
    return this.#stop.signal.aborted
  }

  /** Starts the next turn at once; a turn that is running is followed by another one. */
  wake(): void {
    this.#wake.abort()
  }

  /** Ends after the turn that is running. */
  close(): Promise<void> {
    this.#stop.abort()
    return this.#running
  }

  async #run(): Promise<void> {
    const { random, turn, onError } = this.#options
    // A constructor must not begin to work before it has ended.
    await undefined
    while (!this.isClosing) {
      // Made before the turn: who wakes us during it wants another one.
      this.#wake = new AbortController()
      try {
        await turn()
      } catch (error) {
        onError(error)
        await this.#pause(AFTER_FAILURE_MS, this.#stop.signal)
      }
      const intervalMs = this.#options.intervalMs * (0.9 + random.next() * 0.2)
      await this.#pause(intervalMs, AbortSignal.any([this.#stop.signal, this.#wake.signal]))
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    await this.#options.clock.sleep(ms, signal).catch(() => {
      // Woken or stopped: the loop looks for itself.
    })
  }
}
