/**
 * The receiving end of a stream: items arrive whenever, a `for await` loop takes them one by one.
 *
 * @module
 */
import type { FlotillaError } from '../kernel/error.ts'

interface Waiter {
  resolve(result: IteratorResult<unknown>): void
  reject(error: FlotillaError): void
}

/** What the queue tells its owner. */
export interface ItemQueueEvents {
  /** The loop took one item: there is room for another. */
  onTaken(): void
  /** The loop was left before the end. */
  onLeft(): void
}

/** Items between a wire and one loop; how many may wait is the wire's business (its credit). */
export class ItemQueue implements AsyncIterableIterator<unknown> {
  readonly #events: ItemQueueEvents
  readonly #items: unknown[] = []
  #waiter: Waiter | undefined
  #isOver = false
  #error: FlotillaError | undefined

  constructor(events: ItemQueueEvents) {
    this.#events = events
  }

  /** Items that arrived and were not taken. */
  get waitingItems(): number {
    return this.#items.length
  }

  push(item: unknown): void {
    if (this.#isOver) return
    const waiter = this.#waiter
    if (waiter === undefined) {
      this.#items.push(item)
      return
    }
    this.#waiter = undefined
    this.#events.onTaken()
    waiter.resolve({ done: false, value: item })
  }

  /** No more items; with an error, the loop throws it after the items already here. */
  end(error?: FlotillaError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#error = error
    const waiter = this.#waiter
    this.#waiter = undefined
    if (waiter === undefined) return
    if (error === undefined) waiter.resolve({ done: true, value: undefined })
    else waiter.reject(error)
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift()
      this.#events.onTaken()
      return Promise.resolve({ done: false, value })
    }
    if (this.#isOver) {
      const error = this.#error
      this.#error = undefined
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
    })
  }

  return(): Promise<IteratorResult<unknown>> {
    if (!this.#isOver) {
      this.end()
      this.#events.onLeft()
    }
    this.#items.length = 0
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
