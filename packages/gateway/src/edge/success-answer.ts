/**
 * The answer to a call that did not fail, as the contract of its operation wants it.
 *
 * @module
 */
import { entityTag, statusOf } from '@flotilla/core/rest'
import type { Reply } from '@flotilla/core/wire'
import { type Answer, emptyAnswer, namesTag } from './answer.ts'
import type { Route } from './route.ts'

/**
 * @param isKnown whether it is known who asks: they may see more than others, so what they get is for no shared cache
 * @param changed what the operator has made of the body; undefined: nothing
 */
export function successAnswer(
  { operation, cacheControl: ofAll, cacheControlOfUsers }: Route,
  ifNoneMatch: string | undefined,
  reply: Reply,
  isKnown: boolean,
  changed?: unknown,
): Answer {
  const rest = operation.rest as NonNullable<Route['operation']['rest']>
  const { etag, acceptedWhile } = rest
  const headers = reply.isReplayed ? ['idempotent-replayed', 'true'] : []
  if (rest.status === 204) return emptyAnswer(204, headers)
  const body = changed === undefined ? (reply.json ?? JSON.stringify(reply.output)) : JSON.stringify(changed)
  const cacheControl = isKnown ? cacheControlOfUsers : ofAll
  // Where the answer has to be looked into, its bytes are read.
  const isLookedInto = etag !== undefined || acceptedWhile !== undefined
  const output = (isLookedInto ? reply.value : {}) as Readonly<Record<string, unknown>>
  if (etag !== undefined) {
    const tag = entityTag(output[etag], body)
    headers.push('etag', tag)
    const isUnchanged = operation.kind === 'query' && namesTag(ifNoneMatch, tag)
    if (isUnchanged) return { ...emptyAnswer(304, headers), cacheControl }
  }
  return { status: statusOf(rest, output), contentType: 'application/json', body, cacheControl, headers }
}
