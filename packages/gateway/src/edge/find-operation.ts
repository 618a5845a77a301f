/**
 * Which operation a request means, and what may be asked of a path.
 *
 * @module
 */
import type { RouteMatch } from '@flotilla/core/router'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, emptyAnswer } from './answer.ts'
import type { Edge } from './equipment.ts'

/** The operation; undefined when there is none that takes this method at this path. */
export function findOperation(edge: Edge, method: string, path: string): RouteMatch | undefined {
  const hit = edge.router.find(method === 'HEAD' ? 'GET' : method, path)
  // A stream has no end that its length could be told of, and a command is not to be carried out for who only looks.
  return method !== 'HEAD' || hit?.operation.kind === 'query' ? hit : undefined
}

/**
 * What is answered to OPTIONS: to a browser of an allowed origin what it needs to know, to others what may be asked; undefined when there
 * is nothing at this path.
 */
export function optionsAnswer(edge: Edge, head: RequestHead, isCors: boolean): Answer | undefined {
  const { corsMethod } = head
  const allowed = allowedMethods(edge, head)
  if (allowed === undefined) return undefined
  if (corsMethod === undefined || !isCors) return emptyAnswer(204, ['allow', allowed])
  return emptyAnswer(204, [
    'access-control-allow-methods',
    allowed,
    'access-control-allow-headers',
    'Authorization, Content-Type, DPoP, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Api-Key, X-Request-Id',
    'access-control-max-age',
    String(edge.policies.now.corsMaxAgeS),
  ])
}

/** The methods that this path takes, as the field `Allow` names them; undefined when there is nothing at it. */
export function allowedMethods({ router, pages, policies }: Edge, head: RequestHead): string | undefined {
  const { path } = head
  const methods = pages(path) === undefined ? router.allowedMethods(path) : ['GET']
  const kind = router.find('GET', path)?.operation.kind ?? 'query'
  const withHead = methods.includes('GET') && kind === 'query' ? ['HEAD', ...methods] : methods
  const all = new Set(['OPTIONS', ...withHead, ...policies.now.routes.methodsOfGrpc(head)])
  return all.size === 1 ? undefined : [...all].join(', ')
}
