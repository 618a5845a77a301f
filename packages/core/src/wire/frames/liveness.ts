/**
 * Notices a peer that is gone without saying so (its machine lost power, a firewall dropped the connection): after a
 * silence it is asked, after a second one it counts as dead.
 *
 * @module
 */
import type { Clock, Timer } from '../../kernel/clock.ts'

/** Watches one connection. */
export class Liveness {
  readonly #clock: Clock
  readonly #silenceMs: number
  readonly #ping: () => void
  readonly #giveUp: () => void
  #timer: Timer
  #hasHeard = true
  #hasAsked = false

  constructor(clock: Clock, silenceMs: number, ping: () => void, giveUp: () => void) {
    this.#clock = clock
    this.#silenceMs = silenceMs
    this.#ping = ping
    this.#giveUp = giveUp
    this.#timer = this.#schedule()
  }

  /** Something came from the other side. */
  heard(): void {
    this.#hasHeard = true
  }

  stop(): void {
    this.#timer.cancel()
  }

  #schedule(): Timer {
    return this.#clock.schedule(this.#silenceMs, () => this.#check())
  }

  #check(): void {
    if (this.#hasHeard) this.#hasAsked = false
    else if (this.#hasAsked) {
      this.#giveUp()
      return
    } else {
      this.#hasAsked = true
      this.#ping()
    }
    this.#hasHeard = false
    this.#timer = this.#schedule()
  }
}
