/**
 * A bound on how much runs at once, with a short queue before it.
 *
 * @module
 */
import { BoundedQueue } from '../kernel/bounded-queue.ts'

/** Something that waits for a place. */
export interface Startable {
  /** There is a place, and it holds it. */
  start(): void
}

/** At most `limit` at once; at most `queueMax` wait, the oldest goes first. */
export class ConcurrencyBound {
  readonly #limit: number
  readonly #waiting: BoundedQueue<Startable>
  #running = 0

  constructor(limit: number, queueMax: number) {
    this.#limit = limit
    this.#waiting = new BoundedQueue(queueMax)
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes a place if one is free now. */
  tryEnter(): boolean {
    if (this.#running >= this.#limit) return false
    this.#running++
    return true
  }

  /** Waits for a place. False when the queue is full. */
  enqueue(startable: Startable): boolean {
    return this.#waiting.push(startable)
  }

  /** Stops waiting; false when it was not waiting any more. */
  withdraw(startable: Startable): boolean {
    return this.#waiting.size > 0 && this.#waiting.remove(startable)
  }

  /** Gives a place back, to the one that waited longest. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running--
    else next.start()
  }
}
