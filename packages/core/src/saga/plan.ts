/**
 * What follows from the outcome of one attempt of a step: pure, told the time.
 *
 * Forward, `step` is what is to be done next; backward, what is to be undone next.
 *
 * - forward, **done**: the next step, or completed.
 * - forward, **refused** or given up: backward from this step (from the one before, at the pivot), or compensated when
 *   nothing is there to undo.
 * - backward, **done**: the step before, or compensated.
 * - **later**: waiting, with no failure counted.
 * - **failed**: waiting, until it has been failing for too long; then backward (compensatable steps) or parked.
 *
 * @module
 */
import { type Code, codes } from '../kernel/code.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import type { Random } from '../kernel/random.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import type { Direction, SagaCause, SagaStatus, Step } from './definition.ts'

/** How one attempt ended. */
export type Outcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'later'; readonly delayMs: number }
  | { readonly kind: 'failed'; readonly error: unknown }

/** Where the saga stood. */
export interface Position {
  readonly step: Step<object>
  readonly direction: Direction
  readonly attempts: number
  /** How long it has been failing, 0 when this is the first failure. */
  readonly failingMs: number
}

/** What a history says of an attempt. */
export type Entry = 'done' | 'refused' | 'failed' | 'later' | 'parked'

/** Where the saga goes. */
export interface Plan {
  readonly entry: Entry
  readonly status: Exclude<SagaStatus, 'ready'>
  readonly direction: Direction
  /** Null: nothing is left to do. */
  readonly step: string | null
  readonly attempts: number
  /** With status `waiting` only. */
  readonly waitMs: number | null
  /** What went wrong in this attempt. */
  readonly error: SagaCause | null
  /** True when `error` is why the saga turns back. */
  readonly isCause: boolean
}

const BACKOFF = { baseMs: 50, capMs: 5_000 }
const GIVE_UP_AFTER_MS = 60_000
const PARK_AFTER_MS = 3_600_000

/** Codes that do not pass by themselves, but say nothing about the request either. */
const INDEFINITE: ReadonlySet<Code> = new Set([
  'internal',
  'unknown',
  'canceled',
  'data_loss',
  'unauthenticated',
])

/** Thrown by a step that wants to run again. */
export class Later extends Error {
  readonly delayMs: number

  constructor(delayMs: number) {
    super(`again in ${delayMs} ms`)
    this.delayMs = delayMs
  }
}

/** A refusal by the saga's own word. */
export class Refusal extends FlotillaError {}

/** What an attempt came to that threw `error`. */
export function outcomeOf(error: unknown): Outcome {
  return error instanceof Later ? { kind: 'later', delayMs: error.delayMs } : { kind: 'failed', error }
}

/** True when trying again would get the same answer. */
function isDefinite(error: unknown): boolean {
  return isFlotillaError(error) && !codes[error.code].isTransient && !INDEFINITE.has(error.code)
}

/** An error as it is kept: without what only the log may have. */
export function causeOf(error: unknown): SagaCause {
  if (!isFlotillaError(error)) return { code: 'internal', message: String(error) }
  const { code, message, reason, data } = error.toBody()
  return {
    code,
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(data === undefined ? {} : { data }),
  }
}

/** What follows; `steps` are those of the saga. `parkAfterMs`: default an hour. */
export function planAfter(
  steps: readonly Step<object>[],
  at: Position,
  outcome: Outcome,
  random: Random,
  parkAfterMs = PARK_AFTER_MS,
): Plan {
  const index = steps.indexOf(at.step)
  if (outcome.kind === 'done') {
    return at.direction === 'forward' ? onward(steps, index) : backward(steps, index - 1, 'done', null)
  }
  if (outcome.kind === 'later') {
    return { ...staying(at, 'later', outcome.delayMs, null), attempts: 0 }
  }
  const { error } = outcome
  const kept = causeOf(error)
  if (canTurnBack(at, error)) {
    const last = at.step.kind === 'pivot' ? index - 1 : index
    return backward(steps, last, isDefinite(error) ? 'refused' : 'failed', kept)
  }
  const mustWait = isTurningPoint(at) || (!isDefinite(error) && at.failingMs < parkAfterMs)
  if (mustWait) return staying(at, 'failed', fullJitterMs(random, at.attempts, BACKOFF), kept)
  return { ...staying(at, 'parked', null, kept), status: 'parked' }
}

/** A step that is undone when it cannot be done. */
function isTurningPoint({ step, direction }: Position): boolean {
  return direction === 'forward' && step.kind === 'compensatable'
}

function canTurnBack(at: Position, error: unknown): boolean {
  if (isTurningPoint(at)) {
    return isDefinite(error) || at.failingMs >= (at.step.giveUpAfterMs ?? GIVE_UP_AFTER_MS)
  }
  return at.direction === 'forward' && at.step.kind === 'pivot' && error instanceof Refusal
}

function onward(steps: readonly Step<object>[], index: number): Plan {
  const step = steps[index + 1]?.name ?? null
  return {
    entry: 'done',
    status: step === null ? 'completed' : 'running',
    direction: 'forward',
    step,
    attempts: 0,
    waitMs: null,
    error: null,
    isCause: false,
  }
}

function backward(
  steps: readonly Step<object>[],
  index: number,
  entry: Entry,
  error: SagaCause | null,
): Plan {
  const step = steps[index]?.name ?? null
  return {
    entry,
    status: step === null ? 'compensated' : 'running',
    direction: 'backward',
    step,
    attempts: 0,
    waitMs: null,
    error,
    isCause: error !== null,
  }
}

function staying(at: Position, entry: Entry, waitMs: number | null, error: SagaCause | null): Plan {
  return {
    entry,
    status: 'waiting',
    direction: at.direction,
    step: at.step.name,
    attempts: at.attempts + 1,
    waitMs,
    error,
    isCause: false,
  }
}
