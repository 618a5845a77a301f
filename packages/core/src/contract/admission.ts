/**
 * What a request must be before anything is done for it. The caller's side asks before it sends, the callee's side
 * trusts nobody and asks again; one function answers both, so a refusal reads the same wherever the two run.
 *
 * @module
 */
import type { CallContext } from '../kernel/context.ts'
import { type ErrorOptions, FlotillaError } from '../kernel/error.ts'
import { refusal } from './access.ts'
import type { Operation } from './operation.ts'

/** Characters as PostgreSQL counts them; control characters would let a key look like another in a log. */
const IDEMPOTENCY_KEY = /^\P{Cc}{1,255}$/u

/** Why `operation` will not be run for `input`: authorisation, then the input, then the key. Undefined: nothing speaks against it. */
export function refusedRequest(
  operation: Operation,
  input: unknown,
  { caller, idempotencyKey }: Pick<CallContext, 'caller' | 'idempotencyKey'>,
): FlotillaError | undefined {
  const denied = refusal(operation.access, caller, operation.scope)
  if (denied !== undefined) {
    const message = denied === 'unauthenticated' ? 'Please log in.' : 'This is not allowed to you.'
    return new FlotillaError(denied, message, { executed: 'no' })
  }
  const issues = operation.checkInput(input)
  if (issues !== undefined) return invalid('The request is not valid.', { issues })
  if (idempotencyKey === undefined) {
    return operation.idempotency === 'key_required' ? invalid('Send an Idempotency-Key.') : undefined
  }
  if (IDEMPOTENCY_KEY.test(idempotencyKey)) return undefined
  return invalid('An Idempotency-Key has 1 to 255 characters, none of them a control character.')
}

function invalid(message: string, options: ErrorOptions = {}): FlotillaError {
  return new FlotillaError('invalid_argument', message, { ...options, executed: 'no' })
}
