/**
 * A process in the registry: announces its services, renews their leases, takes them off when it leaves.
 *
 * @module
 */
import type { Calls } from '../contract/calls.ts'
import { Cancellation } from '../kernel/cancellation.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
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
  readonly registry: (service: string, cancellation: Cancellation) => Calls<typeof registryContract>
}

/** A registry that is away learns of our end by the lease, and callers by the closed connection: nothing worth waiting for. */
const FAREWELL_MS = 300

/** Keeps the leases of one process. */
export class Membership {
  readonly #options: MembershipOptions
  /** Ends announcements under way, the next try included. */
  readonly #leaving = new Cancellation()
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

  /** Takes everything off the list; waits for a registry that does not answer 300 ms at most. */
  async leave(): Promise<void> {
    this.#isOver = true
    this.#timer?.cancel()
    // An announcement tried again could otherwise arrive after the farewell; one on its way is ahead of it.
    this.#leaving.cancel(new FlotillaError('canceled', 'The process leaves.'))
    await this.#announcing
    await this.#each('deregister', ({ service, instance }) =>
      this.#options
        .registry(service, new Cancellation())
        .deregister({ service, instance }, { timeoutMs: FAREWELL_MS }),
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
    this.#announcing = this.#each('register', (instance) =>
      this.#options.registry(instance.service, this.#leaving).register(instance),
    )
    return this.#announcing
  }

  async #each(what: string, send: (instance: Instance) => Promise<unknown>): Promise<void> {
    const { instances, log } = this.#options
    const results = await Promise.allSettled(instances.map(send))
    const failures = results.filter((result) => result.status === 'rejected')
    const failed = failures.find(({ reason }) => !isCanceled(reason))
    // Told when it changes, not every five seconds.
    if (failed !== undefined && this.#isKnown)
      log.warn(`the registry did not take our ${what}`, { error: failed.reason })
    if (failed === undefined && !this.#isKnown) log.info('the registry knows us again')
    this.#isKnown = failed === undefined
  }
}

/** Only we cancel, when we leave. */
function isCanceled(error: unknown): boolean {
  return isFlotillaError(error) && error.code === 'canceled'
}
