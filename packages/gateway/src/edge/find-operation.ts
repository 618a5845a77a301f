/**
 * Which operation a request means, and what may be asked of a path.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { RouteMatch } from '@flotilla/core/router'
import type { RequestHead } from '../match/request-head.ts'
import { type Answer, emptyAnswer } from './answer.ts'
import type { Edge } from './equipment.ts'

/**
 * The operation, or, where the path does not take this method, the methods it takes, as the field `Allow` names them.
 *
 * @throws FlotillaError `not_found` when there is nothing at this path.
 */
export function findOperation(
  edge: Edge,
  method: string,
  path: string,
): RouteMatch | { readonly allowed: string } {
  const hit = edge.router.find(method === 'HEAD' ? 'GET' : method, path)
  // A stream has no end that its length could be told of.
  if (hit !== undefined && !(method === 'HEAD' && hit.operation.kind === 'stream')) return hit
  return { allowed: allowedMethods(edge, path) }
}

/** What is answered to OPTIONS: to a browser of an allowed origin what it needs to know, to others what may be asked. */
export function optionsAnswer(edge: Edge, { path, corsMethod }: RequestHead, isCors: boolean): Answer {
  const allowed = allowedMethods(edge, path)
  if (corsMethod === undefined || !isCors) return emptyAnswer(204, ['allow', allowed])
  return emptyAnswer(204, [
    'access-control-allow-methods',
    allowed,
    'access-control-allow-headers',
    'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Prefer, X-Api-Key, X-Request-Id',
    'access-control-max-age',
    String(edge.policies.corsMaxAgeS),
  ])
}

function allowedMethods({ router, pages }: Edge, path: string): string {
  const methods = pages(path) === undefined ? router.allowedMethods(path) : ['GET']
  if (methods.length === 0)
    throw new FlotillaError('not_found', 'There is nothing at this path.', { executed: 'no' })
  const isStream = router.find('GET', path)?.operation.kind === 'stream'
  const withHead = methods.includes('GET') && !isStream ? ['HEAD', ...methods] : methods
  return ['OPTIONS', ...withHead].join(', ')
}
