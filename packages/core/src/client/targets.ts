/**
 * All instances of one service, and the choice among them.
 *
 * @module
 */
import type { Balancer } from '../balance/balancer.ts'
import { sparesNewcomers } from '../balance/slow-start.ts'
import { subsetOf } from '../balance/subset.ts'
import type { Random } from '../kernel/random.ts'
import type { Directory, Instance } from '../registry/directory.ts'
import { type OpenChannel, Target } from './target.ts'

/** The list that no directory gives. */
const unknown: readonly Instance[] = []

/** Follows the directory and picks. */
export class Targets {
  readonly #service: string
  readonly #directory: Directory
  readonly #open: OpenChannel
  readonly #random: Random
  readonly #caller: string
  #subsetCount = Number.POSITIVE_INFINITY
  #instances: readonly Instance[] = unknown
  #targets: Target[] = []

  constructor(service: string, directory: Directory, open: OpenChannel, random: Random, caller: string) {
    this.#service = service
    this.#directory = directory
    this.#open = open
    this.#random = random
    this.#caller = caller
  }

  /** From now on at most so many instances are called. */
  limit(subsetCount: number): void {
    if (subsetCount === this.#subsetCount) return
    this.#subsetCount = subsetCount
    this.#instances = unknown
  }

  /** How many instances there are to choose from. */
  get size(): number {
    return this.#targets.length
  }

  /**
   * The instance for the next attempt: one that was not tried yet, and is well, if there is such; undefined when
   * every instance was tried or there is none.
   */
  pick(
    balancer: Balancer,
    tried: ReadonlySet<Target> | undefined,
    nowMs: number,
    key: string | undefined,
  ): Target | undefined {
    const all = this.#current(nowMs)
    const untried = tried === undefined ? all : all.filter((target) => !tried.has(target))
    return balancer.pick(untried, nowMs, key)
  }

  /** Closes every channel. */
  async close(): Promise<void> {
    await Promise.all(this.#targets.map((target) => target.close()))
  }

  /** The targets, brought in line with the directory: known ones keep what was learned about them. */
  #current(nowMs: number): readonly Target[] {
    const instances = this.#directory.instancesOf(this.#service)
    if (instances === this.#instances) return this.#targets
    const newcomers: Target[] = []
    const known = new Map(this.#targets.map((target) => [target.instance.instance, target]))
    const chosen = subsetOf(instances, ({ instance }) => instance, this.#caller, this.#subsetCount)
    this.#targets = chosen.map((instance) => {
      const target = known.get(instance.instance)
      known.delete(instance.instance)
      if (target !== undefined) {
        // Its weight may have changed.
        target.instance = instance
        return target
      }
      const newcomer = new Target(instance, this.#open, this.#random)
      newcomers.push(newcomer)
      return newcomer
    })
    this.#instances = instances
    if (sparesNewcomers(newcomers.length, this.#targets.length)) {
      for (const newcomer of newcomers) newcomer.warmUp(nowMs)
    }
    for (const gone of known.values()) void gone.close()
    return this.#targets
  }
}
