/**
 * API keys: looked up at their issuer, remembered for half a minute, which is also how long a revoked one may still work.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { User } from '@flotilla/core/caller'
import type { Clock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { LRUCache } from 'lru-cache'

const REMEMBERED_MS = 30_000
const REMEMBERED_MAX = 10_000
const FORM = /^[\x21-\x7e]{16,200}$/

/** Checks keys. */
export class ApiKeys {
  readonly #clock: Clock
  readonly #lookUp: (key: string) => Promise<User | undefined>
  /** By hash: keys are secrets, and a heap dump should not show them. Unknown ones are remembered too. */
  readonly #known = new LRUCache<string, { readonly user: User | undefined; readonly untilMs: number }>({
    max: REMEMBERED_MAX,
  })

  constructor(clock: Clock, lookUp: (key: string) => Promise<User | undefined>) {
    this.#clock = clock
    this.#lookUp = lookUp
  }

  /** @throws FlotillaError `unauthenticated`; what the look-up throws. */
  async verify(key: string): Promise<User> {
    const user = FORM.test(key) ? await this.#find(key) : undefined
    if (user === undefined)
      throw new FlotillaError('unauthenticated', 'The API key is not valid.', { executed: 'no' })
    return user
  }

  async #find(key: string): Promise<User | undefined> {
    const hash = createHash('sha256').update(key).digest('base64')
    const known = this.#known.get(hash)
    const nowMs = this.#clock.monotonicMs()
    if (known !== undefined && known.untilMs > nowMs) return known.user
    const user = await this.#lookUp(key)
    this.#known.set(hash, { user, untilMs: nowMs + REMEMBERED_MS })
    return user
  }
}
