/**
 * Proofs of possession that were shown: each does once, at whichever gateway.
 *
 * A gateway remembers the proofs that it took for longer than one is good, and asks the others by the key-value port: a bucket of one
 * token, named by the proof, that is empty until the proof has run out. Whoever gets the token is the first. Proofs are rare beside
 * other requests, and a request waits for that answer a quarter of a second at the most.
 *
 * While nobody answers, each gateway goes by what it knows: a proof could then be used once at each. That is a risk for a minute and
 * for somebody who can read the requests of others; to refuse everybody meanwhile would be worse. A metric says so.
 *
 * @source RFC 9449, 11.1
 * @module
 */
import { createHash } from 'node:crypto'
import type { Clock } from '@flotilla/core/clock'
import type { KeyValue } from '@flotilla/core/key-value'
import type { Metrics } from '@flotilla/core/metrics'

/** What it takes. */
export interface UsedProofsOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly keyValue: Pick<KeyValue, 'take'>
  readonly metrics: Metrics
  /** How long one could be used again: more than any is good for. */
  readonly rememberedMs: number
}

/** Some 20 MB; 1,600 requests a second. Beyond them the oldest is forgotten, which has the least time left. */
const PROOFS_MAX = 200_000

/** Remembers them. */
export class UsedProofs {
  readonly #options: UsedProofsOptions
  /** When to forget each; the first that were used stand first. */
  readonly #forgetMs = new Map<string, number>()
  readonly #forgottenEarly: { add(): void }
  readonly #alone: { add(): void }

  constructor(options: UsedProofsOptions) {
    this.#options = options
    const counter = (name: string, help: string): { add(): void } =>
      options.metrics.counter(`flotilla_gateway_proofs_${name}_total`, help, []).with()
    this.#forgottenEarly = counter(
      'forgotten',
      'Proofs of possession that were forgotten while they could be used again, because there were too many.',
    )
    this.#alone = counter(
      'alone',
      'Proofs of possession that were taken while no other gateway could be asked whether they were used there.',
    )
  }

  /** Whether this is the first use of the proof that the key with this thumbprint calls `id`. */
  async claim(thumbprint: string, id: string): Promise<boolean> {
    const { clock, keyValue, rememberedMs } = this.#options
    const key = createHash('sha256').update(`${thumbprint}.${id}`).digest('base64url')
    const nowMs = clock.monotonicMs()
    this.#forget(nowMs)
    if (this.#forgetMs.has(key)) return false
    this.#forgetMs.set(key, nowMs + rememberedMs)
    try {
      const policy = { perMinute: 60_000 / rememberedMs, burst: 1 }
      return (await keyValue.take({ key: `proof:${key}`, policy, count: 1 })).taken === 1
    } catch {
      // Whoever could tell is away; see above.
      this.#alone.add()
      return true
    }
  }

  #forget(nowMs: number): void {
    for (const [key, forgetMs] of this.#forgetMs) {
      const isEarly = forgetMs > nowMs
      if (isEarly && this.#forgetMs.size < PROOFS_MAX) return
      if (isEarly) this.#forgottenEarly.add()
      this.#forgetMs.delete(key)
    }
  }
}
