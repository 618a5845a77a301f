/**
 * The headers and cookies of operations in an OpenAPI document, and what they leave of a body.
 *
 * @module
 */
import { cookieName } from './cookie.ts'
import type { Operation } from './operation.ts'
import type { Rest } from './route.ts'
import type { JsonSchema, TSchema } from './schema.ts'

/** What is read of the schema of an input. */
export interface ObjectSchema {
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
}

/** The fields of an input. */
export const fieldsOf = ({ input }: Operation): Readonly<Record<string, TSchema>> =>
  (input as ObjectSchema).properties ?? {}
/** Must the field be there? */
export const isRequired = (schema: TSchema, name: string): boolean =>
  (schema as ObjectSchema).required?.includes(name) ?? false

/** As `entityTag` makes it. */
const ETAG: JsonSchema = { type: 'string', pattern: '^"[0-9]{1,15}(-[A-Za-z0-9_-]{8})?"$' }

/** Headers of a request. */
export function describeHeaders(
  operation: Operation,
  { ifMatch, prefer, browsing, provenKey }: Rest,
): object[] {
  const { idempotency } = operation
  const headers: object[] = []
  if (idempotency === 'key' || idempotency === 'key_required') {
    headers.push({
      name: 'Idempotency-Key',
      in: 'header',
      ...(idempotency === 'key_required' ? { required: true } : {}),
      description:
        'Of your choice, new for every command: sent again with the same key, it is not done again.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    })
  }
  if (ifMatch !== undefined) {
    headers.push({
      name: 'If-Match',
      in: 'header',
      ...(isRequired(operation.input, ifMatch) ? { required: true } : {}),
      description: 'The ETag of the version that is to be changed.',
      schema: ETAG,
    })
  }
  if (browsing !== undefined && Object.hasOwn(fieldsOf(operation), browsing.cookie)) {
    headers.push({
      name: cookieName(operation.service, browsing.cookie),
      in: 'cookie',
      description:
        'What an earlier answer told the browser to keep. Over TLS its name begins with `__Host-`.',
      schema: { type: 'string' },
    })
  }
  if (provenKey !== undefined) {
    headers.push({
      name: 'DPoP',
      in: 'header',
      description:
        'A proof that the client holds a key (RFC 9449): what the answer gives is bound to it. Absent: to none.',
      schema: { type: 'string' },
    })
  }
  if (prefer !== undefined) {
    const { maximum } = fieldsOf(operation)[prefer] as { maximum?: number }
    headers.push({
      name: 'Prefer',
      in: 'header',
      description: `\`wait=<seconds>\`: how long to wait for the end, ${maximum} at most. Absent: the answer comes at once.`,
      schema: { type: 'string' },
      example: 'wait=10',
    })
  }
  return headers
}

/** Headers of the answers of an operation that is going to go. */
function describeEnd({ deprecated }: Operation): object {
  if (deprecated === undefined) return {}
  const text: JsonSchema = { type: 'string' }
  const { sunset, successor } = deprecated
  return {
    Deprecation: { description: 'Since when nobody should begin to use it (RFC 9745).', schema: text },
    ...(sunset === undefined
      ? {}
      : { Sunset: { description: 'From when on it may be gone (RFC 8594).', schema: text } }),
    ...(successor === undefined
      ? {}
      : { Link: { description: 'What to ask instead: `rel="successor-version"`.', schema: text } }),
  }
}

/** Headers of an answer, as a part of its description. */
export function describeAnswerHeaders(operation: Operation, { etag, prefer, browsing }: Rest): object {
  const headers = {
    ...(etag === undefined
      ? {}
      : { ETag: { description: `The answer's ${etag}, and a check of its content.`, schema: ETAG } }),
    ...(browsing === undefined
      ? {}
      : { 'Set-Cookie': { description: 'For browsers to keep.', schema: { type: 'string' } } }),
    ...(browsing?.location === undefined
      ? {}
      : { Location: { description: 'Where the browser goes on to.', schema: { type: 'string' } } }),
    ...(prefer === undefined
      ? {}
      : {
          'Preference-Applied': {
            description: 'How long the answer was waited for at most, if that was asked for.',
            schema: { type: 'string', pattern: '^wait=[0-9]+$' },
          },
        }),
    ...describeEnd(operation),
  }
  return Object.keys(headers).length === 0 ? {} : { headers }
}

/** What an answer has in its body: everything but what goes into a cookie. */
export function bodyOf({ output }: Operation, { browsing }: Rest): TSchema {
  if (browsing === undefined) return output
  const { properties = {}, required = [], ...others } = output as ObjectSchema & JsonSchema
  const { [browsing.cookie]: _, ...fields } = properties
  const named = required.filter((name) => name !== browsing.cookie)
  // A schema is plain JSON to everybody but the type system.
  return { ...others, properties: fields, required: named } as unknown as TSchema
}
