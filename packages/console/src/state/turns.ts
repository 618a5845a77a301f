/**
 * Questions take turns: a page asks many at once, and the server answers a few at a time.
 *
 * @module
 */

/** Lets so many works run at once; the others wait, first come, first served. */
export class Turns {
  readonly #atOnceMax: number
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax
  }

  /** Runs `work` when its turn has come. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnceMax) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await work()
    } finally {
      // Who waits takes over the place, which therefore never is free for somebody who comes just now.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
