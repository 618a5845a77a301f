/**
 * Answers as bytes: status, the headers every answer has, the body.
 *
 * @module
 */
import { codes } from '@flotilla/core/code'
import type { FlotillaError } from '@flotilla/core/error'
import { PROBLEM_TYPE, problemOf } from '@flotilla/core/problem'
import type { Reply } from '@flotilla/core/wire'
import type { Turn } from '../http/turn.ts'

/** What an answer consists of. */
export interface Answer {
  readonly status: number
  readonly contentType: string | undefined
  readonly body: string | Uint8Array
  readonly cacheControl: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
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
  if (status === 401) all.push('www-authenticate', 'Bearer')
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

/** What every answer has: names and values in turn. */
export function commonHeaders(requestId: string, traceparent: string): string[] {
  return ['x-request-id', requestId, 'traceparent', traceparent, 'x-content-type-options', 'nosniff']
}

/** The headers of an answer with what the operator adds and takes away; a field that is there already is replaced. */
export function withHeaders(
  own: readonly string[],
  general: readonly string[],
  { set = none, remove = [] }: HeaderChanges = {},
): readonly string[] {
  if (general.length === 0 && set === none && remove.length === 0) return own
  const fields = new Map<string, string>()
  for (const headers of [own, general, Object.entries(set).flat()]) {
    for (let index = 0; index < headers.length; index += 2)
      fields.set((headers[index] as string).toLowerCase(), headers[index + 1] as string)
  }
  for (const name of remove) fields.delete(name.toLowerCase())
  return [...fields].flat()
}

/** Sends it; returns how many bytes the body has. */
export function send(turn: Turn, answer: Answer, requestId: string, traceparent: string): number {
  const { status, contentType, body, cacheControl, headers } = answer
  const all = [...commonHeaders(requestId, traceparent), 'cache-control', cacheControl, ...headers]
  if (contentType !== undefined) all.push('content-type', contentType)
  turn.answer(status, all, body)
  return Buffer.byteLength(body)
}

/** The output of a call that did not fail, read if it came as bytes. */
export function outputOf({ json, output }: Reply): Readonly<Record<string, unknown>> {
  return (json === undefined ? output : JSON.parse(Buffer.from(json).toString('utf8'))) as Record<
    string,
    unknown
  >
}

/** Does If-None-Match name `tag`? Weakly, as RFC 9110 wants it here: proxies mark tags of answers they compress. */
export function namesTag(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((one) => [tag, `W/${tag}`, '*'].includes(one.trim()))
}
