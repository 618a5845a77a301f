/**
 * A waiting room before a route: lets in so many visitors a minute, in the order in which they came.
 *
 * A newcomer gets the next free place *in time*. Whose time has come is let in and gets a *pass*, with which they may ask as often as they
 * like until it ends; all others get a *ticket* with their time on it, and are let in when they show it then. Both are signed and good
 * for that visitor at that room only, so a gateway remembers nothing of visitors but when the next place is free. Several gateways each let in
 * their share; a ticket is good at all of them. A place whose visitor does not come back stays empty.
 *
 * @source the places are those of the generic cell rate algorithm (ITU-T I.371), given away instead of refused
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@flotilla/core/clock'

/** How a room lets in. */
export interface WaitingRoomPolicy {
  /** New visitors. */
  readonly perMinute: number
  /** How long a pass is good. Default 600. */
  readonly stayS?: number | undefined
  /** Who would have to wait for longer gets no ticket. Default 1,800. */
  readonly waitMaxS?: number | undefined
}

/** What a room needs. */
export interface WaitingRoomOptions extends WaitingRoomPolicy {
  /** Tells it from other rooms. */
  readonly id: string
  /** Signs; the same for all gateways, and a secret. */
  readonly key: string
  readonly clock: Clock
  /** How many gateways there are, this one among them. */
  readonly instances: () => number
}

/** What becomes of a visitor. `paper`: their new ticket or pass, good for so many seconds; absent: they have it, or get none. */
export type Entrance =
  | { readonly kind: 'in'; readonly paper?: Paper }
  | { readonly kind: 'waits'; readonly waitMs: number; readonly paper: Paper }
  | { readonly kind: 'full'; readonly waitMs: number }

/** A ticket or a pass. */
export interface Paper {
  readonly text: string
  readonly goodS: number
}

const STAY_S = 600
const WAIT_MAX_S = 1_800
/** How long after its time a ticket is still good. */
const LATE_MS = 60_000
/** What may come at once: as many as in a second. */
const BURST_MS = 1_000
const PAPER = /^([tp])([0-9a-z]{1,11})\.([\w-]{22})$/
const MAC_CHARS = 22

/** A room. */
export class WaitingRoom {
  readonly #options: WaitingRoomOptions
  readonly #stayMs: number
  readonly #waitMaxMs: number
  /** When the next place is free, on the wall clock: tickets outlive processes. */
  #nextMs = 0

  constructor(options: WaitingRoomOptions) {
    this.#options = options
    this.#stayMs = (options.stayS ?? STAY_S) * 1_000
    this.#waitMaxMs = (options.waitMaxS ?? WAIT_MAX_S) * 1_000
  }

  /** A visitor comes, and shows what they have. */
  enter(visitor: string, shown: string | undefined): Entrance {
    const nowMs = this.#options.clock.now()
    const paper = shown === undefined ? undefined : this.#read(visitor, shown)
    if (paper?.kind === 'p' && nowMs < paper.timeMs) return { kind: 'in' }
    if (paper?.kind === 't' && nowMs < paper.timeMs + LATE_MS)
      return paper.timeMs <= nowMs ? this.#letIn(visitor, nowMs) : this.#wait(visitor, paper.timeMs, nowMs)
    return this.#newcomer(visitor, nowMs)
  }

  #newcomer(visitor: string, nowMs: number): Entrance {
    const { perMinute, instances } = this.#options
    const placeMs = Math.max(this.#nextMs, nowMs - BURST_MS)
    const waitMs = placeMs - nowMs
    if (waitMs > this.#waitMaxMs) return { kind: 'full', waitMs: waitMs - this.#waitMaxMs }
    this.#nextMs = placeMs + (60_000 / perMinute) * instances()
    return waitMs <= 0 ? this.#letIn(visitor, nowMs) : this.#wait(visitor, Math.ceil(placeMs), nowMs)
  }

  #letIn(visitor: string, nowMs: number): Entrance {
    const text = this.#write('p', visitor, nowMs + this.#stayMs)
    return { kind: 'in', paper: { text, goodS: this.#stayMs / 1_000 } }
  }

  #wait(visitor: string, timeMs: number, nowMs: number): Entrance {
    const waitMs = timeMs - nowMs
    const text = this.#write('t', visitor, timeMs)
    return { kind: 'waits', waitMs, paper: { text, goodS: Math.ceil((waitMs + LATE_MS) / 1_000) } }
  }

  #write(kind: 't' | 'p', visitor: string, timeMs: number): string {
    const what = kind + Math.ceil(timeMs).toString(36)
    return `${what}.${this.#macOf(visitor, what)}`
  }

  /** Undefined: it is none, or not theirs. */
  #read(visitor: string, text: string): { readonly kind: string; readonly timeMs: number } | undefined {
    const [, kind, time, mac] = PAPER.exec(text) ?? []
    if (kind === undefined || time === undefined || mac === undefined) return undefined
    const right = this.#macOf(visitor, kind + time)
    if (!timingSafeEqual(Buffer.from(mac), Buffer.from(right))) return undefined
    return { kind, timeMs: Number.parseInt(time, 36) }
  }

  #macOf(visitor: string, what: string): string {
    const { key, id } = this.#options
    const text = JSON.stringify(['waiting room', id, visitor, what])
    return createHmac('sha256', key).update(text).digest('base64url').slice(0, MAC_CHARS)
  }
}
