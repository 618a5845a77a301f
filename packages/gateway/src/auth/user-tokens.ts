/**
 * The signed statement about the user that goes with a call into the fleet, in place of the outside credential.
 *
 * @module
 */
import type { Caller, User } from '@flotilla/core/caller'
import type { Clock } from '@flotilla/core/clock'
import { Signer } from '@flotilla/core/credentials'
import { LRUCache } from 'lru-cache'

const LIFETIME_MS = 60_000
/** A token that goes out lives at least so long: more than the longest a call may take. */
const REMAINING_MS_MIN = 35_000
const REMEMBERED_MAX = 50_000

interface Signed {
  readonly caller: Caller
  readonly expiresAtMs: number
}

/** Signs, and uses a signature again while it lasts: one costs 30 µs and more. */
export class UserTokens {
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #signed = new LRUCache<User, Signed>({ max: REMEMBERED_MAX })

  /** `signingKey`: the private key whose public half every service knows as its `userKey`. */
  constructor(signingKey: string, clock: Clock) {
    this.#signer = new Signer(signingKey)
    this.#clock = clock
  }

  /** The caller that stands for `user`. Remembered by the object: checks give the same one for the same credential. */
  callerOf(user: User): Caller {
    const nowMs = this.#clock.now()
    const known = this.#signed.get(user)
    if (known !== undefined && known.expiresAtMs - nowMs > REMAINING_MS_MIN) return known.caller
    const expiresAt = nowMs + LIFETIME_MS
    const caller: Caller = { user, token: this.#signer.user({ user, expiresAt }) }
    this.#signed.set(user, { caller, expiresAtMs: expiresAt })
    return caller
  }
}
