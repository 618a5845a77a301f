/**
 * What the answers of an operation that is going to go say of that, whatever they are: RFC 9745, RFC 8594, RFC 5829. It changes nothing
 * else, also after the day of its end: to refuse it is the operator's to say.
 *
 * @source https://www.rfc-editor.org/rfc/rfc9745
 * @source https://www.rfc-editor.org/rfc/rfc8594
 * @module
 */
import { httpDate } from '@flotilla/core/clock'
import type { Contract } from '@flotilla/core/contract'
import { dayMs } from '@flotilla/core/deprecation'
import type { Operation } from '@flotilla/core/operation'
import { apiPrefix, type RouteMatch } from '@flotilla/core/router'

/** Gives the fields of an answer, names and values in turn, by the parameters of the path that was asked for. */
export type DeprecationFields = (parameters: RouteMatch['parameters']) => readonly string[]

/** What makes the fields; undefined for an operation that stays. */
export function deprecationFieldsOf(
  { deprecated, service }: Operation,
  contracts: readonly Contract[],
): DeprecationFields | undefined {
  if (deprecated === undefined) return undefined
  const { since, sunset, successor } = deprecated
  const fields = ['deprecation', `@${dayMs(since) / 1_000}`]
  if (sunset !== undefined) fields.push('sunset', httpDate(dayMs(sunset)))
  if (successor === undefined) return () => fields
  const operations = contracts.find(({ name }) => name === service)?.operations
  const pathOf = successorPath(operations?.[successor] as Operation)
  return (parameters) => {
    const path = pathOf(parameters)
    return path === undefined ? fields : [...fields, 'link', `<${path}>; rel="successor-version"`]
  }
}

/** The path of what to ask instead; undefined where its parameters are others. */
function successorPath(operation: Operation): (parameters: RouteMatch['parameters']) => string | undefined {
  const template = `${apiPrefix(operation)}${operation.rest?.path}`
  const names = operation.rest?.parameters ?? []
  return (parameters) => {
    if (names.some((name) => parameters[name] === undefined)) return undefined
    // What is encoded cannot end the link.
    return template.replace(/\{([^}]+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? ''))
  }
}
