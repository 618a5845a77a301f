/**
 * Things that were opened, closed in reverse order, each within a bound, whatever the others do.
 *
 * @module
 */
import type { Clock } from './clock.ts'
import { FlotillaError } from './error.ts'

interface Step {
  readonly name: string
  readonly close: () => void | Promise<void>
}

/** A stack of closing steps; itself something to close. */
export class Closing implements AsyncDisposable {
  readonly #clock: Clock
  readonly #stepTimeoutMs: number
  readonly #steps: Step[] = []
  #closed: Promise<void> | undefined

  /** `stepTimeoutMs`: how long one step may take before the next begins all the same. */
  constructor(clock: Clock, stepTimeoutMs = 10_000) {
    this.#clock = clock
    this.#stepTimeoutMs = stepTimeoutMs
  }

  /** Adds a step; it runs before all that were added earlier. */
  defer(name: string, close: () => void | Promise<void>): void {
    if (this.#closed !== undefined) {
      throw new FlotillaError('failed_precondition', `Cannot open ${name}: closing has begun.`)
    }
    this.#steps.push({ name, close })
  }

  /**
   * Runs every step, last added first. Failures and time-outs do not stop the rest; a second call waits for the first.
   *
   * @throws AggregateError with every failure, after all steps have run.
   */
  close(): Promise<void> {
    this.#closed ??= this.#run()
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #run(): Promise<void> {
    const failures: unknown[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await this.#bounded(step)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        failures.push(new Error(`closing ${step.name}: ${why}`, { cause: error }))
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Not everything closed cleanly.')
  }

  #bounded(step: Step): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.schedule(this.#stepTimeoutMs, () => {
        reject(new FlotillaError('deadline_exceeded', `not done after ${this.#stepTimeoutMs} ms`))
      })
      Promise.resolve()
        .then(step.close)
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }
}
