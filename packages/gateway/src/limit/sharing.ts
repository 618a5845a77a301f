/**
 * How the limits of a gateway share their counts with those of other gateways: through the key-value port, whose holder may be away.
 *
 * *Shared*: who needs tokens asks the holder. When it does not answer, the gateway is *alone* for a second; then one who needs tokens asks
 * again, while the others go on alone, and with an answer all share again.
 *
 * @module
 */
import type { Clock } from '@flotilla/core/clock'
import { GIVE_BACK_MAX, KEY_CHARS_MAX, type KeyValue, type Tokens } from '@flotilla/core/key-value'
import type { Logger } from '@flotilla/core/log'
import type { Counter, Metrics } from '@flotilla/core/metrics'
import type { Grant } from '@flotilla/core/token-bucket'

/** A holder that does not answer is asked again after this time. */
const ALONE_MS = 1_000

/** What it takes; a service's runtime has it all. */
export interface SharingOptions {
  readonly keyValue: KeyValue
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** How many gateways there are, this one among them. */
  readonly instances: () => number
}

/** What limits share. */
export class Sharing {
  readonly #options: SharingOptions
  readonly #collectors = new Set<(isAll: boolean) => readonly Tokens[]>()
  /** Of limits that are gone. */
  readonly #left: Tokens[] = []
  readonly #decisions: (limit: string, outcome: string) => Counter
  readonly #isAloneGauge: { set(value: number): void }
  /** Grows with each call of `giveBack`. */
  #turn = 0
  #isAlone = false
  #askAgainMs = 0

  constructor(options: SharingOptions) {
    this.#options = options
    const decisions = options.metrics.counter(
      'flotilla_gateway_limit_decisions_total',
      'Requests counted by a rate limit; alone: while nobody could be asked how much is left.',
      ['limit', 'outcome'],
    )
    this.#decisions = (limit, outcome) => decisions.with(limit, outcome)
    this.#isAloneGauge = options.metrics
      .gauge('flotilla_gateway_limits_alone', '1 while rate limits are not shared, because nobody answers.')
      .with()
  }

  get clock(): Clock {
    return this.#options.clock
  }

  get instances(): number {
    return Math.max(1, this.#options.instances())
  }

  get turn(): number {
    return this.#turn
  }

  /** Has `rests` asked for what a limit has held for its time, or all it has. What is returned ends that, and takes all. */
  collect(rests: (isAll: boolean) => readonly Tokens[]): () => void {
    this.#collectors.add(rests)
    return () => {
      if (this.#collectors.delete(rests)) this.#left.push(...rests(true))
    }
  }

  /** Counts the decisions of a limit. */
  decisions(limit: string, outcome: string): Counter {
    return this.#decisions(limit, outcome)
  }

  /** True when tokens may be asked for now; who is told so must ask. */
  mayAsk(nowMs: number): boolean {
    if (!this.#isAlone) return true
    if (nowMs < this.#askAgainMs) return false
    this.#askAgainMs = nowMs + ALONE_MS
    return true
  }

  /** Takes tokens; undefined: nobody answers, and the gateway is alone. */
  async take(wish: Tokens): Promise<Grant | undefined> {
    try {
      const grant = await this.#options.keyValue.take(bounded(wish))
      this.#become(false)
      return grant
    } catch (error) {
      this.#askAgainMs = this.clock.monotonicMs() + ALONE_MS
      this.#become(true, error)
      return undefined
    }
  }

  /** Gives back what the limits have held for a second turn; to be called every second, and with `isAll` at the end. */
  async giveBack(isAll = false): Promise<void> {
    this.#turn++
    const rests = [...this.#left.splice(0), ...[...this.#collectors].flatMap((its) => its(isAll))]
    while (rests.length > 0) await this.#return(rests.splice(0, GIVE_BACK_MAX))
  }

  async #return(rests: readonly Tokens[]): Promise<void> {
    if (this.#isAlone) return
    try {
      await this.#options.keyValue.giveBack(rests.map(bounded))
    } catch {
      // They are lost: a little less is allowed until as many have come back with time. Who takes next finds out more.
    }
  }

  #become(isAlone: boolean, error?: unknown): void {
    if (this.#isAlone === isAlone) return
    this.#isAlone = isAlone
    this.#isAloneGauge.set(isAlone ? 1 : 0)
    if (isAlone) this.#options.log.warn('rate limits are not shared: nobody answers', { error })
    else this.#options.log.info('rate limits are shared again')
  }
}

/** Keys are made of what strangers send. */
function bounded(tokens: Tokens): Tokens {
  return tokens.key.length <= KEY_CHARS_MAX ? tokens : { ...tokens, key: tokens.key.slice(0, KEY_CHARS_MAX) }
}
