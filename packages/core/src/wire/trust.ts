/**
 * Who may speak to this process, and as whom it speaks: the keys and the credential control gave it.
 *
 * @module
 */
import type { Caller, User } from '../kernel/caller.ts'
import type { Clock } from '../kernel/clock.ts'
import { FlotillaError } from '../kernel/error.ts'
import { type ProcessClaims, Verifier } from './credentials.ts'

/** What a process is told at its start. */
export interface TrustSettings {
  /** Public key of control: signs process credentials. */
  readonly processKey: string
  /** Public key of the gateways: signs user tokens. */
  readonly userKey: string
  /** This process's own credential. */
  readonly credential: string
}

const USERS_MAX = 10_000

/** Checks credentials; remembers users it has checked until their token expires. */
export class Trust {
  /** This process's own credential, to be shown to others. */
  readonly credential: string
  readonly #clock: Clock
  readonly #processes: Verifier
  readonly #users: Verifier
  readonly #knownUsers = new Map<string, { readonly user: User; readonly expiresAt: number }>()

  constructor(settings: TrustSettings, clock: Clock) {
    this.credential = settings.credential
    this.#clock = clock
    this.#processes = new Verifier(settings.processKey)
    this.#users = new Verifier(settings.userKey)
  }

  /** @throws FlotillaError `unauthenticated`. */
  process(credential: string): ProcessClaims {
    return this.#processes.process(credential, this.#clock.now())
  }

  /**
   * The user behind a token.
   *
   * @throws FlotillaError `unauthenticated`.
   */
  user(token: string): User {
    const nowMs = this.#clock.now()
    const known = this.#knownUsers.get(token)
    if (known !== undefined && known.expiresAt > nowMs) return known.user
    const claims = this.#users.user(token, nowMs)
    // Tokens live a minute, so starting over now and then costs less than keeping an order of use.
    if (this.#knownUsers.size >= USERS_MAX) this.#knownUsers.clear()
    this.#knownUsers.set(token, claims)
    return claims.user
  }

  /**
   * The caller a process is allowed to speak for.
   *
   * @throws FlotillaError `permission_denied` when it claims to be a service it does not run.
   */
  caller(claims: ProcessClaims | undefined, service: string | undefined, token: string | undefined): Caller {
    if (service !== undefined && !claims?.services.includes(service)) {
      throw new FlotillaError('permission_denied', `This process may not speak for ${service}.`, {
        executed: 'no',
      })
    }
    return {
      ...(token === undefined ? {} : { user: this.user(token), token }),
      ...(service === undefined ? {} : { service }),
    }
  }
}
