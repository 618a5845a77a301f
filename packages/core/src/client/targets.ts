/**
 * All instances of one service, and the choice among them.
 *
 * @module
 */
import { pickOfTwo } from '../balance/peak-ewma.ts'
import type { Random } from '../kernel/random.ts'
import type { Directory, Instance } from '../registry/directory.ts'
import { type OpenChannel, Target } from './target.ts'

/** Below this share of available instances, health is ignored: spreading failures beats drowning the healthy rest. */
const PANIC_RATIO = 0.5

/** Follows the directory and picks. */
export class Targets {
  readonly #service: string
  readonly #directory: Directory
  readonly #open: OpenChannel
  readonly #random: Random
  #instances: readonly Instance[] = []
  #targets: Target[] = []

  constructor(service: string, directory: Directory, open: OpenChannel, random: Random) {
    this.#service = service
    this.#directory = directory
    this.#open = open
    this.#random = random
  }

  /**
   * The instance for the next attempt: one that was not tried yet, and is well, if there is such; undefined when
   * every instance was tried or there is none.
   */
  pick(tried: ReadonlySet<Target> | undefined, nowMs: number): Target | undefined {
    const all = this.#current()
    const [only] = all
    if (all.length === 1 && only !== undefined) return tried?.has(only) ? undefined : only
    const untried = tried === undefined ? all : all.filter((target) => !tried.has(target))
    const available = untried.filter((target) => target.breaker.isAvailable(nowMs))
    const isPanic = available.length < untried.length * PANIC_RATIO
    return pickOfTwo(isPanic ? untried : available, this.#random, nowMs)
  }

  /** Closes every channel. */
  async close(): Promise<void> {
    await Promise.all(this.#targets.map((target) => target.close()))
  }

  /** The targets, brought in line with the directory: known ones keep what was learned about them. */
  #current(): readonly Target[] {
    const instances = this.#directory.instancesOf(this.#service)
    if (instances === this.#instances) return this.#targets
    const known = new Map(this.#targets.map((target) => [target.instance.instance, target]))
    this.#targets = instances.map((instance) => {
      const target = known.get(instance.instance)
      known.delete(instance.instance)
      return target ?? new Target(instance, this.#open, this.#random)
    })
    this.#instances = instances
    for (const gone of known.values()) void gone.close()
    return this.#targets
  }
}
