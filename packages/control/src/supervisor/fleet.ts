/**
 * The processes of a system, for those who steer and watch them from another process than the one that supervises; and what the two say to each
 * other over Node's channel between parent and child.
 *
 * - The supervisor tells the whole state at once, when the process is started, at every change, and every two seconds (`state`). Nothing is
 *   asked for: the latest state is at hand.
 * - An order has a number and gets one answer: it was carried out (`done`), or not, and why (`refused`). An answer goes to the very process that
 *   ordered; if it is gone, nowhere. An order to end the process that gives it is answered first.
 * - When everything is to stop, the supervisor says so (`closing`), before it stops anything else; what only looks stops looking, and
 *   says so (`quiet`). What is told by those that stop is still taken, until the process is asked to end as every other is.
 *
 * @module
 */
import type { ErrorBody } from '@flotilla/core/error'
import type { SlotState, SlotStats } from './process-slot.ts'

/** A process that should be there. */
export interface ProcessState {
  /** Such as `catalog-1`. */
  readonly name: string
  readonly host: string
  readonly services: readonly string[]
  readonly state: SlotState
  readonly isLooping: boolean
  /** Undefined while there is no process. */
  readonly pid: number | undefined
  /** Of the present or the last process. */
  readonly instance: string
  /** Its origin; '' until it is ready. */
  readonly http: string
  readonly starts: number
  /** Of the present process, when this was told. */
  readonly uptimeMs: number
  readonly stats: SlotStats | undefined
  readonly lastEnd: string | undefined
}

/** The processes, and what can be done with them. */
export interface Fleet {
  /** By host in the order of the placement, then those beside it. */
  readonly processes: readonly ProcessState[]
  /** Resolves when they are ready, or gone. @throws FlotillaError `not_found`, `invalid_argument`, `unavailable`, `deadline_exceeded` */
  scale(host: string, instances: number): Promise<void>
  /** In good order; false when there is no such process. @throws FlotillaError `unavailable`, `deadline_exceeded` */
  restart(process: string): Promise<boolean>
  /** As a crash would; false when there is no such process. @throws FlotillaError `unavailable`, `deadline_exceeded` */
  kill(process: string): Promise<boolean>
  /** Begins to stop everything. @throws FlotillaError `unavailable`, `deadline_exceeded` */
  down(): Promise<void>
}

/** What may be ordered. */
export type Order =
  | { readonly what: 'scale'; readonly host: string; readonly instances: number }
  | { readonly what: 'restart' | 'kill'; readonly process: string }
  | { readonly what: 'down' }

/** What the supervisor says. */
export type ToControl =
  | { readonly kind: 'state'; readonly processes: readonly ProcessState[] }
  /** `isFound` is false where the process is not known. */
  | { readonly kind: 'done'; readonly id: number; readonly isFound: boolean }
  | { readonly kind: 'refused'; readonly id: number; readonly error: ErrorBody }
  | { readonly kind: 'closing' }

/** What it hears. */
export type FromControl =
  | { readonly kind: 'order'; readonly id: number; readonly order: Order }
  | { readonly kind: 'quiet' }
  /** Telemetry cannot be kept, for the reason that is given. */
  | { readonly kind: 'unwatched'; readonly why: string }
