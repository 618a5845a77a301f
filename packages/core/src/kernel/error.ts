/**
 * The one error class of the platform, and the two questions asked of it: may the caller try again, and what
 * does the caller one hop further up get to see?
 *
 * @module
 */
import { type Code, codes, isCode } from './code.ts'

/** Whether the callee may have had an effect before the failure. 'no' is a promise, 'maybe' the honest default. */
export type Executed = 'no' | 'maybe'

/** One thing wrong with an input. */
export interface Issue {
  /** Where, as a JSON pointer (RFC 6901) into the input; '' is the whole input. */
  readonly pointer: string
  readonly message: string
}

/** What a thrower may say besides code and message. */
export interface ErrorOptions {
  /** The domain's own word, declared in the contract of the operation, such as `out_of_stock`. */
  readonly reason?: string | undefined
  /** HTTP status to answer instead of the code's own; comes from the contract's reason. */
  readonly status?: number | undefined
  /** Default 'maybe'. Claim 'no' only where the work provably never started. */
  readonly executed?: Executed | undefined
  /** Milliseconds the callee asks the caller to wait before trying again, >= 0. */
  readonly retryAfterMs?: number | undefined
  /** True when the retries of this call are used up further down, so that no layer above tries again. */
  readonly isExhausted?: boolean | undefined
  /** True when the callee refused because it has too much to do: it is not broken, and another instance may have room. */
  readonly isOverloaded?: boolean | undefined
  /** What is wrong with the input, for `invalid_argument`. */
  readonly issues?: readonly Issue[] | undefined
  /** JSON that belongs to the reason, such as the new price of `price_changed`. */
  readonly data?: unknown
  /** Stays in this process: for logs, never sent. */
  readonly cause?: unknown
}

/** The parts of an error that cross a process boundary; plain JSON. */
export interface ErrorBody extends Omit<ErrorOptions, 'cause'> {
  readonly code: Code
  readonly message: string
  readonly executed: Executed
}

/** Every failure the platform raises or passes on. Recognise it with `isFlotillaError`, never with `instanceof`. */
export class FlotillaError extends Error {
  override readonly name = 'FlotillaError'
  readonly code: Code
  readonly executed: Executed
  readonly reason: string | undefined
  readonly retryAfterMs: number | undefined
  readonly isExhausted: boolean
  readonly isOverloaded: boolean
  readonly issues: readonly Issue[] | undefined
  readonly data: unknown
  /** True when it was rebuilt from a callee's answer: it tells of that callee's failure, not of ours. */
  readonly isRemote: boolean
  readonly #status: number | undefined

  constructor(code: Code, message: string, options: ErrorOptions = {}, isRemote = false) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.executed = options.executed ?? 'maybe'
    this.reason = options.reason
    this.retryAfterMs = options.retryAfterMs
    this.isExhausted = options.isExhausted ?? false
    this.isOverloaded = options.isOverloaded ?? false
    this.issues = options.issues
    this.data = options.data
    this.isRemote = isRemote
    this.#status = options.status
  }

  /** The HTTP status to answer. */
  get status(): number {
    return this.#status ?? codes[this.code].status
  }

  /** The error as it goes on the wire: no stack, no cause. */
  toBody(): ErrorBody {
    const body: Record<string, unknown> = { code: this.code, message: this.message, executed: this.executed }
    if (this.reason !== undefined) body['reason'] = this.reason
    if (this.#status !== undefined) body['status'] = this.#status
    if (this.retryAfterMs !== undefined) body['retryAfterMs'] = this.retryAfterMs
    if (this.isExhausted) body['isExhausted'] = true
    if (this.isOverloaded) body['isOverloaded'] = true
    if (this.issues !== undefined) body['issues'] = this.issues
    if (this.data !== undefined) body['data'] = this.data
    // Built field by field, so that absent ones are absent in JSON too.
    return body as unknown as ErrorBody
  }

  /** Rebuilds the error a callee answered with; anything malformed becomes code `unknown`. */
  static fromBody(value: unknown): FlotillaError {
    const body = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
    if (!isCode(body['code'])) {
      return new FlotillaError(
        'unknown',
        'The callee answered with an error this version cannot read.',
        {},
        true,
      )
    }
    const options: ErrorOptions = {
      executed: body['executed'] === 'no' ? 'no' : 'maybe',
      reason: typeof body['reason'] === 'string' ? body['reason'] : undefined,
      status: isErrorStatus(body['status']) ? body['status'] : undefined,
      retryAfterMs: isWait(body['retryAfterMs']) ? body['retryAfterMs'] : undefined,
      isExhausted: body['isExhausted'] === true,
      isOverloaded: body['isOverloaded'] === true,
      issues: Array.isArray(body['issues']) ? body['issues'].filter(isIssue) : undefined,
      data: body['data'],
    }
    return new FlotillaError(
      body['code'],
      typeof body['message'] === 'string' ? body['message'] : '',
      options,
      true,
    )
  }
}

function isErrorStatus(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 400 && (value as number) <= 599
}

function isWait(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isFinite(value)
}

function isIssue(value: unknown): value is Issue {
  const issue = value as Partial<Issue> | null
  return typeof issue === 'object' && typeof issue?.pointer === 'string' && typeof issue.message === 'string'
}

/** The error as whoever called sees it: a callee's, without stack and cause, though it may have crossed no process. */
export function asCallees(error: FlotillaError): FlotillaError {
  return FlotillaError.fromBody(error.toBody())
}

/** Recognises a `FlotillaError`, also one made by another copy of this package in the same process. */
export function isFlotillaError(error: unknown): error is FlotillaError {
  return error instanceof Error && error.name === 'FlotillaError' && 'executed' in error
}

/**
 * True when making the same call again is hopeful (the code is transient and nobody below used up the
 * retries) and safe (the work never started, or the call is idempotent).
 *
 * @example A refused call may be made again, a lost one only if idempotent.
 * ```ts
 * import { FlotillaError, isRetryable } from '@flotilla/core/error'
 * assert.equal(isRetryable(new FlotillaError('unavailable', 'full', { executed: 'no' }), false), true)
 * assert.equal(isRetryable(new FlotillaError('unavailable', 'lost'), false), false)
 * assert.equal(isRetryable(new FlotillaError('unavailable', 'lost'), true), true)
 * ```
 */
export function isRetryable(error: FlotillaError, isIdempotent: boolean): boolean {
  return codes[error.code].isTransient && !error.isExhausted && (error.executed === 'no' || isIdempotent)
}

/**
 * The error a service shows to *its* caller when `error` escapes a handler.
 *
 * A reason the operation declares passes as it is, and so does an error the handler made itself, unless it is
 * `internal`: its text is for the log. What a callee further down answered becomes our own `unavailable` or
 * `internal`: whether *that* call may be repeated says nothing about repeating ours, and its text may tell
 * secrets. Never claims `executed: 'no'`: our handler ran.
 *
 * @source Finagle's `FailureFlags.ShowMask`: retryability holds for one hop only.
 */
export function asSeenUpstream(
  error: unknown,
  declaredReasons: Readonly<Record<string, unknown>>,
): FlotillaError {
  if (!isFlotillaError(error)) return new FlotillaError('internal', 'Internal error.', { cause: error })
  const isDeclared = error.reason !== undefined && Object.hasOwn(declaredReasons, error.reason)
  const isSecret = error.code === 'internal' || error.code === 'unknown'
  if (!isDeclared && !error.isRemote && isSecret) {
    return new FlotillaError('internal', 'Internal error.', { cause: error })
  }
  if (isDeclared || (!error.isRemote && error.reason === undefined)) {
    return new FlotillaError(error.code, error.message, {
      ...error.toBody(),
      executed: 'maybe',
      cause: error,
    })
  }
  const { isTransient, title } = codes[error.code]
  // Whoever stands next to the failing callee had the retries: a second layer of them would multiply the load.
  const isExhausted = isTransient
  if (error.code === 'deadline_exceeded' || error.code === 'canceled') {
    return new FlotillaError(error.code, `${title}.`, { isExhausted, cause: error })
  }
  return new FlotillaError(
    isTransient ? 'unavailable' : 'internal',
    'A service this one depends on failed.',
    { isExhausted, retryAfterMs: error.retryAfterMs, cause: error },
  )
}
