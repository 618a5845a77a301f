/**
 * Which work runs now, which waits, and which is refused: one of these for each operation.
 *
 * - A class is let in while less than its share of the limit runs: all of it for `critical_plus`, 0.9, 0.7, and a half for
 *   `sheddable`. So the last places are kept for what matters most, before anything has to be taken away from anybody.
 * - Half as many as may run may wait; of these places, too, a class has its share. Who matters more takes the place of who
 *   matters less and has waited longest.
 * - A place that becomes free goes to the highest class that waits, within it to the one that came first.
 * - Where somebody has been waiting more than 5 ms all the time for 100 ms, the queue does not smooth a burst but stands. Then the
 *   newest goes first, for it is the one in time, and with every place that becomes free the oldest of the lowest class that
 *   is left is refused, until the queue is short again.
 *
 * Nobody waits who could run: whenever there is room for a class, none of it or above it is in the queue.
 *
 * @source shares: Google SRE book, chapter 21; the standing queue: Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5),
 * 2012; newest first: Maurer, "Fail at Scale", ACM Queue 13(8), 2015
 * @module
 */
/** Share of the limit, by the place of the class in `criticalities`. */
const SHARES = [1, 0.9, 0.7, 0.5] as const
const QUEUE_SHARE = 0.5
const TARGET_MS = 5
const INTERVAL_MS = 100

/**
 * Why work is refused: the event loop is late (which is found out before: see `loop-guard.ts`); no place to run or wait; it has waited in a queue that stands; its place was needed for
 * something that matters more.
 */
export type Refusal = 'loop' | 'full' | 'late' | 'displaced'

/** Something that waits for a place. */
export interface Waiting {
  /** There is a place, and it holds it. */
  start(nowMs: number): void
  /** It waits no longer, and will not be started. */
  drop(refusal: Refusal): void
}

/** Decides how many may run. */
export interface Limiter {
  readonly limit: number
  /** Work has ended after `durationMs`; `running` is how many ran, this one included. */
  sample(durationMs: number, running: number, nowMs: number): void
  freeze(): void
}

/** A limit that nothing moves. */
export function fixedLimit(limit: number): Limiter {
  return { limit, sample() {}, freeze() {} }
}

interface Entry {
  readonly waiting: Waiting
  readonly sinceMs: number
}

/** Says who runs. `rank` is everywhere the place of the class in `criticalities`: 0 matters most. */
export class Admission {
  readonly #limiter: Limiter
  /** By rank, the oldest first. */
  readonly #queues: readonly Entry[][] = SHARES.map(() => [])
  #queued = 0
  #running = 0
  /** Since when somebody has been waiting too long; undefined: nobody has. */
  #standsSinceMs: number | undefined
  #isStanding = false

  constructor(limiter: Limiter) {
    this.#limiter = limiter
  }

  /** How many may run. */
  get limit(): number {
    return this.#limiter.limit
  }

  get running(): number {
    return this.#running
  }

  get queued(): number {
    return this.#queued
  }

  /** Why there is neither a place nor a place to wait; undefined: there is, and will be until anything else is called. */
  refusal(rank: number): Refusal | undefined {
    if (this.#hasRoom(rank) || this.#canWait(rank) || this.#lowestBelow(rank) !== undefined) return undefined
    return 'full'
  }

  /** Takes a place, if one is free now. */
  tryEnter(rank: number): boolean {
    if (!this.#hasRoom(rank)) return false
    this.#running++
    return true
  }

  /** Waits for a place. False when there is none to wait, either. */
  enqueue(waiting: Waiting, rank: number, nowMs: number): boolean {
    if (!this.#canWait(rank)) {
      const lowest = this.#lowestBelow(rank)
      if (lowest === undefined) return false
      this.#dropOldest(lowest, 'displaced')
    }
    this.#queues[rank]?.push({ waiting, sinceMs: nowMs })
    this.#queued++
    return true
  }

  /** Stops waiting; false when it was not waiting any more. */
  withdraw(waiting: Waiting, rank: number): boolean {
    if (this.#queued === 0) return false
    const queue = this.#queues[rank] ?? []
    const index = queue.findIndex((entry) => entry.waiting === waiting)
    if (index < 0) return false
    queue.splice(index, 1)
    this.#queued--
    return true
  }

  /** Gives a place back. `durationMs`: how long it was held, or undefined, where that says nothing about the load. */
  leave(nowMs: number, durationMs?: number): void {
    if (durationMs !== undefined) this.#limiter.sample(durationMs, this.#running, nowMs)
    this.#running--
    if (this.#queued > 0) this.#startNext(nowMs)
    else {
      this.#isStanding = false
      this.#standsSinceMs = undefined
    }
  }

  /** The limit stays where it is from now on. */
  freeze(): void {
    this.#limiter.freeze()
  }

  #hasRoom(rank: number): boolean {
    return this.#running < (SHARES[rank] as number) * this.#limiter.limit
  }

  #canWait(rank: number): boolean {
    const places = Math.max(1, Math.floor(this.#limiter.limit * QUEUE_SHARE))
    return this.#queued < (SHARES[rank] as number) * places
  }

  /** The lowest class in the queue; undefined when it is not below `rank`. */
  #lowestBelow(rank: number): number | undefined {
    if (this.#queued === 0) return undefined
    for (let lowest = SHARES.length - 1; lowest > rank; lowest--) {
      if (this.#queues[lowest]?.length) return lowest
    }
    return undefined
  }

  #dropOldest(rank: number | undefined, refusal: Refusal): void {
    const oldest = rank === undefined ? undefined : this.#queues[rank]?.shift()
    if (oldest === undefined) return
    this.#queued--
    oldest.waiting.drop(refusal)
  }

  #startNext(nowMs: number): void {
    this.#watch(nowMs)
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#running++
      this.#queued--
      next.waiting.start(nowMs)
    }
    if (this.#isStanding) this.#dropOldest(this.#lowestBelow(-1), 'late')
  }

  #next(): Entry | undefined {
    for (let rank = 0; rank < SHARES.length; rank++) {
      const queue = this.#queues[rank] as Entry[]
      if (queue.length > 0 && this.#hasRoom(rank)) return this.#isStanding ? queue.pop() : queue.shift()
    }
    return undefined
  }

  /** Finds out whether the queue stands. */
  #watch(nowMs: number): void {
    const isLate = this.#queues.some((queue) => nowMs - (queue[0]?.sinceMs ?? nowMs) > TARGET_MS)
    if (isLate) this.#standsSinceMs ??= nowMs
    else this.#standsSinceMs = undefined
    this.#isStanding = this.#standsSinceMs !== undefined && nowMs - this.#standsSinceMs >= INTERVAL_MS
  }
}
