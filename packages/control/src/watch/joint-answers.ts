/**
 * Answers that several want at about the same time are made once.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'

interface Answer<T> {
  readonly madeMs: number
  readonly value: Promise<T>
}

const ANSWERS_MAX = 50

/** Keeps answers for a moment, by what was asked. */
export class JointAnswers<T> {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #forMs: number
  readonly #answers = new Map<string, Answer<T>>()

  constructor(clock: Pick<Clock, 'monotonicMs'>, forMs: number) {
    this.#clock = clock
    this.#forMs = forMs
  }

  /** The answer that is there or on its way, or a new one. A failure is everybody's who waits, and not kept. */
  get(key: string, make: () => Promise<T>): Promise<T> {
    const nowMs = this.#clock.monotonicMs()
    const known = this.#answers.get(key)
    if (known !== undefined && nowMs - known.madeMs < this.#forMs) return known.value
    const value = make()
    this.#answers.delete(key)
    this.#answers.set(key, { madeMs: nowMs, value })
    const [oldest] = this.#answers.keys()
    if (this.#answers.size > ANSWERS_MAX && oldest !== undefined) this.#answers.delete(oldest)
    value.catch(() => {
      if (this.#answers.get(key)?.value === value) this.#answers.delete(key)
    })
    return value
  }
}
