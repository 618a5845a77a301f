/**
 * The public keys of one issuer, fetched beforehand and again every five minutes.
 *
 * A name that is not among them makes us look for new keys, at most once in thirty seconds: strangers can invent as many as they
 * like. While the issuer cannot be reached the known keys serve for a day; after that, and before the first fetch, nothing can be
 * checked.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { Logger } from '@flotilla/core/log'
import type { Issuer } from './issuer.ts'
import { readKeys, type VerificationKey } from './verification-key.ts'

const REFETCH_MS = 30_000
const REFRESH_MS = 300_000
const STALE_MS = 24 * 3_600_000

/** Finds them by their names. */
export class IssuerKeys {
  readonly #issuer: Issuer
  readonly #clock: Clock
  readonly #log: Pick<Logger, 'warn'>
  #keys: ReadonlyMap<string, VerificationKey> | undefined
  /** Said once, not every five minutes: many issuers publish keys that are for something else. */
  #unusable = ''
  #fetchedMs = Number.NEGATIVE_INFINITY
  #triedMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(issuer: Issuer, clock: Clock, log: Pick<Logger, 'warn'>) {
    this.#issuer = issuer
    this.#clock = clock
    this.#log = log
  }

  /**
   * The key named `kid`; undefined when the issuer has none.
   *
   * @throws FlotillaError `unavailable` when the keys cannot be had.
   */
  async find(kid: string): Promise<VerificationKey | undefined> {
    if (this.#clock.monotonicMs() - this.#fetchedMs > REFRESH_MS) await this.#refresh()
    const key = this.#known().get(kid)
    if (key !== undefined) return key
    await this.#refresh()
    return this.#known().get(kid)
  }

  #known(): ReadonlyMap<string, VerificationKey> {
    if (this.#keys === undefined) throw unavailable()
    return this.#keys
  }

  /** Fetches keys; many who ask at the same time cause one fetch, and a failed one is not repeated at once. */
  async #refresh(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
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
    const { issuer, algorithms, keys } = this.#issuer
    try {
      const set = typeof keys === 'function' ? await keys() : keys
      const { keys: usable, unusable } = await readKeys(set, algorithms)
      this.#keys = usable
      this.#fetchedMs = nowMs
      const said = unusable.join()
      if (said !== '' && said !== this.#unusable)
        this.#log.warn('keys of an issuer of access tokens are not used', { issuer, unusable })
      this.#unusable = said
    } catch (error) {
      this.#log.warn('the keys of an issuer of access tokens could not be had', { issuer, error })
      if (nowMs - this.#fetchedMs > STALE_MS) this.#keys = undefined
      if (this.#keys === undefined) throw unavailable(error)
    }
  }
}

function unavailable(cause?: unknown): FlotillaError {
  return new FlotillaError('unavailable', 'Logins cannot be checked right now.', { cause, executed: 'no' })
}
