/**
 * One asking of a service for all who want the same at the same time.
 *
 * Whoever comes while it is in the air boards. It is the service's call that is shared, not its deadline: each waits as long as an
 * operation may take from when they came, and the call goes on for as long as somebody waits, which is twice as long at the most.
 * Who leaves leaves the others alone; when the last one has left, the call is stopped.
 *
 * @module
 */
import { Cancellation } from '@flotilla/core/cancellation'
import type { Timer } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import type { TraceContext } from '@flotilla/core/trace-context'
import type { Outcome } from './outcome.ts'
import type { Wishes } from './wishes.ts'

/** A request for something that is kept. */
export interface Asked {
  readonly key: string
  readonly wishes: Wishes
  /** @throws FlotillaError when the request has none. */
  readonly input: () => unknown
  /** Stops when the client leaves; wanted only where it has to wait. */
  readonly client: () => Cancellation
  readonly requestId: string | undefined
  readonly trace: TraceContext
}

/** Somebody who waits. */
export class Waiter {
  readonly asked: Asked
  readonly #settle: (outcome: Outcome) => void
  #isSettled = false
  flight: Flight | undefined
  timer: Timer | undefined
  /** Of the store, when it boarded. */
  generation = 0
  isCollapsed = false

  constructor(asked: Asked, settle: (outcome: Outcome) => void) {
    this.asked = asked
    this.#settle = settle
  }

  get isSettled(): boolean {
    return this.#isSettled
  }

  /** Takes what came of it; only the first counts. */
  settle(outcome: Outcome): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.timer?.cancel()
    this.#settle(outcome)
  }
}

/** An asking in the air. */
export class Flight {
  readonly key: string
  readonly input: unknown
  readonly startMs: number
  /** Of the store, before anything was read. */
  readonly generation: number
  readonly cancellation = new Cancellation()
  /** True when it goes on though nobody waits: what it brings is for the store. */
  readonly isBackground: boolean
  readonly #waiters = new Set<Waiter>()
  #mayStore: boolean

  constructor(key: string, input: unknown, startMs: number, generation: number, isBackground: boolean) {
    this.key = key
    this.input = input
    this.startMs = startMs
    this.generation = generation
    this.isBackground = isBackground
    this.#mayStore = isBackground
  }

  /** False when nobody wants it kept who ever waited for it. */
  get mayStore(): boolean {
    return this.#mayStore
  }

  /** True when it is for nobody any more. */
  get isAbandoned(): boolean {
    return this.#waiters.size === 0 && !this.isBackground
  }

  board(waiter: Waiter, generation: number, isCollapsed: boolean): void {
    waiter.flight = this
    waiter.generation = generation
    waiter.isCollapsed = isCollapsed
    this.#waiters.add(waiter)
    if (!waiter.asked.wishes.isStoreRefused) this.#mayStore = true
  }

  /** Takes one off; stops the call when that was the last. */
  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    waiter.flight = undefined
    if (this.isAbandoned) this.cancellation.cancel(new FlotillaError('canceled', 'Nobody waits any more.'))
  }

  /** Takes all off who are on board. */
  unload(): readonly Waiter[] {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const waiter of waiters) waiter.flight = undefined
    return waiters
  }
}
