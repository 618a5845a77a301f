/**
 * The way of a request to the cache and back: what it asks in the cache's words, and what came of it as an answer.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { readInput } from '@flotilla/core/rest'
import type { RouteMatch } from '@flotilla/core/router'
import { cacheKey } from '../cache/cache-key.ts'
import type { Asked } from '../cache/flight.ts'
import { BYPASS, type Outcome } from '../cache/outcome.ts'
import { readWishes } from '../cache/wishes.ts'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, emptyAnswer, namesTag } from './answer.ts'
import type { Route } from './route.ts'

/** What the exchange adds to what the request says. */
export interface Asker extends Pick<Asked, 'client' | 'requestId' | 'trace'> {
  readonly user: User | undefined
  readonly parameters: RouteMatch['parameters']
}

/** Is told what came of it. Without an outcome: it is as if there were no cache, and this is the field `Cache-Status`. */
export interface OnKept {
  bypassed(status: string): void
  answered(outcome: Outcome): void
}

/**
 * Asks the cache; false when the request is to go on as if there were none. The input of an answer that is kept was read when it was
 * made.
 *
 * @throws FlotillaError when what is asked cannot be read, or is kept only if it were there.
 */
export function askCache({ kept, operation }: Route, head: RequestHead, asker: Asker, on: OnKept): boolean {
  if (kept === undefined) return false
  const { parameters, user, client, requestId, trace } = asker
  if (!kept.serves(user)) {
    on.bypassed(BYPASS)
    return false
  }
  const { search } = head
  const rest = { parameters, search, ifMatch: undefined, prefer: undefined, body: undefined }
  const asked: Asked = {
    key: cacheKey(operation, parameters, search),
    wishes: readWishes(head.cacheControl),
    input: () => readInput(operation, rest),
    client,
    requestId,
    trace,
  }
  kept.ask(asked, (outcome) => on.answered(outcome))
  return true
}

/** The answer that was kept, or 304 for who has it. */
export function keptAnswer(
  { cacheControl }: Route,
  { ifNoneMatch }: RequestHead,
  { entry, ageS }: Extract<Outcome, { error?: undefined }>,
): Answer {
  const { etag, body } = entry
  const headers = ['etag', etag, 'age', String(ageS)]
  if (namesTag(ifNoneMatch, etag)) return { ...emptyAnswer(304, headers), cacheControl }
  return { status: 200, contentType: 'application/json', body, cacheControl, headers, same: entry }
}
