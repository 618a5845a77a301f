/**
 * The directory of a process that asks a registry: follows its watch and keeps what it learned.
 *
 * The registry may be gone, restarted with an empty memory, or cut off from half of the system; none of that is news about
 * the instances. So:
 *
 * - while the watch is broken, the last list stays in use, marked as stale;
 * - what an instance says itself ("I leave") is believed at once;
 * - what the registry concludes (lease over, no answer, not in its snapshot) is believed at once only while more than half of
 *   the service's instances remain. Beyond that, the doubted ones stay on the list for one lease, where breakers and
 *   balancing find out by themselves, and go when nobody has confirmed them until then.
 *
 * @module
 */

import { Cancellation } from '../kernel/cancellation.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { Random } from '../kernel/random.ts'
import { LEASE_MS, type Update } from './contract.ts'
import { type Directory, groupByService, type Instance, instanceKey } from './directory.ts'

/** What it needs. */
export interface RegistryDirectoryOptions {
  readonly clock: Clock
  readonly random: Random
  /** Opens the registry's `watch`; `cancellation` ends it. */
  readonly watch: (cancellation: Cancellation) => AsyncIterable<Update>
  /** Passes a suspicion on to the registry; best effort. */
  readonly report: (instance: Instance) => void
  /** Where the registry itself is: it cannot be looked up. */
  readonly registry: Instance
  /** Told when the list becomes stale, and when it is fresh again. */
  readonly onStale?: (isStale: boolean, error: FlotillaError | undefined) => void
}

const RECONNECT_MS_MIN = 100
const RECONNECT_MS_MAX = 2_000
/** The same instance is reported at most this often. */
const REPORT_MS = 1_000

interface Known {
  readonly instance: Instance
  /** When it goes unless confirmed; undefined: not doubted. */
  doubtedUntilMs: number | undefined
}

/** Follows a registry. */
export class RegistryDirectory implements Directory {
  readonly #options: RegistryDirectoryOptions
  readonly #known = new Map<string, Known>()
  readonly #reportedMs = new Map<string, number>()
  readonly #stopped = new Cancellation()
  #groups = new Map<string, Instance[]>()
  #sweep: Timer | undefined
  #following: Promise<void> | undefined
  readonly #onFresh: (() => void)[] = []
  /** What `onStale` was told last. */
  #toldStale: boolean | undefined
  isStale = true

  constructor(options: RegistryDirectoryOptions) {
    this.#options = options
    this.#regroup()
  }

  /** Begins to follow; resolves with the first list, or after `waitMs` without one. */
  async open(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.schedule(waitMs, resolve)
      this.#onFresh.push(() => {
        timer.cancel()
        resolve()
      })
      this.#following = this.#follow()
    })
  }

  instancesOf(service: string): readonly Instance[] {
    return this.#groups.get(service) ?? none
  }

  report(instance: Instance): void {
    const key = instanceKey(instance)
    const nowMs = this.#options.clock.monotonicMs()
    const lastMs = this.#reportedMs.get(key)
    if (lastMs !== undefined && nowMs - lastMs < REPORT_MS) return
    if (!this.#known.has(key)) return
    this.#reportedMs.set(key, nowMs)
    this.#options.report(instance)
  }

  /** Stops following; the list stays. */
  async close(): Promise<void> {
    this.#stopped.cancel(new FlotillaError('canceled', 'The process is closing.'))
    this.#sweep?.cancel()
    await this.#following
  }

  async #follow(): Promise<void> {
    const { clock, random } = this.#options
    for (let failures = 0; this.#stopped.error === undefined; failures++) {
      let error: FlotillaError | undefined
      try {
        for await (const update of this.#options.watch(this.#stopped)) {
          failures = 0
          this.#apply(update)
        }
      } catch (caught) {
        error = caught as FlotillaError
      }
      if (this.#stopped.error !== undefined) return
      this.#setStale(true, error)
      const waitMs = Math.min(RECONNECT_MS_MAX, RECONNECT_MS_MIN * 2 ** failures) * (0.5 + random.next() / 2)
      await clock.sleep(waitMs, this.#stopped.signal).catch(() => {
        // Stopped: the loop ends by itself.
      })
    }
  }

  #apply(update: Update): void {
    if (update.kind === 'snapshot') {
      this.#applySnapshot(update.instances)
      this.#setStale(false, undefined)
      for (const resolve of this.#onFresh.splice(0)) resolve()
    } else if (update.kind === 'up') this.#confirm(update.instance)
    else if (update.why === 'left') this.#known.delete(instanceKey(update.instance))
    else this.#miss([instanceKey(update.instance)])
    this.#regroup()
  }

  #applySnapshot(instances: readonly Instance[]): void {
    for (const instance of instances) this.#confirm(instance)
    const present = new Set(instances.map(instanceKey))
    this.#miss([...this.#known.keys()].filter((key) => !present.has(key)))
  }

  #confirm(instance: Instance): void {
    this.#known.set(instanceKey(instance), { instance, doubtedUntilMs: undefined })
  }

  /** The registry does not see these any more. */
  #miss(keys: readonly string[]): void {
    const doubtedUntilMs = this.#options.clock.monotonicMs() + LEASE_MS
    for (const key of keys) {
      const known = this.#known.get(key)
      if (known !== undefined && known.doubtedUntilMs === undefined) known.doubtedUntilMs = doubtedUntilMs
    }
    const groups = groupByService([...this.#known.values()].map(({ instance }) => instance))
    for (const instances of groups.values()) {
      const doubted = instances
        .map(instanceKey)
        .filter((key) => this.#known.get(key)?.doubtedUntilMs !== undefined)
      const isCredible = doubted.length * 2 < instances.length
      if (isCredible) for (const key of doubted) this.#known.delete(key)
    }
    this.#scheduleSweep()
  }

  #scheduleSweep(): void {
    const { clock } = this.#options
    this.#sweep?.cancel()
    const times = [...this.#known.values()].flatMap(({ doubtedUntilMs }) => doubtedUntilMs ?? [])
    if (times.length === 0 || this.#stopped.error !== undefined) return
    // While the registry is away nobody could have confirmed them, so they get another lease.
    const waitMs = this.isStale ? LEASE_MS : Math.max(0, Math.min(...times) - clock.monotonicMs())
    this.#sweep = clock.schedule(waitMs, () => {
      if (!this.isStale) this.#dropDoubted()
      this.#scheduleSweep()
    })
  }

  #dropDoubted(): void {
    const nowMs = this.#options.clock.monotonicMs()
    for (const [id, { doubtedUntilMs = Number.POSITIVE_INFINITY }] of this.#known) {
      if (doubtedUntilMs <= nowMs) this.#known.delete(id)
    }
    this.#regroup()
  }

  #setStale(isStale: boolean, error: FlotillaError | undefined): void {
    this.isStale = isStale
    // The list begins stale, but whether that is worth telling shows when the first attempt fails.
    if (this.#toldStale === isStale) return
    this.#toldStale = isStale
    this.#options.onStale?.(isStale, error)
  }

  #regroup(): void {
    const { registry } = this.#options
    this.#groups = groupByService([...this.#known.values()].map(({ instance }) => instance))
    this.#groups.set(registry.service, [registry])
    for (const key of this.#reportedMs.keys()) if (!this.#known.has(key)) this.#reportedMs.delete(key)
  }
}

const none: readonly Instance[] = []
