/**
 * API keys: looked up at their issuer, remembered for half a minute, or until it is heard that they have ended (`ended-sessions.ts`).
 * While nobody tells, half a minute is how long a revoked one may still work.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { User } from '@flotilla/core/caller'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { LRUCache } from 'lru-cache'
import type { EndedSessions } from './ended-sessions.ts'

/** What it takes. */
export interface ApiKeysOptions {
  readonly clock: Clock
  /** Whom a key belongs to; undefined when it is worth nothing. */
  readonly lookUp: (key: string) => Promise<User | undefined>
  /** Default: nobody tells which have ended. */
  readonly endedSessions?: Pick<EndedSessions, 'hasSince'> | undefined
}

/** A key that is good. */
export interface VerifiedKey {
  readonly user: User
  /** Whether it has ended since. */
  readonly isOver: () => boolean
}

const REMEMBERED_MS = 30_000
const REMEMBERED_MAX = 10_000
const FORM = /^[\x21-\x7e]{16,200}$/

interface Known {
  /** Undefined: it is worth nothing. */
  readonly verified: VerifiedKey | undefined
  readonly untilMs: number
}

/** Checks keys. */
export class ApiKeys {
  readonly #options: ApiKeysOptions
  /** By hash: keys are secrets, and a heap dump should not show them. Unknown ones are remembered too. */
  readonly #known = new LRUCache<string, Known>({ max: REMEMBERED_MAX })

  constructor(options: ApiKeysOptions) {
    this.#options = options
  }

  /** @throws FlotillaError `unauthenticated`; what the look-up throws. */
  async verify(key: string): Promise<VerifiedKey> {
    const verified = FORM.test(key) ? await this.#find(key) : undefined
    // It may have ended while it was looked up.
    if (verified === undefined || verified.isOver())
      throw new FlotillaError('unauthenticated', 'The API key is not valid.', { executed: 'no' })
    return verified
  }

  async #find(key: string): Promise<VerifiedKey | undefined> {
    const { clock, lookUp, endedSessions } = this.#options
    const hash = createHash('sha256').update(key).digest('base64url')
    const known = this.#known.get(hash)
    const nowMs = clock.monotonicMs()
    if (known !== undefined && known.untilMs > nowMs && !known.verified?.isOver()) return known.verified
    const user = await lookUp(key)
    const isOver = (): boolean => endedSessions?.hasSince(hash, nowMs) === true
    const verified = user && { user, isOver }
    this.#known.set(hash, { verified, untilMs: nowMs + REMEMBERED_MS })
    return verified
  }
}
