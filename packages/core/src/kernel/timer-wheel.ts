/**
 * Many deadlines on one timer.
 *
 * Nearly every deadline is withdrawn long before it falls due: a call ends in a millisecond and its deadline is
 * three seconds away. A system timer per call costs 0.35 µs, an `AbortSignal.timeout` 6.7 µs; an entry here is
 * linked into a list and out again. Entries hash into slots by the tick they fall due in; one turn of the wheel
 * visits every slot, and entries of later turns stay where they are.
 *
 * Its timer goes for the next slot that holds something, not for every tick: a process in which nothing happens but for one
 * deadline far away sleeps until then (a turn every tick was 15 ms of CPU a second, in each process of a fleet).
 *
 * @source Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 6
 * @module
 */
import type { Clock, Timer } from './clock.ts'

const TICK_MS = 10
const SLOTS = 512

/** Something with a deadline; extend it, so that the entry needs no object of its own. */
export abstract class Timed {
  /** When it falls due, on the clock's monotonic time. */
  dueMs = 0
  /** Neighbours in the wheel's list; the wheel's own business. */
  wheelNext: Timed | undefined = undefined
  wheelPrevious: Timed | undefined = undefined
  wheelSlot = -1

  /** Called once, at most 11 ms (a tick and the timer's rounding) after `dueMs`. */
  abstract expire(): void
}

/** Holds entries until they fall due or are withdrawn. Its timer runs only while there are some. */
export class TimerWheel {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'schedule'>
  readonly #slots = new Array<Timed | undefined>(SLOTS)
  #size = 0
  #turnedToTick = 0
  #timer: Timer | undefined
  /** When the timer goes. */
  #timerTick = Number.POSITIVE_INFINITY

  constructor(clock: Pick<Clock, 'monotonicMs' | 'schedule'>) {
    this.#clock = clock
  }

  get size(): number {
    return this.#size
  }

  /**
   * Calls `entry.expire()` when `dueMs` has passed; on the next tick, when it already has. `nowMs` is the time now, which
   * whoever has a deadline to set has at hand.
   */
  add(entry: Timed, dueMs: number, nowMs: number): void {
    if (entry.wheelSlot >= 0) this.remove(entry)
    const nowTick = Math.floor(nowMs / TICK_MS)
    if (this.#size === 0) this.#turnedToTick = nowTick
    entry.dueMs = dueMs
    const slot = Math.max(Math.ceil(dueMs / TICK_MS), this.#turnedToTick + 1) % SLOTS
    const first = this.#slots[slot]
    entry.wheelSlot = slot
    entry.wheelNext = first
    entry.wheelPrevious = undefined
    if (first) first.wheelPrevious = entry
    this.#slots[slot] = entry
    this.#size++
    const visitTick = this.#visitOf(slot)
    if (visitTick < this.#timerTick) this.#turnAt(visitTick, nowMs)
  }

  /** Withdraws it; does nothing when it is not waiting. */
  remove(entry: Timed): void {
    if (entry.wheelSlot < 0) return
    const { wheelNext, wheelPrevious } = entry
    if (wheelPrevious) wheelPrevious.wheelNext = wheelNext
    else this.#slots[entry.wheelSlot] = wheelNext
    if (wheelNext) wheelNext.wheelPrevious = wheelPrevious
    entry.wheelSlot = -1
    entry.wheelNext = undefined
    entry.wheelPrevious = undefined
    if (--this.#size === 0) this.#rest()
  }

  /** The next tick at which the wheel comes to a slot. */
  #visitOf(slot: number): number {
    const next = this.#turnedToTick + 1
    return next + ((((slot - next) % SLOTS) + SLOTS) % SLOTS)
  }

  #turnAt(tick: number, nowMs: number): void {
    this.#timer?.cancel()
    this.#timerTick = tick
    // Rounded up, because the platform's timers cut fractions off, and a turn that comes early has to come again.
    const delayMs = Math.max(1, Math.ceil(tick * TICK_MS - nowMs))
    this.#timer = this.#clock.schedule(delayMs, () => this.#turn())
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs()
    const nowTick = Math.floor(nowMs / TICK_MS)
    // After a pause longer than a whole turn every slot is visited once: that finds everything that is due.
    const fromTick = Math.max(this.#turnedToTick + 1, nowTick - SLOTS + 1)
    this.#turnedToTick = nowTick
    try {
      for (let tick = fromTick; tick <= nowTick; tick++) this.#expireSlot(tick % SLOTS, nowMs)
    } finally {
      this.#rest()
      this.#planTurn(nowMs)
    }
  }

  #planTurn(nowMs: number): void {
    const from = this.#turnedToTick + 1
    for (let tick = from; this.#size > 0 && tick < from + SLOTS; tick++) {
      if (this.#slots[tick % SLOTS] !== undefined) return this.#turnAt(tick, nowMs)
    }
  }

  /** A timer left behind would keep the process alive. */
  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerTick = Number.POSITIVE_INFINITY
  }

  #expireSlot(slot: number, nowMs: number): void {
    const due: Timed[] = []
    for (let entry = this.#slots[slot]; entry; entry = entry.wheelNext)
      if (entry.dueMs <= nowMs) due.push(entry)
    for (const entry of due) {
      // One that an earlier one withdrew or put off is no longer due.
      if (entry.wheelSlot !== slot || entry.dueMs > nowMs) continue
      this.remove(entry)
      entry.expire()
    }
  }
}
