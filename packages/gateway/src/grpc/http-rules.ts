/**
 * What `google.api.http` says of a method: which requests mean it. Pure.
 *
 * @source google/api/http.proto
 * @module
 */
import type { Fields } from './shape.ts'

/** Requests that mean a method. */
export interface HttpRule {
  /** Undefined: it is of another kind. */
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH' | undefined
  /** A template of `google.api.http`. */
  readonly path: string
  /** The field that the body is, or `*` for all that the path does not say; undefined: there is no body. */
  readonly body: string | undefined
  /** The field of the answer that is its body; undefined: the whole. */
  readonly response: string | undefined
}

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'] as const

/** All rules of an annotation, the additional ones too. */
export function rulesOf(annotation: Fields): readonly HttpRule[] {
  const { body, response_body: response, additional_bindings: more = [] } = annotation
  const method = METHODS.find((one) => textOf(annotation[one.toLowerCase()]) !== undefined)
  return [
    {
      method,
      path: method === undefined ? '' : String(annotation[method.toLowerCase()]),
      body: textOf(body),
      response: textOf(response),
    },
    ...(Array.isArray(more) ? more : [more]).flatMap((one) => rulesOf(one as Fields)),
  ]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
