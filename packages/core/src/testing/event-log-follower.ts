/**
 * A consumer for tests of event logs: follows, remembers what it was told, and follows again from where it is when the log
 * goes away for a moment.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { PARTITIONS } from '../events/envelope.ts'
import type { EventLog, FollowOptions, LoggedEvent } from '../events/log.ts'
import { systemClock } from '../kernel/clock.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { until } from './until.ts'

/** What a test's consumer wants. */
export interface FollowerOptions extends Partial<Pick<FollowOptions, 'topics' | 'limit'>> {
  /** Of every partition, where `positions` does not say otherwise. Default 0. */
  readonly from?: number
  readonly positions?: FollowOptions['positions']
  /** How long it takes for a batch. Default no time. */
  readonly batchMs?: number
}

/** Equal positions for all partitions. */
export function positionsAt(position: number): Record<number, number> {
  return Object.fromEntries(Array.from({ length: PARTITIONS }, (_, partition) => [partition, position]))
}

const AGAIN_MS = 20

/** The consumer. */
export class TestFollower {
  /** What it was told, in this order. */
  readonly seen: LoggedEvent[] = []
  /** How far it was told; -1 before it was told anything. */
  upTo = -1
  forgottenUpTo: number | undefined
  /** Streams it opened. */
  opened = 0
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(log: EventLog, options: FollowerOptions = {}) {
    this.#running = this.#run(log, options)
    // Those who stop it hear of it.
    this.#running.catch(() => {})
  }

  /** What it was told of: the ids. */
  get ids(): readonly string[] {
    return this.seen.map(({ event }) => event.id)
  }

  /** Waits until it was told everything up to `position`. */
  async reaches(position: number): Promise<void> {
    const failed = this.#running.then(() => assert.fail('The follower ended by itself.'))
    // Waiting ends first in a good test.
    failed.catch(() => {})
    await Promise.race([until(`position ${position} is reached`, () => this.upTo >= position), failed])
  }

  /** @throws what ended it, if it was not this. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(log: EventLog, options: FollowerOptions): Promise<void> {
    const { topics = ['*'], from = 0, batchMs = 0, limit } = options
    const { signal } = this.#stop
    let positions = options.positions ?? positionsAt(from)
    while (!signal.aborted) {
      try {
        this.opened++
        for await (const batch of log.follow(
          { topics, positions, ...(limit === undefined ? {} : { limit }) },
          signal,
        )) {
          assert.ok(batch.upTo >= this.upTo, 'it never goes back')
          assert.ok(limit === undefined || batch.events.length <= limit, 'a batch is no larger than wanted')
          this.seen.push(...batch.events)
          this.upTo = batch.upTo
          this.forgottenUpTo ??= batch.forgottenUpTo
          positions = Object.fromEntries(
            Object.entries(positions).map(([partition, at]) => [partition, Math.max(at, batch.upTo)]),
          )
          if (batchMs > 0) await systemClock.sleep(batchMs)
        }
        assert.ok(signal.aborted, 'a stream does not end by itself')
      } catch (error) {
        if (!isFlotillaError(error) || error.code !== 'unavailable') throw error
        await systemClock.sleep(AGAIN_MS)
      }
    }
  }
}
