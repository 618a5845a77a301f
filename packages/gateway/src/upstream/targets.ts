/**
 * Foreign servers that are alike: who is asked next, what is learned from how it went, and how often what failed may be made again.
 *
 * @module
 */
import { Balancer } from '@flotilla/core/balancer'
import { InstanceBreaker } from '@flotilla/core/breaker'
import { Budget } from '@flotilla/core/budget'
import type { Clock } from '@flotilla/core/clock'
import type { OutsidePeer } from '@flotilla/core/outside-requests'
import { PeakEwma } from '@flotilla/core/peak-ewma'
import type { Random } from '@flotilla/core/random'
import type { ServiceRuntime } from '@flotilla/core/service'

/** How a request ended; `unknown`: in a way that says nothing of the server. */
export type Outcome = 'well' | 'failed' | 'unknown'

/** As for calls (`core/client`): a tenth more than what clients ask, and one a second. */
const RETRIES = { ratio: 0.1, floorPerSec: 1 }

const CODES = { well: 'ok', failed: 'unavailable', unknown: 'canceled' } as const

/** One server. */
export class Target {
  readonly id: string
  readonly weight = 1
  readonly zone = ''
  readonly slowStart = undefined
  readonly ewma = new PeakEwma()
  readonly breaker: InstanceBreaker
  readonly peer: OutsidePeer
  readonly #clock: Clock

  constructor(origin: string, peer: OutsidePeer, clock: Clock, random: Random) {
    this.id = origin
    this.peer = peer
    this.#clock = clock
    this.breaker = new InstanceBreaker(random)
  }

  isAvailable(nowMs: number): boolean {
    return this.breaker.isAvailable(nowMs)
  }

  /** A request goes there; what is returned is to be told of its end, once. */
  begin(): Asked {
    return new Asked(this, this.#clock)
  }
}

/** A request that is on its way to a target. */
export class Asked {
  readonly #target: Target
  readonly #clock: Clock
  readonly #startMs: number
  #headMs: number | undefined

  constructor(target: Target, clock: Clock) {
    this.#target = target
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
    target.ewma.begin()
    target.breaker.begin(this.#startMs)
    target.peer.begin()
  }

  /** Its answer begins. */
  answered(): void {
    this.#headMs = this.#clock.monotonicMs()
  }

  /** It is over. */
  ended(outcome: Outcome): void {
    const { breaker, ewma, peer } = this.#target
    const nowMs = this.#clock.monotonicMs()
    // How long a stream goes on, or its client takes to read it, is not the server's doing.
    const durationMs = (this.#headMs ?? nowMs) - this.#startMs
    ewma.end(nowMs, durationMs, outcome === 'failed')
    peer.end(CODES[outcome], durationMs)
    if (outcome === 'failed') breaker.fail(nowMs)
    else if (outcome === 'well') breaker.succeed(nowMs)
    else breaker.abandon(nowMs)
  }
}

/** What targets need of the gateway. */
export type TargetsRuntime = Pick<ServiceRuntime, 'clock' | 'random' | 'outsidePeer'>

/** All of them. */
export class Targets {
  readonly #clock: Clock
  readonly #balancer: Balancer
  readonly #all: readonly Target[]
  readonly #retries = new Budget(RETRIES)

  /** @param origins at least one */
  constructor(origins: readonly string[], { clock, random, outsidePeer }: TargetsRuntime) {
    this.#clock = clock
    this.#balancer = new Balancer(random)
    this.#all = origins.map(
      (origin) => new Target(new URL(origin).origin, outsidePeer(origin), clock, random),
    )
  }

  /** Who is asked first; undefined: nobody is left. */
  first(): Target | undefined {
    const nowMs = this.#clock.monotonicMs()
    this.#retries.deposit(nowMs)
    return this.#balancer.pick(this.#all, nowMs)
  }

  /** Who is asked after those that failed, others rather than the same; undefined: too much is being repeated. */
  next(tried: readonly Target[]): Target | undefined {
    const nowMs = this.#clock.monotonicMs()
    if (!this.#retries.tryWithdraw(nowMs)) return undefined
    const untried = this.#all.filter((target) => !tried.includes(target))
    return this.#balancer.pick(untried.length > 0 ? untried : this.#all, nowMs)
  }
}
