/**
 * Gateways for tests of limits: as many as are wanted, on a clock that stands still, sharing a holder that answers late, or not at all.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { KeyValue } from '@flotilla/core/key-value'
import type { Logger } from '@flotilla/core/log'
import { MemoryKeyValue } from '@flotilla/core/memory-key-value'
import { Metrics } from '@flotilla/core/metrics'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { RateLimit, type RateLimitOptions } from './rate-limit.ts'
import { Sharing } from './sharing.ts'

/** One gateway. */
export interface TestSharer {
  readonly limit: RateLimit
  readonly sharing: Sharing
  /** Decisions by outcome. */
  count(outcome: string): number
  /** Dies at once. */
  crash(): void
}

/** Gateways that share one limit. */
export class TestFleet {
  readonly clock = new VirtualClock()
  readonly holder = new MemoryKeyValue(this.clock)
  readonly gateways: TestSharer[]
  readonly lines: string[] = []
  /** Whether the holder answers. */
  isAway = false
  /** How long its answers take, one after the other, over and over; of one that is away, its silence. */
  delaysMs: readonly number[] = []
  /** Times that tokens were asked for. */
  asked = 0
  readonly #options: RateLimitOptions

  constructor(size: number, options: RateLimitOptions) {
    this.#options = options
    this.gateways = Array.from({ length: size }, () => this.open())
  }

  /** Another gateway. */
  open(): TestSharer {
    const { clock, lines } = this
    const metrics = new Metrics()
    const keep = (level: string) => (message: string) => void lines.push(`${level}: ${message}`)
    const log: Logger = {
      debug: keep('debug'),
      info: keep('info'),
      warn: keep('warn'),
      error: keep('error'),
      with: () => log,
    }
    const sharing = new Sharing({
      keyValue: this.#keyValue(),
      clock,
      log,
      metrics,
      instances: () => this.gateways.length,
    })
    const tick = (): void => {
      void sharing.giveBack()
      timer = clock.schedule(1_000, tick)
    }
    let timer = clock.schedule(1_000, tick)
    return {
      sharing,
      limit: new RateLimit(this.#options, sharing),
      count: (outcome) => sharing.decisions(this.#options.name, outcome).value,
      crash: () => timer.cancel(),
    }
  }

  /** Asks a gateway, and lets it answer. */
  async ask(gateway: number, key = 'k'): Promise<boolean> {
    const verdict = Promise.resolve((this.gateways[gateway] as TestSharer).limit.take(key))
    if (this.delaysMs.length === 0) await this.clock.advance(0)
    return (await verdict).isAllowed
  }

  /** Which of the gateways' decisions were of one kind, together. */
  count(outcome: string): number {
    return this.gateways.reduce((sum, gateway) => sum + gateway.count(outcome), 0)
  }

  #keyValue(): KeyValue {
    const answer = async (): Promise<void> => {
      const delayMs = this.delaysMs[this.asked % Math.max(1, this.delaysMs.length)] ?? 0
      if (delayMs > 0) await this.clock.sleep(delayMs)
      if (this.isAway) throw new FlotillaError('unavailable', 'Nobody is there.')
    }
    return {
      take: async (wish) => {
        this.asked++
        await answer()
        return this.holder.takeNow(wish)
      },
      giveBack: async (rests) => {
        await answer()
        await this.holder.giveBack(rests)
      },
    }
  }
}
