/**
 * A first-in, first-out queue that says no when it is full. A ring, so that neither end costs more with size.
 *
 * @module
 */

/** Holds at most `sizeMax` items. */
export class BoundedQueue<T> {
  readonly #items: (T | undefined)[]
  #head = 0
  #size = 0

  /** `sizeMax`: 0 makes a queue that is always full. */
  constructor(sizeMax: number) {
    this.#items = new Array<T | undefined>(sizeMax)
  }

  get size(): number {
    return this.#size
  }

  get isFull(): boolean {
    return this.#size === this.#items.length
  }

  /** Adds at the end; false, and nothing added, when full. */
  push(item: T): boolean {
    if (this.isFull) return false
    this.#items[(this.#head + this.#size) % this.#items.length] = item
    this.#size++
    return true
  }

  /** Takes the oldest; undefined when empty. */
  shift(): T | undefined {
    if (this.#size === 0) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) % this.#items.length
    this.#size--
    return item
  }

  /** Takes `item` out wherever it waits, keeping the order of the rest; false when it is not there. */
  remove(item: T): boolean {
    const { length } = this.#items
    for (let index = 0; index < this.#size; index++) {
      if (this.#items[(this.#head + index) % length] !== item) continue
      for (let later = index; later < this.#size - 1; later++) {
        this.#items[(this.#head + later) % length] = this.#items[(this.#head + later + 1) % length]
      }
      this.#size--
      this.#items[(this.#head + this.#size) % length] = undefined
      return true
    }
    return false
  }
}
