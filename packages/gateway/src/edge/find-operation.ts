/**
 * Which operation a request means, and what may be asked of a path.
 *
 * @module
 */
import type { RouteMatch } from '@flotilla/core/router'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, emptyAnswer } from './answer.ts'
import type { Edge } from './equipment.ts'

/**
 * The operation; where the path does not take this method, the methods it takes, as the field `Allow` names them; undefined when there is
 * nothing at this path.
 */
export function findOperation(
  edge: Edge,
  method: string,
  path: string,
): RouteMatch | { readonly allowed: string } | undefined {
  const hit = edge.router.find(method === 'HEAD' ? 'GET' : method, path)
  // A stream has no end that its length could be told of, and a command is not to be carried out for who only looks.
  if (hit !== undefined && (method !== 'HEAD' || hit.operation.kind === 'query')) return hit
  const allowed = allowedMethods(edge, path, [])
  return allowed === undefined ? undefined : { allowed }
}

/**
 * What is answered to OPTIONS: to a browser of an allowed origin what it needs to know, to others what may be asked; undefined when there
 * is nothing at this path.
 */
export function optionsAnswer(edge: Edge, head: RequestHead, isCors: boolean): Answer | undefined {
  const { path, corsMethod } = head
  const allowed = allowedMethods(edge, path, edge.policies.now.routes.methodsOfGrpc(head))
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

function allowedMethods(
  { router, pages }: Edge,
  path: string,
  ofGrpc: readonly string[],
): string | undefined {
  const methods = pages(path) === undefined ? router.allowedMethods(path) : ['GET']
  const kind = router.find('GET', path)?.operation.kind ?? 'query'
  const withHead = methods.includes('GET') && kind === 'query' ? ['HEAD', ...methods] : methods
  const all = new Set(['OPTIONS', ...withHead, ...ofGrpc])
  return all.size === 1 ? undefined : [...all].join(', ')
}
