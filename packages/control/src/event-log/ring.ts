/**
 * The end of the log in memory, from which all followers that keep up are served without asking the database. Pure.
 *
 * It holds every event of one unbroken stretch of the log: those after `floor`, up to `head`. What is added must begin where
 * the stretch ends; when it does not, something between is not known here, and a new stretch begins. When there is too
 * much, the oldest go and the floor rises. A follower further back than the floor has to read elsewhere.
 *
 * @module
 */
import type { LoggedEvent } from '@flotilla/core/event-log'

/** An event and how much room it takes. */
export interface RingEntry {
  readonly logged: LoggedEvent
  /** Of its data as JSON. */
  readonly bytes: number
}

/** Bounds of what is kept. */
export interface RingLimits {
  readonly eventsMax: number
  readonly bytesMax: number
}

/** A piece of the log: `entries` are all that there is after where it was read from, up to `upTo`. */
export interface Stretch {
  readonly entries: readonly RingEntry[]
  readonly upTo: number
}

/** What an event takes beside its data. */
const OVERHEAD_BYTES = 600

/** The ring. */
export class Ring {
  readonly #limits: RingLimits
  /** The first `#gone` were dropped, and are cut off now and then. */
  #entries: RingEntry[] = []
  #gone = 0
  #bytes = 0
  #floor: number
  #head: number

  /** Empty, at the end of a log that goes up to `head`. */
  constructor(head: number, limits: RingLimits) {
    this.#floor = head
    this.#head = head
    this.#limits = limits
  }

  /** It knows everything after this position … */
  get floor(): number {
    return this.#floor
  }

  /** … up to this one. */
  get head(): number {
    return this.#head
  }

  /** Adds what is after `after`. */
  push(after: number, { entries, upTo }: Stretch): void {
    if (after !== this.#head) this.#restart(after)
    for (const entry of entries) {
      this.#entries.push(entry)
      this.#bytes += sizeOf(entry)
    }
    this.#head = upTo
    const { eventsMax, bytesMax } = this.#limits
    while (this.#entries.length - this.#gone > eventsMax || this.#bytes > bytesMax) this.#dropOldest()
    if (this.#gone > eventsMax) {
      this.#entries = this.#entries.slice(this.#gone)
      this.#gone = 0
    }
  }

  /** What it has after `position`, the oldest first; undefined when it does not reach back so far. */
  after(position: number): Iterable<RingEntry> | undefined {
    return position < this.#floor ? undefined : this.#from(this.#indexAfter(position))
  }

  *#from(start: number): Iterable<RingEntry> {
    for (let index = start; index < this.#entries.length; index++) yield this.#entries[index] as RingEntry
  }

  #indexAfter(position: number): number {
    let low = this.#gone
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#entries[middle] as RingEntry).logged.position > position) high = middle
      else low = middle + 1
    }
    return low
  }

  #restart(at: number): void {
    this.#entries = []
    this.#gone = 0
    this.#bytes = 0
    this.#floor = at
  }

  #dropOldest(): void {
    const oldest = this.#entries[this.#gone++] as RingEntry
    this.#bytes -= sizeOf(oldest)
    this.#floor = oldest.logged.position
  }
}

function sizeOf({ bytes }: RingEntry): number {
  return bytes + OVERHEAD_BYTES
}
