/**
 * What `google.api.http` says of a method: which requests mean it. Pure.
 *
 * @source google/api/http.proto
 * @module
 */
import type { Fields } from './shape.ts'

/** Requests that mean a method. */
export interface HttpRule {
  readonly method: string
  /** A template of `google.api.http`. */
  readonly path: string
  /** The field that the body is, or `*` for all that the path does not say; undefined: there is no body. */
  readonly body: string | undefined
  /** The field of the answer that is its body; undefined: the whole. */
  readonly response: string | undefined
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const

/** All rules of an annotation, the additional ones too. One of another kind has the method ''. */
export function rulesOf(annotation: Fields): readonly HttpRule[] {
  const { body, response_body: response, additional_bindings: more = [] } = annotation
  const verb = METHODS.find((method) => typeof annotation[method] === 'string')
  return [
    {
      method: verb?.toUpperCase() ?? '',
      path: verb === undefined ? '' : String(annotation[verb]),
      body: textOf(body),
      response: textOf(response),
    },
    ...(Array.isArray(more) ? more : [more]).flatMap((one) => rulesOf(one as Fields)),
  ]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
