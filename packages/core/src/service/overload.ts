/**
 * What is told to whom is refused for overload, and how many calls of an operation run.
 *
 * The errors are made once and shared: one costs a few microseconds, most of it for a stack that tells nothing here, and the worse
 * the overload the more are needed.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import { type Criticality, criticalities, type Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import { type Random, randomInteger } from '../kernel/random.ts'
import { Admission, fixedLimit, type Refusal } from '../resilience/admission.ts'
import { GradientLimit } from '../resilience/gradient-limit.ts'
import type { LoopWatch } from './loop-watch.ts'

/** About one short queue. */
const QUEUE_MS = 100
/** About what the event loop takes to be in time again. */
const LOOP_MS = 500
/** So many different waits, from half to one and a half of what is meant, so that those who were refused do not come back together. */
const WAITS = 16

const ofQueue = errorsFor(QUEUE_MS)
const ofLoop = errorsFor(LOOP_MS)

function errorsFor(meanMs: number): readonly FlotillaError[] {
  return Array.from({ length: WAITS }, (_, index) => {
    const retryAfterMs = Math.round(meanMs * (0.5 + (index + 0.5) / WAITS))
    const options = { executed: 'no', isOverloaded: true, retryAfterMs } as const
    // As the caller sees it, right away.
    return new FlotillaError('unavailable', 'Too much to do right now.', options, true)
  })
}

/** What a caller is told; with a wait that chance chooses. */
export function overloadError(refusal: Refusal, random: Random): FlotillaError {
  return (refusal === 'loop' ? ofLoop : ofQueue)[randomInteger(random, WAITS)] as FlotillaError
}

/** What work is told that comes in otherwise than by a call, where the event loop is late; undefined: it is let in. */
export function lateError(
  watch: LoopWatch | undefined,
  criticality: Criticality,
  { clock, random }: Ports,
): FlotillaError | undefined {
  const isLetIn = watch?.admits(criticalities.indexOf(criticality), clock.monotonicMs()) ?? true
  return isLetIn ? undefined : overloadError('loop', random)
}

/** How a process limits its operations. */
export interface AdmissionSettings {
  /** `fixed`: every limit stays at its maximum, and the event loop is not looked at. */
  readonly admission: 'adaptive' | 'fixed'
  readonly concurrencyMin: number
  readonly concurrencyMax: number
}

/** An operation that may take longer waits for something to happen, and how long it takes says nothing about the load; in milliseconds. */
export const WAITING_MS = 10_000

/** Who of the calls of `operation` runs. */
export function admissionOf(
  operation: Operation,
  { admission, concurrencyMin, concurrencyMax }: AdmissionSettings,
): Admission {
  const isAdaptive = admission === 'adaptive' && operation.timeoutMs <= WAITING_MS
  const limiter = isAdaptive
    ? new GradientLimit(Math.min(concurrencyMin, concurrencyMax), concurrencyMax)
    : fixedLimit(concurrencyMax)
  return new Admission(limiter)
}
