/**
 * Access tokens: JWTs that an issuer signed, checked once and remembered until they run out.
 *
 * The token decides nothing about its own check: algorithm, issuer, audience and type are ours, keys are looked up by `kid` in
 * a set fetched beforehand, and a form check in front refuses what a lenient parser might read in two ways.
 *
 * @source RFC 9068 (JWT profile for access tokens), RFC 8725 (best current practice)
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { type Clock, dateAt } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { createLocalJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'

/** What is accepted. */
export interface AccessTokenOptions {
  readonly issuer: string
  readonly audience: string
  readonly clock: Clock
  /** Fetches the issuer's public keys. */
  readonly fetchKeys: () => Promise<JSONWebKeySet>
}

/** A checked token. */
export interface VerifiedToken {
  readonly user: User
  /** Wall-clock milliseconds. */
  readonly expiresAtMs: number
}

const ALGORITHMS = ['ES256', 'RS256']
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const TOKEN_CHARS_MAX = 8_192
const LEEWAY_S = 30
const LIFETIME_S_MAX = 15 * 60
const VERIFIED_MAX = 50_000
/** An unknown `kid` makes us look for new keys at most so often: strangers can invent as many as they like. */
const REFETCH_MS = 30_000
const REFRESH_MS = 300_000
/** How long known keys are used while the issuer cannot be reached. */
const STALE_MS = 24 * 3_600_000

/** Checks tokens of one issuer. */
export class AccessTokens {
  readonly #options: AccessTokenOptions
  readonly #verified = new LRUCache<string, VerifiedToken>({ max: VERIFIED_MAX })
  #keys: ReturnType<typeof createLocalJWKSet> | undefined
  #fetchedMs = Number.NEGATIVE_INFINITY
  #triedMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(options: AccessTokenOptions) {
    this.#options = options
  }

  /** A token that was checked before and is still valid. */
  known(token: string): VerifiedToken | undefined {
    const verified = this.#verified.get(token)
    return verified !== undefined && verified.expiresAtMs > this.#options.clock.now() ? verified : undefined
  }

  /** @throws FlotillaError `unauthenticated`; `unavailable` when the keys cannot be had. */
  async verify(token: string): Promise<VerifiedToken> {
    const known = this.known(token)
    if (known !== undefined) return known
    if (token.length > TOKEN_CHARS_MAX || !FORM.test(token) || !isCanonical(token))
      throw refused('is malformed')
    const verified = await this.#verify(token)
    this.#verified.set(token, verified)
    return verified
  }

  async #verify(token: string): Promise<VerifiedToken> {
    const { clock } = this.#options
    if (clock.monotonicMs() - this.#fetchedMs > REFRESH_MS) await this.#refresh()
    try {
      return await this.#verifyWith(token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw asRefusal(error)
      await this.#refresh()
      return this.#verifyWith(token).catch((again: unknown) => Promise.reject(asRefusal(again)))
    }
  }

  async #verifyWith(token: string): Promise<VerifiedToken> {
    const { issuer, audience, clock } = this.#options
    if (this.#keys === undefined)
      throw new FlotillaError('unavailable', 'Logins cannot be checked right now.')
    const { payload, protectedHeader } = await jwtVerify(token, this.#keys, {
      algorithms: ALGORITHMS,
      typ: 'at+jwt',
      issuer,
      audience,
      clockTolerance: LEEWAY_S,
      currentDate: dateAt(clock.now()),
      requiredClaims: ['exp', 'iat', 'sub'],
    })
    if (protectedHeader.kid === undefined) throw refused('names no key')
    const { sub, exp = 0, iat = 0, roles, tier } = payload
    if (typeof sub !== 'string' || sub === '') throw refused('names nobody')
    // Otherwise one from the future would live longer than its lifetime says.
    if (iat > clock.now() / 1000 + LEEWAY_S) throw refused('is not valid yet')
    if (exp - iat > LIFETIME_S_MAX) throw refused('lives too long')
    if (!isTexts(roles) || typeof tier !== 'string') throw refused('lacks claims')
    return { user: { id: sub, roles, scopes: [], tier }, expiresAtMs: exp * 1000 }
  }

  /** Fetches keys; many who ask at the same time cause one fetch, and a failed one is not repeated at once. */
  async #refresh(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    if (
      this.#fetching === undefined &&
      nowMs - this.#triedMs >= (this.#keys === undefined ? 0 : REFETCH_MS)
    ) {
      this.#triedMs = nowMs
      this.#fetching = this.#load(nowMs).finally(() => {
        this.#fetching = undefined
      })
    }
    await this.#fetching
  }

  async #load(nowMs: number): Promise<void> {
    try {
      this.#keys = createLocalJWKSet(await this.#options.fetchKeys())
      this.#fetchedMs = nowMs
    } catch (error) {
      if (nowMs - this.#fetchedMs > STALE_MS) this.#keys = undefined
      if (this.#keys === undefined) {
        throw new FlotillaError('unavailable', 'Logins cannot be checked right now.', {
          cause: error,
          executed: 'no',
        })
      }
    }
  }
}

/** One text for the same bytes: base64url has bits to spare at the end, which would make many tokens of one. */
function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function refused(why: string): FlotillaError {
  return new FlotillaError('unauthenticated', `The access token ${why}.`, { executed: 'no' })
}

function asRefusal(error: unknown): FlotillaError {
  if (error instanceof FlotillaError) return error
  return refused(error instanceof errors.JWTExpired ? 'has expired' : 'is not valid')
}
