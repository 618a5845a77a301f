/**
 * The headers in which a call's context travels over HTTP between services. The gateway strips them from outside
 * requests; a service believes them only beside a credential.
 *
 * @module
 */

/** Names, in lower case as Node gives them. */
export const headers = {
  /** `Bearer <process credential>`. */
  authorization: 'authorization',
  /** Service the call is made by; must be one the credential names. */
  caller: 'x-flotilla-caller',
  /** Signed user token. */
  user: 'x-flotilla-user',
  /** Milliseconds left. */
  timeoutMs: 'x-flotilla-timeout-ms',
  criticality: 'x-flotilla-criticality',
  requestId: 'x-request-id',
  traceparent: 'traceparent',
  idempotencyKey: 'idempotency-key',
  ifMatch: 'if-match',
  prefer: 'prefer',
  /** On answers: the part of `Prefer` that was followed. */
  preferenceApplied: 'preference-applied',
  /** On answers: `true` when the command ran at an earlier call with the same key. */
  replayed: 'idempotent-replayed',
} as const

/** Where an operation without a route is called: `POST /operations/<id>`. */
export const OPERATIONS_PATH = '/operations/'
