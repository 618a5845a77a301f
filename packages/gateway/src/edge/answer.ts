/**
 * Answers as bytes: status, the headers every answer has, the body.
 *
 * @module
 */
import { codes } from '@flotilla/core/code'
import type { FlotillaError } from '@flotilla/core/error'
import { PROBLEM_TYPE, problemOf } from '@flotilla/core/problem'
import { PROOF_ALGORITHMS } from '../auth/proof.ts'
import { PROOF_REASONS } from '../auth/token-refusal.ts'

/** What an answer consists of. */
export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: string | Uint8Array
  readonly cacheControl: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  /** Answers with the same one have the same body. Absent: it is for one request. */
  readonly same?: object
}

const nothing: readonly string[] = []
const none: Readonly<Record<string, string>> = {}

/** What the operator changes. */
export interface HeaderChanges {
  readonly set?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}

/** An answer that nobody may store. */
export function privateAnswer(
  status: number,
  contentType: string,
  body: string | Uint8Array,
  headers = nothing,
): Answer {
  return { status, contentType, body, cacheControl: 'no-store', headers }
}

/** An answer without a body. */
export function emptyAnswer(status: number, headers = nothing): Answer {
  return { status, contentType: undefined, body: '', cacheControl: 'no-store', headers }
}

/** The answer that tells of an error. Its text is for people outside: what is the matter inside is for the logs. */
export function errorAnswer(error: FlotillaError, traceId: string, headers = nothing): Answer {
  const { code, reason, status } = error
  const all = [...headers]
  const isInside = code === 'unavailable' && reason === undefined
  const retryAfterMs = error.retryAfterMs ?? (isInside ? 0 : undefined)
  if (retryAfterMs !== undefined) all.push('retry-after', String(Math.max(1, Math.ceil(retryAfterMs / 1000))))
  if (status === 401) all.push('www-authenticate', challengeOf(error))
  const problem = problemOf(error, traceId)
  const told = isInside
    ? { ...problem, detail: 'This is not available right now; try again in a moment.' }
    : problem
  return privateAnswer(status, PROBLEM_TYPE, JSON.stringify(told), all)
}

/** A problem from nothing but a status, for requests that never became calls and so have no trace. */
export function plainProblem(status: number, detail: string): string {
  const code = status >= 500 ? 'unimplemented' : 'invalid_argument'
  return JSON.stringify({
    type: `urn:flotilla:code:${code}`,
    title: codes[code].title,
    status,
    code,
    detail,
  })
}

const ofProofs: readonly (string | undefined)[] = Object.values(PROOF_REASONS)

/** How to come. @source RFC 6750, 3; RFC 9449, 7.1 */
function challengeOf({ reason, isRemote }: FlotillaError): string {
  if (isRemote || !ofProofs.includes(reason)) return 'Bearer'
  return `DPoP error="${reason}", algs="${PROOF_ALGORITHMS.join(' ')}"`
}

/** What every answer has: names and values in turn. */
export function commonHeaders(requestId: string, traceparent: string): string[] {
  return ['x-request-id', requestId, 'traceparent', traceparent, 'x-content-type-options', 'nosniff']
}

/** What an answer says of itself: names and values in turn. */
export function fieldsOf({ cacheControl, contentType, headers }: Answer): readonly string[] {
  const type = contentType === undefined ? nothing : ['content-type', contentType]
  return ['cache-control', cacheControl, ...type, ...headers]
}

/**
 * The headers of an answer with what the operator wants of all, and of this one: what they set stands in place of what was there, and
 * what they remove is nowhere. All others stay, also those that are there several times.
 */
export function withHeaders(
  own: readonly string[],
  general: readonly string[],
  { set = none, remove = nothing }: HeaderChanges = {},
): readonly string[] {
  if (general.length === 0 && set === none && remove.length === 0) return own
  const wanted = new Map([...pairsOf(general), ...pairsOf(Object.entries(set).flat())])
  const gone = new Set(remove.map((name) => name.toLowerCase()))
  const kept = pairsOf(own).filter(([name]) => !wanted.has(name))
  return [...kept, ...wanted].filter(([name]) => !gone.has(name)).flat()
}

function pairsOf(headers: readonly string[]): (readonly [name: string, value: string])[] {
  const pairs: (readonly [string, string])[] = []
  for (let index = 0; index < headers.length; index += 2)
    pairs.push([(headers[index] as string).toLowerCase(), headers[index + 1] as string])
  return pairs
}

/** Does If-None-Match name `tag`? Weakly, as RFC 9110 wants it here: proxies mark tags of answers they compress. */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((one) => [tag, `W/${tag}`, '*'].includes(one.trim()))
}
