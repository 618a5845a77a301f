/**
 * The choice of an instance: first who is eligible, then the policy.
 *
 * 1. health: instances that are left alone are passed over, unless that would leave fewer than half: then everybody gets calls again, since
 *    failing for some is better than drowning the rest (panic)
 * 2. zone: those of the caller's own zone, as long as half of that zone's are available
 * 3. the policy
 *
 * @source Envoy, "Panic threshold" (50 %) and "Zone aware routing"
 * @module
 */
import type { Random } from '../kernel/random.ts'
import type { Endpoint } from './endpoint.ts'
import { createPolicy, type PolicyName } from './policies.ts'
import type { Policy } from './policy.ts'

/** How to choose. */
export interface BalanceSettings {
  readonly policy: PolicyName
  /** Below this share of healthy instances, health is ignored: from 0, never, to 1. */
  readonly panicShare: number
}

/** Settings where nobody said otherwise. */
export const defaultBalance: BalanceSettings = { policy: 'peak_ewma', panicShare: 0.5 }

/** Below this share of healthy instances in the caller's zone, others are taken too. */
const ZONE_SHARE_MIN = 0.5

/** Chooses among the instances of one service. */
export class Balancer {
  readonly #random: Random
  readonly #zone: string
  #settings: BalanceSettings
  #policy: Policy

  /** @param zone where the caller is; '' when nobody said. */
  constructor(random: Random, zone = '', settings: BalanceSettings = defaultBalance) {
    this.#random = random
    this.#zone = zone
    this.#settings = settings
    this.#policy = createPolicy(settings.policy, random)
  }

  /** From the next pick on. What the old policy remembered is forgotten when it is another. */
  configure(settings: BalanceSettings): void {
    if (settings.policy !== this.#settings.policy) this.#policy = createPolicy(settings.policy, this.#random)
    this.#settings = settings
  }

  /** One of `all`; undefined when there is none, or none that is available and panic is off. */
  pick<T extends Endpoint>(all: readonly T[], nowMs: number, key?: string): T | undefined {
    const available = availableOf(all, nowMs)
    const isPanic = available.length < all.length * this.#settings.panicShare
    return this.#policy.pick(this.#nearby(all, isPanic ? all : available), nowMs, key)
  }

  #nearby<T extends Endpoint>(all: readonly T[], eligible: readonly T[]): readonly T[] {
    if (this.#zone === '') return eligible
    const isHere = ({ zone }: T): boolean => zone === this.#zone
    const here = eligible.filter(isHere)
    return here.length > 0 && here.length >= all.filter(isHere).length * ZONE_SHARE_MIN ? here : eligible
  }
}

/** Nearly always all of them, and then nothing is copied. */
function availableOf<T extends Endpoint>(all: readonly T[], nowMs: number): readonly T[] {
  let available: T[] | undefined
  for (const [index, one] of all.entries()) {
    if (one.isAvailable(nowMs)) available?.push(one)
    else available ??= all.slice(0, index)
  }
  return available ?? all
}
