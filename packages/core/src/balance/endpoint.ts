/**
 * An instance as balancing sees it.
 *
 * @module
 */
import type { PeakEwma } from './peak-ewma.ts'
import type { SlowStart } from './slow-start.ts'

/** One of the instances that a call may go to. */
export interface Endpoint {
  /** Tells it from all others: what hashing goes by. */
  readonly id: string
  /** How many calls it is meant to get, in relation to others; above 0. */
  readonly weight: number
  /** Where it runs; '' when nobody said. */
  readonly zone: string
  /** Calls on their way to it, and how fast it answers. */
  readonly ewma: PeakEwma
  /** Absent: it is warm. */
  readonly slowStart: SlowStart | undefined
  /** False while it is left alone. */
  isAvailable(nowMs: number): boolean
}

/** The weight that counts now: less while it warms up. */
export function weightAt({ weight, slowStart }: Endpoint, nowMs: number): number {
  return slowStart === undefined ? weight : weight * slowStart.share(nowMs)
}
