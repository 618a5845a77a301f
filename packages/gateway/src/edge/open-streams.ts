/**
 * The streams that are being sent, and WebSockets: they end when the gateway leaves, and with the session or API key they were asked
 * for with.
 *
 * Whether that is over is looked at when a stream begins, since it may have ended while the request was checked, and each time the
 * gateway has heard of ends (`auth/ended-sessions.ts`). Nothing else is done for a stream while it lasts.
 *
 * @module
 */
import type { Cancellation } from '@flotilla/core/cancellation'
import { FlotillaError } from '@flotilla/core/error'
import type { Asker } from './asker.ts'

/** Holds what stops each of them. */
export class OpenStreams {
  readonly #askers = new Map<Cancellation, Asker | undefined>()

  /** One begins; it is stopped at once if that is over which it was asked for with. */
  add(cancellation: Cancellation, asker: Asker | undefined): void {
    this.#askers.set(cancellation, asker)
    if (asker?.isOver?.()) cancellation.cancel(over())
  }

  /** It has ended. */
  delete(cancellation: Cancellation): void {
    this.#askers.delete(cancellation)
  }

  /** Some sessions or API keys have ended. */
  endThoseOver(): void {
    for (const [cancellation, asker] of this.#askers) if (asker?.isOver?.()) cancellation.cancel(over())
  }

  /** Stops all. */
  endAll(error: FlotillaError): void {
    for (const cancellation of this.#askers.keys()) cancellation.cancel(error)
  }
}

function over(): FlotillaError {
  return new FlotillaError('unauthenticated', 'The session is over.', { executed: 'no' })
}
