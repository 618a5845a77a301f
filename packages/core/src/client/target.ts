/**
 * One instance as this process sees it: the channel to it, how fast it answers, whether it is left alone.
 *
 * @module
 */
import type { Endpoint } from '../balance/endpoint.ts'
import { PeakEwma } from '../balance/peak-ewma.ts'
import { SlowStart } from '../balance/slow-start.ts'
import type { FlotillaError } from '../kernel/error.ts'
import type { Random } from '../kernel/random.ts'
import type { Instance } from '../registry/directory.ts'
import { InstanceBreaker } from '../resilience/breaker.ts'
import type { Channel } from '../wire/wire.ts'

/** Makes the connection to an instance. */
export type OpenChannel = (instance: Instance) => Promise<Channel>

/** An instance and what is known about it. */
export class Target implements Endpoint {
  instance: Instance
  slowStart: SlowStart | undefined
  readonly ewma = new PeakEwma()
  readonly breaker: InstanceBreaker
  readonly #open: OpenChannel
  #channel: Channel | undefined
  #opening: Promise<Channel> | undefined
  #isClosed = false

  constructor(instance: Instance, open: OpenChannel, random: Random) {
    this.instance = instance
    this.breaker = new InstanceBreaker(random)
    this.#open = open
  }

  get id(): string {
    return this.instance.instance
  }

  get weight(): number {
    return this.instance.weight ?? 1
  }

  get zone(): string {
    return this.instance.zone ?? ''
  }

  isAvailable(nowMs: number): boolean {
    return this.breaker.isAvailable(nowMs)
  }

  /** A call was answered. One that is well again is warmed up like a new one. */
  succeed(nowMs: number): void {
    if (this.breaker.kind !== 'closed') this.warmUp(nowMs)
    this.breaker.succeed()
  }

  /** From now on it gets its share little by little. */
  warmUp(nowMs: number): void {
    this.slowStart = new SlowStart(nowMs)
  }

  /** The channel if calls can be sent on it now. */
  get channel(): Channel | undefined {
    return this.#channel?.isOpen ? this.#channel : undefined
  }

  /**
   * Connects; callers that come at the same time share one attempt.
   *
   * @throws FlotillaError `unavailable`, executed 'no'.
   */
  connect(): Promise<Channel> {
    this.#opening ??= this.#open(this.instance)
      .then((channel) => {
        if (this.#isClosed) void channel.close()
        this.#channel = channel
        return channel
      })
      .finally(() => {
        this.#opening = undefined
      })
    return this.#opening
  }

  /** Lets calls on their way end. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#channel?.close()
  }
}

/** True for errors that say something is wrong with the instance, rather than with the call; who has too much to do is well. */
export function isInstanceFailure(error: FlotillaError): boolean {
  if (error.isOverloaded) return false
  switch (error.code) {
    case 'unavailable':
    case 'deadline_exceeded':
    case 'internal':
    case 'unknown':
    case 'data_loss':
      return true
    default:
      return false
  }
}
