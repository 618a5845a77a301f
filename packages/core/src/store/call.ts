/**
 * What this part needs to know of a call: until when it matters, and whether it still does.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { CallContext } from '../kernel/context.ts'
import { type Executed, FlotillaError } from '../kernel/error.ts'

/** The call on whose behalf the database is used. `trace` is the span its statements belong to; absent: they leave none. */
export type Call = Pick<CallContext, 'deadlineMs' | 'cancellation'> & Partial<Pick<CallContext, 'trace'>>

/** Timers and PostgreSQL's settings hold 31 bits, about 25 days; a little less, so that a reserve can be added. */
const WAIT_MS_MAX = 0x7f00_0000

/** Milliseconds left, never below 0, at most 25 days. */
export function remainingMs(clock: Clock, call: Call): number {
  return Math.max(0, Math.min(WAIT_MS_MAX, call.deadlineMs - clock.monotonicMs()))
}

/**
 * Checks before a step is begun.
 *
 * @throws FlotillaError the call's own when it was canceled; `deadline_exceeded` when its time is up.
 */
export function throwIfOver(clock: Clock, call: Call, executed: Executed): void {
  call.cancellation.throwIfCanceled()
  if (call.deadlineMs <= clock.monotonicMs()) throw deadlineExceeded(executed)
}

/** Calls `stop` once, when the call is canceled or its deadline passes, whichever is first. Returns how to stop watching. */
export function watchCall(clock: Clock, call: Call, stop: (error: FlotillaError) => void): () => void {
  const timer = clock.schedule(remainingMs(clock, call), () => {
    call.cancellation.unlisten(listener)
    stop(deadlineExceeded('maybe'))
  })
  const listener = {
    canceled(error: FlotillaError): void {
      timer.cancel()
      stop(error)
    },
  }
  call.cancellation.listen(listener)
  return () => {
    timer.cancel()
    call.cancellation.unlisten(listener)
  }
}

function deadlineExceeded(executed: Executed): FlotillaError {
  return new FlotillaError('deadline_exceeded', 'The database did not answer before the deadline.', {
    executed,
  })
}
