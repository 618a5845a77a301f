/**
 * Errors as they travel between services over HTTP: a problem that also tells what a caller needs to decide about retries.
 *
 * @module
 */
import { type Problem, problemOf } from '../../contract/problem.ts'
import type { Executed, FlotillaError } from '../../kernel/error.ts'
import type { TraceContext } from '../../kernel/trace-context.ts'

/** The body of an error answer. */
export interface WireProblem extends Problem {
  readonly executed: Executed
  readonly isExhausted: boolean
  readonly isOverloaded: boolean
  /** As the header `retry-after`, which knows whole seconds only. */
  readonly retryAfterMs?: number | undefined
}

/** What is answered instead of `error`. */
export function wireProblem(error: FlotillaError, trace: TraceContext): WireProblem {
  const { executed, isExhausted, isOverloaded, retryAfterMs } = error
  return { ...problemOf(error, trace.traceId), executed, isExhausted, isOverloaded, retryAfterMs }
}
