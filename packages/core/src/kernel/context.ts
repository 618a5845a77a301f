/**
 * What travels along with every call, from the edge to the last callee.
 *
 * @module
 */
import type { Caller } from './caller.ts'
import type { Cancellation } from './cancellation.ts'
import type { Clock } from './clock.ts'
import type { NewId } from './ids.ts'
import type { Random } from './random.ts'
import type { TraceContext } from './trace-context.ts'

/**
 * How much a call matters when not all can be served; the most important first.
 *
 * @source Google SRE book, chapter 21, "Criticality"
 */
export const criticalities = ['critical_plus', 'critical', 'sheddable_plus', 'sheddable'] as const

/** One of the four classes. */
export type Criticality = (typeof criticalities)[number]

/** The less important of the two: nobody raises what was given to him. */
export function lessCritical(given: Criticality, wanted: Criticality): Criticality {
  return criticalities.indexOf(wanted) > criticalities.indexOf(given) ? wanted : given
}

/** Where time, chance and ids come from. */
export interface Ports {
  readonly clock: Clock
  readonly random: Random
  readonly newId: NewId
}

/** One call's context; immutable but for its cancellation. */
export interface CallContext {
  readonly caller: Caller
  /** When the caller stops waiting, on this process's `clock.monotonicMs()`. */
  readonly deadlineMs: number
  /** The name an outside caller gave the request; follows it into every log. Absent: the trace id serves. */
  readonly requestId?: string | undefined
  readonly trace: TraceContext
  readonly criticality: Criticality
  readonly cancellation: Cancellation
  /** The caller's key for "this is the same command again"; at most 255 characters. */
  readonly idempotencyKey?: string | undefined
}
