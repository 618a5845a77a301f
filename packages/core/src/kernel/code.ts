/**
 * The closed vocabulary of failure, shared by every part, every process and every wire.
 *
 * There are no user-defined codes: what a domain wants to say beyond these sixteen words is an error's
 * `reason`, declared in the operation's contract.
 *
 * @module
 */

/** What a code means to a machine. */
export interface CodeFacts {
  /** HTTP status answered for it, unless the operation's reason names another. */
  readonly status: number
  /** True when the condition usually passes by itself. Whether a repeat is *safe* is another question: `isRetryable`. */
  readonly isTransient: boolean
  /** A title for people, without a full stop. */
  readonly title: string
}

const facts = {
  canceled: { status: 499, isTransient: false, title: 'The caller gave up' },
  unknown: { status: 500, isTransient: false, title: 'Unknown failure' },
  invalid_argument: { status: 400, isTransient: false, title: 'The request is not valid' },
  deadline_exceeded: { status: 504, isTransient: true, title: 'The answer did not come in time' },
  not_found: { status: 404, isTransient: false, title: 'Not found' },
  already_exists: { status: 409, isTransient: false, title: 'It exists already' },
  permission_denied: { status: 403, isTransient: false, title: 'Not allowed' },
  resource_exhausted: { status: 429, isTransient: true, title: 'Too many requests' },
  failed_precondition: { status: 400, isTransient: false, title: 'The state does not allow this' },
  aborted: { status: 409, isTransient: true, title: 'A concurrent change got in the way' },
  out_of_range: { status: 400, isTransient: false, title: 'Outside the valid range' },
  unimplemented: { status: 501, isTransient: false, title: 'No such operation' },
  internal: { status: 500, isTransient: false, title: 'Internal error' },
  unavailable: { status: 503, isTransient: true, title: 'Not available right now' },
  data_loss: { status: 500, isTransient: false, title: 'Data is lost or damaged' },
  unauthenticated: { status: 401, isTransient: false, title: 'Please log in' },
} as const satisfies Record<string, CodeFacts>

/** One of the sixteen codes. */
export type Code = keyof typeof facts

/**
 * Every code with its facts, in gRPC order.
 *
 * @source https://connectrpc.com/docs/protocol#error-codes (the gRPC codes and their HTTP statuses)
 */
export const codes: Readonly<Record<Code, CodeFacts>> = facts

/** Narrows a value read from outside to a code. */
export function isCode(value: unknown): value is Code {
  return typeof value === 'string' && Object.hasOwn(facts, value)
}
