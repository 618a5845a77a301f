/**
 * A process in the registry: announces its services, renews their leases, takes them off when it leaves.
 *
 * @module
 */
import type { Calls } from '../contract/calls.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'
import { HEARTBEAT_MS, type registryContract } from '../registry/contract.ts'
import type { Instance } from '../registry/directory.ts'
import type { Logger } from '../telemetry/log.ts'

/** What it needs. */
export interface MembershipOptions {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly instances: readonly Instance[]
  /** The registry's functions, called by one of this process's services. */
  readonly registry: (service: string) => Calls<typeof registryContract>
}

/** Keeps the leases of one process. */
export class Membership {
  readonly #options: MembershipOptions
  #timer: Timer | undefined
  #announcing: Promise<void> | undefined
  #isOver = false
  #isKnown = true

  constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** Announces everything, and goes on doing so. Does not fail: a registry that is away learns of us when it is back. */
  async join(): Promise<void> {
    await this.#announce()
    this.#schedule()
  }

  /** Takes everything off the list. */
  async leave(): Promise<void> {
    this.#isOver = true
    this.#timer?.cancel()
    // An announcement still on its way, or tried again, could otherwise arrive after the farewell.
    await this.#announcing
    await this.#each('deregister', (registry, { service, instance }) =>
      registry.deregister({ service, instance }),
    )
  }

  #schedule(): void {
    const { clock, random } = this.#options
    if (this.#isOver) return
    this.#timer = clock.schedule(HEARTBEAT_MS * (0.9 + random.next() * 0.2), () => {
      void this.#announce().then(() => this.#schedule())
    })
  }

  #announce(): Promise<void> {
    this.#announcing = this.#each('register', (registry, instance) => registry.register(instance))
    return this.#announcing
  }

  async #each(
    what: string,
    send: (registry: Calls<typeof registryContract>, instance: Instance) => Promise<unknown>,
  ): Promise<void> {
    const { instances, registry, log } = this.#options
    const results = await Promise.allSettled(
      instances.map((instance) => send(registry(instance.service), instance)),
    )
    const failed = results.find((result) => result.status === 'rejected')
    // Told when it changes, not every five seconds.
    if (failed !== undefined && this.#isKnown)
      log.warn(`the registry did not take our ${what}`, { error: failed.reason })
    if (failed === undefined && !this.#isKnown) log.info('the registry knows us again')
    this.#isKnown = failed === undefined
  }
}
