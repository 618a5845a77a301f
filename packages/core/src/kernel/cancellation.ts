/**
 * One call's way of being stopped. An `AbortSignal` costs some 0.5 µs to make and most calls end before anybody
 * looks at it, so it is made only for those who ask.
 *
 * @module
 */
import { setMaxListeners } from 'node:events'
import type { FlotillaError } from './error.ts'

/** Something that wants to know. An object rather than a function: most are there already, and need no closure. */
export interface CancelListener {
  canceled(error: FlotillaError): void
}

/** Stops once, for one reason: the caller gave up, the deadline passed, or the connection is gone. */
export class Cancellation {
  #error: FlotillaError | undefined
  #listeners: CancelListener[] | undefined
  #controller: AbortController | undefined

  /** Why it was stopped; undefined while it goes on. */
  get error(): FlotillaError | undefined {
    return this.#error
  }

  /** The same as an `AbortSignal` whose reason is the error; made at the first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      // As many as there is work at the same time: no leak, which Node would take it for from eleven on.
      setMaxListeners(0, this.#controller.signal)
      if (this.#error !== undefined) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  /** Stops; only the first call counts. */
  cancel(error: FlotillaError): void {
    if (this.#error !== undefined) return
    this.#error = error
    this.#controller?.abort(error)
    const listeners = this.#listeners
    this.#listeners = undefined
    if (listeners) for (const listener of listeners) listener.canceled(error)
  }

  /** Tells `listener` when stopped; at once if it already is. */
  listen(listener: CancelListener): void {
    if (this.#error !== undefined) return listener.canceled(this.#error)
    if (this.#listeners === undefined) this.#listeners = [listener]
    else this.#listeners.push(listener)
  }

  /** Tells it no more. */
  unlisten(listener: CancelListener): void {
    const listeners = this.#listeners
    if (listeners === undefined) return
    const index = listeners.indexOf(listener)
    if (index < 0) return
    // The order in which they are told is nobody's business, so the last may take the free place.
    const last = listeners.pop() as CancelListener
    if (index < listeners.length) listeners[index] = last
  }

  /** Throws the error if stopped. */
  throwIfCanceled(): void {
    if (this.#error !== undefined) throw this.#error
  }
}
