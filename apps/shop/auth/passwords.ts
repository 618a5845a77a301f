/**
 * Hashing of passwords: slow and large by intention, and therefore bounded. A hashing takes 46 MiB and one of the four threads
 * that Node also reads files and resolves names with; beyond the bound calls wait in a short queue, and beyond that are refused.
 *
 * @module
 */

import { ConcurrencyBound } from '@flotilla/core/concurrency'
import { FlotillaError } from '@flotilla/core/error'
import type { Counter, Metrics } from '@flotilla/core/metrics'
import type { Random } from '@flotilla/core/random'
import { hash as argon2Hash, verify as argon2Verify, type Options } from '@node-rs/argon2'
import { newSecret } from './secrets.ts'

/**
 * argon2id (the library's default), version 1.3.
 *
 * @source OWASP Password Storage Cheat Sheet: m=47104 (46 MiB), t=1, p=1
 */
const PARAMETERS = { memoryCost: 47_104, timeCost: 1, parallelism: 1, outputLen: 32 } satisfies Options
const SALT_BYTES = 16
const HASHINGS_AT_ONCE = 2
/** At about 50 ms each, two at once: the last one waits for less than two seconds. */
const QUEUE_MAX = 64

/** What is possible with a place among the hashings at once. */
export interface Hasher {
  /** In PHC form. */
  hash(password: string): Promise<string>
  /** Without a hash to compare with, the same work is done and the answer is false. */
  matches(password: string, hash: string | undefined): Promise<boolean>
}

/** Hashes passwords, so many at once. */
export class Passwords {
  readonly #random: Random
  readonly #hashings: Counter
  readonly #bound = new ConcurrencyBound(HASHINGS_AT_ONCE, QUEUE_MAX)
  readonly #hasher: Hasher
  /** Of no password: what attempts at accounts that do not exist are compared with. */
  #decoy: Promise<string> | undefined

  constructor(random: Random, metrics: Metrics) {
    this.#random = random
    this.#hashings = metrics
      .counter('shop_password_hashings_total', 'Passwords hashed or checked.', [])
      .with()
    this.#hasher = {
      hash: (password) => this.#hash(password),
      matches: (password, hash) => this.#matches(password, hash),
    }
  }

  /** Makes what the first login would otherwise wait for. */
  async warm(): Promise<void> {
    this.#decoy ??= this.#hash(newSecret(this.#random, SALT_BYTES))
    await this.#decoy
  }

  /**
   * Runs `work` with a place, as soon as there is one.
   *
   * @throws FlotillaError `unavailable` when too many wait; the signal's reason; what `work` throws.
   */
  async withPlace<T>(signal: AbortSignal, work: (hasher: Hasher) => Promise<T>): Promise<T> {
    if (!this.#bound.tryEnter()) await this.#turn(signal)
    try {
      return await work(this.#hasher)
    } finally {
      this.#bound.leave()
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const giveUp = (): void => {
        if (this.#bound.withdraw(turn)) reject(signal.reason)
      }
      const turn = {
        start() {
          signal.removeEventListener('abort', giveUp)
          resolve()
        },
      }
      if (!this.#bound.enqueue(turn)) {
        const options = { isOverloaded: true, retryAfterMs: 2_000 }
        return reject(new FlotillaError('unavailable', 'Too many logins at once.', options))
      }
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  async #hash(password: string): Promise<string> {
    this.#hashings.add()
    return argon2Hash(password, { ...PARAMETERS, salt: this.#random.bytes(SALT_BYTES) })
  }

  async #matches(password: string, hash: string | undefined): Promise<boolean> {
    await this.warm()
    this.#hashings.add()
    const isRight = await argon2Verify(hash ?? ((await this.#decoy) as string), password)
    return hash !== undefined && isRight
  }
}
