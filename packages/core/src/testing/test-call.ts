/**
 * A call for tests of what happens to calls.
 *
 * @module
 */
import { Cancellation } from '../kernel/cancellation.ts'
import { type Clock, systemClock } from '../kernel/clock.ts'

/** The part of a call's context that says how long it matters. */
export interface TestCall {
  readonly deadlineMs: number
  readonly cancellation: Cancellation
}

/** A call that ends `timeoutMs` from now. */
export function testCall(timeoutMs = 10_000, clock: Clock = systemClock): TestCall {
  return { deadlineMs: clock.monotonicMs() + timeoutMs, cancellation: new Cancellation() }
}
