/**
 * Errors as HTTP answers.
 *
 * @source RFC 9457, "Problem Details for HTTP APIs"
 * @module
 */
import { codes, isCode } from '../kernel/code.ts'
import { FlotillaError, type Issue } from '../kernel/error.ts'

/** The media type of a problem. */
export const PROBLEM_TYPE = 'application/problem+json'

/** The body of every error answer. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly reason?: string
  readonly detail: string
  readonly traceId: string
  /** For bad input: one entry a field. */
  readonly errors?: readonly Issue[]
  /** What the reason brings along. */
  readonly data?: unknown
}

/** The problem that tells of `error`; `traceId` lets support find the request. */
export function problemOf(error: FlotillaError, traceId: string): Problem {
  return {
    type: `urn:flotilla:${error.reason === undefined ? `code:${error.code}` : `reason:${error.reason}`}`,
    title: codes[error.code].title,
    status: error.status,
    code: error.code,
    ...(error.reason === undefined ? {} : { reason: error.reason }),
    detail: error.message,
    traceId,
    ...(error.issues === undefined ? {} : { errors: error.issues }),
    ...(error.data === undefined ? {} : { data: error.data }),
  }
}

/** What an HTTP client makes of an error answer, ours or a stranger's. */
export function errorOfProblem(
  status: number,
  body: unknown,
  retryAfterS: number | undefined,
): FlotillaError {
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  return FlotillaError.fromBody({
    code: isCode(problem['code']) ? problem['code'] : codeOfStatus(status),
    message: problem['detail'] ?? problem['title'] ?? `HTTP status ${status}`,
    reason: problem['reason'],
    status,
    executed: problem['executed'],
    isExhausted: problem['isExhausted'],
    isOverloaded: problem['isOverloaded'],
    retryAfterMs: retryAfterS === undefined ? undefined : retryAfterS * 1000,
    issues: problem['errors'],
    data: problem['data'],
  })
}

const STATUS_CODES: Readonly<Record<number, keyof typeof codes>> = {
  400: 'invalid_argument',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'not_found',
  409: 'aborted',
  412: 'failed_precondition',
  428: 'failed_precondition',
  429: 'resource_exhausted',
  499: 'canceled',
  501: 'unimplemented',
  502: 'unavailable',
  503: 'unavailable',
  504: 'deadline_exceeded',
}

function codeOfStatus(status: number): keyof typeof codes {
  return STATUS_CODES[status] ?? (status >= 500 ? 'internal' : 'invalid_argument')
}
