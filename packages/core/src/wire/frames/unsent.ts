/**
 * Errors of calls that never left: whoever gets one knows that nothing was done.
 *
 * @module
 */
import type { Code } from '../../kernel/code.ts'
import { FlotillaError } from '../../kernel/error.ts'

/** The other side cannot take it now. */
export function unavailable(message: string): FlotillaError {
  return unsent('unavailable', message)
}

/** It cannot be sent. */
export function unsent(code: Code, message: string, cause?: unknown): FlotillaError {
  return new FlotillaError(code, message, { executed: 'no', cause })
}
