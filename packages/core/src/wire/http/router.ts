/**
 * Which operation a method and path mean.
 *
 * @module
 */
import createFindMyWay, { type HTTPMethod } from 'find-my-way'
import type { Operation } from '../../contract/operation.ts'
import { pathPrefix } from '../../contract/route.ts'

/** A hit. */
export interface RouteMatch {
  readonly operation: Operation
  /** Path parameters, percent-decoded. */
  readonly parameters: Readonly<Record<string, string | undefined>>
}

/** Finds operations. */
export interface Router {
  /** `path` without query string. */
  find(method: string, path: string): RouteMatch | undefined
  /** Methods that do exist for a path; empty when the path is unknown. */
  allowedMethods(path: string): readonly string[]
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const PARAMETER_LENGTH_MAX = 200

/** Builds a router over the operations that have a route. */
export function createRouter(operations: readonly Operation[]): Router {
  const tree = createFindMyWay({ caseSensitive: true, maxParamLength: PARAMETER_LENGTH_MAX })
  for (const operation of operations) {
    if (operation.rest === undefined) continue
    const path = (apiPrefix(operation) + operation.rest.path).replace(/\{([^}]+)\}/g, ':$1')
    tree.on(operation.rest.method as HTTPMethod, path, () => {}, operation)
  }
  const find = (method: string, path: string): RouteMatch | undefined => {
    const hit = tree.find(method as HTTPMethod, path)
    return hit === null ? undefined : { operation: hit.store as Operation, parameters: hit.params }
  }
  return { find, allowedMethods: (path) => METHODS.filter((method) => find(method, path) !== undefined) }
}

/** What stands before an operation's path: `/api/v1`, or nothing for paths at the root. */
export function apiPrefix(operation: Operation): string {
  return pathPrefix(operation.version, operation.rest?.isAtRoot)
}
