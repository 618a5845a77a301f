/**
 * Access tokens: JWTs that one of our issuers signed, checked once and remembered until they run out.
 *
 * The token decides nothing about its own check. A form check in front refuses what a lenient parser might read in two ways
 * (`token-text.ts`). What it says of its issuer chooses an entry of a table, and nothing else: the signature has to be that issuer's,
 * by a key that was fetched beforehand and the one algorithm of that key (`issuer-keys.ts`, `verification-key.ts`). Then come its claims
 * (`token-claims.ts`), whom it speaks of (`issuer.ts`), and last, whether its session has ended (`ended-sessions.ts`): that is looked
 * at each time, also for a token that was checked before.
 *
 * @source RFC 9068 (JWT profile for access tokens), RFC 8725 (best current practice)
 * @module
 */
import type { User } from '@flotilla/core/caller'
import type { Clock } from '@flotilla/core/clock'
import type { Logger } from '@flotilla/core/log'
import { compactVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { EndedSessions } from './ended-sessions.ts'
import { checkIssuers, type Issuer, sessionOf, userOf } from './issuer.ts'
import { IssuerKeys } from './issuer-keys.ts'
import { type Binding, checkClaims } from './token-claims.ts'
import { refused } from './token-refusal.ts'
import { type ReadToken, readToken } from './token-text.ts'
import type { VerificationKey } from './verification-key.ts'

/** What is accepted. */
export interface AccessTokenOptions {
  readonly issuers: readonly Issuer[]
  /** Of the app's own users. Default: sessions are not looked at. */
  readonly endedSessions?: EndedSessions | undefined
  readonly clock: Clock
  /** Hears of keys that cannot be had or used. */
  readonly log: Pick<Logger, 'warn'>
}

/** A checked token. */
export interface VerifiedToken {
  readonly user: User
  /** Whoever takes the token has to look whether it was shown with that; undefined: with anything. */
  readonly binding: Binding | undefined
  /** Whether its session is over. Absent: it has none that could end before it. */
  readonly isOver?: (() => boolean) | undefined
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number
}

const VERIFIED_MAX = 50_000

/** Checks tokens. */
export class AccessTokens {
  readonly #clock: Clock
  readonly #endedSessions: EndedSessions | undefined
  readonly #issuers: ReadonlyMap<unknown, { readonly issuer: Issuer; readonly keys: IssuerKeys }>
  readonly #verified = new LRUCache<string, VerifiedToken>({ max: VERIFIED_MAX })

  /** @throws FlotillaError `failed_precondition` when the issuers do not go together: see `checkIssuers`. */
  constructor({ issuers, endedSessions, clock, log }: AccessTokenOptions) {
    checkIssuers(issuers)
    this.#clock = clock
    this.#endedSessions = endedSessions
    this.#issuers = new Map(
      issuers.map((issuer) => [issuer.issuer, { issuer, keys: new IssuerKeys(issuer, clock, log) }]),
    )
  }

  /** A token that was checked before and is still valid. */
  known(token: string): VerifiedToken | undefined {
    const verified = this.#remembered(token)
    return verified === undefined || verified.isOver?.() ? undefined : verified
  }

  /**
   * @throws FlotillaError `unauthenticated`; `unavailable` when the keys of its issuer cannot be had, or which sessions have ended.
   */
  async verify(token: string): Promise<VerifiedToken> {
    let verified = this.#remembered(token)
    if (verified === undefined) {
      verified = await this.#verify(token, readToken(token))
      this.#verified.set(token, verified)
    }
    if (verified.isOver?.()) throw refused('session over')
    return verified
  }

  #remembered(token: string): VerifiedToken | undefined {
    const verified = this.#verified.get(token)
    return verified !== undefined && verified.expiresAtMs > this.#clock.now() ? verified : undefined
  }

  async #verify(token: string, { algorithm, kid, claims: said }: ReadToken): Promise<VerifiedToken> {
    const its = this.#issuers.get(said['iss'])
    if (its === undefined) throw refused('issuer')
    const key = await its.keys.find(kid)
    if (key === undefined) throw refused('unknown key')
    if (algorithm !== key.algorithm) throw refused('algorithm')
    await checkSignature(token, key)
    const claims = checkClaims(said, its.issuer.audience, this.#clock.now() / 1000)
    const user = userOf(its.issuer, claims)
    const sessionId = sessionOf(its.issuer, claims)
    const ended = sessionId === undefined ? undefined : this.#endedSessions
    await ended?.ready()
    return {
      user,
      binding: claims.binding,
      isOver: ended && (() => ended.has(sessionId as string)),
      expiresAtMs: claims.expiresAtS * 1000,
    }
  }
}

async function checkSignature(token: string, { algorithm, key }: VerificationKey): Promise<void> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] })
  } catch {
    // Whatever is wrong with it, it does not verify.
    throw refused('signature')
  }
}
