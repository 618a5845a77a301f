/**
 * Contracts as an OpenAPI document: what can be called over HTTP, with what, by whom, and what comes back.
 *
 * A request schema is as closed as the contract's: unknown fields are refused. A response schema is open, because a
 * later version may answer more. Schemas with a title are written once, in `components`, open; where a request uses
 * one, `unevaluatedProperties` closes it again.
 *
 * @source https://spec.openapis.org/oas/v3.1.1.html
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { codes } from '../kernel/code.ts'
import { FlotillaError } from '../kernel/error.ts'
import { describeAccess } from './access.ts'
import { type Contract, operationsOf } from './contract.ts'
import { describeDeprecation } from './deprecation.ts'
import {
  bodyOf,
  describeAnswerHeaders,
  describeHeaders,
  fieldsOf,
  isRequired,
  type ObjectSchema,
} from './openapi-headers.ts'
import type { Operation, Reason } from './operation.ts'
import { PROBLEM_TYPE } from './problem.ts'
import { ACCEPTED } from './rest.ts'
import { pathPrefix, type Rest } from './route.ts'
import { type JsonSchema, mapSchema, opened, type TSchema, Type, toJsonSchema } from './schema.ts'

/** What a document is made of. */
export interface OpenApiOptions {
  readonly title: string
  /** Of the API, such as `1.4.0`. */
  readonly version: string
  readonly description?: string
  readonly contracts: readonly Contract[]
  /** What stands before a path that is not at the root. Default `/api/v<version>`, by the operation's version. */
  readonly prefix?: (operation: Operation) => string
  /** Absent: the server the document came from. */
  readonly servers?: readonly { readonly url: string; readonly description?: string }[]
}

type JsonObject = Readonly<Record<string, unknown>>

/** An OpenAPI 3.1 document as plain JSON. */
export interface OpenApiDocument {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly servers?: OpenApiOptions['servers']
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  /** Operations by path and lower-case method. */
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly securitySchemes: JsonObject
  }
}

/**
 * Writes the document: every operation that has a route, in the order of declaration.
 *
 * @throws FlotillaError `invalid_argument` when two operations have one route, or two different schemas one title.
 *
 * @example
 * ```ts
 * import { anyone } from '@flotilla/core/access'
 * import { defineContract } from '@flotilla/core/contract'
 * import { openApiDocument } from '@flotilla/core/openapi'
 * import { query } from '@flotilla/core/operation'
 * import { Type } from '@flotilla/core/schema'
 * const greet = query({ summary: 'Greets.', access: anyone, http: 'GET /greeting', output: Type.String() })
 * const greeter = defineContract({ name: 'greeter', version: 1, summary: 'Says hello.', operations: { greet } })
 * const document = openApiDocument({ title: 'Greetings', version: '1.0.0', contracts: [greeter] })
 * assert.deepEqual(Object.keys(document.paths), ['/api/v1/greeting'])
 * ```
 */
export function openApiDocument(options: OpenApiOptions): OpenApiDocument {
  const { title, version, description, servers, contracts } = options
  const { prefix = (operation: Operation) => pathPrefix(operation.version) } = options
  const schemas = new Schemas()
  const paths = new Paths()
  for (const contract of contracts) {
    for (const operation of operationsOf(contract)) {
      const { rest } = operation
      if (rest === undefined) continue
      const path = rest.isAtRoot ? rest.path : `${prefix(operation)}${rest.path}`
      paths.add(path, rest, (names) => describeOperation(operation, rest, names, schemas))
    }
  }
  return {
    openapi: '3.1.1',
    info: { title, version, ...(description === undefined ? {} : { description }) },
    ...(servers === undefined ? {} : { servers }),
    tags: contracts.filter(hasRoute).map(({ name, summary }) => ({ name, description: summary })),
    paths: paths.all,
    components: { schemas: schemas.titled, securitySchemes: SECURITY_SCHEMES },
  }
}

/** The others are nobody's business outside. */
function hasRoute(contract: Contract): boolean {
  return operationsOf(contract).some(({ rest }) => rest !== undefined)
}

const SECURITY_SCHEMES: JsonObject = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'An access token, from logging in.',
  },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'X-API-Key',
    description: 'A key, perhaps limited to some scopes.',
  },
}

/** What every error answer looks like; the same as the type `Problem`. */
const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'A URN of the reason, or of the code where there is no reason.' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.Enum(Object.keys(codes)),
    reason: Type.Optional(Type.String({ description: "The operation's own word, one of its `x-reasons`." })),
    detail: Type.String(),
    traceId: Type.String({ description: 'Tells support which request it was.' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ pointer: Type.String(), message: Type.String() }), {
        description: 'For bad input: one entry a field, its place as a JSON pointer.',
      }),
    ),
    data: Type.Optional(Type.Unknown({ description: 'What the reason brings along.' })),
  },
  { title: 'Problem' },
)

/** The paths of a document. */
class Paths {
  readonly all: Record<string, Record<string, JsonObject>> = {}
  readonly #written = new Map<string, string>()

  /**
   * Adds an operation. Two paths that differ only in the names of their parameters are one to OpenAPI: the names
   * that came first stay, and `describe` gets them, in order.
   */
  add(path: string, rest: Rest, describe: (names: readonly string[]) => JsonObject): void {
    const shape = path.replace(/\{[^}]*\}/g, '{}')
    const written = this.#written.get(shape) ?? path
    this.#written.set(shape, written)
    const names = [...written.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name)
    const method = rest.method.toLowerCase()
    const methods = this.all[written] ?? {}
    if (Object.hasOwn(methods, method))
      throw refuse(`Two operations have the route ${rest.method} ${written}.`)
    methods[method] = describe(names.slice(names.length - rest.parameters.length))
    this.all[written] = methods
  }
}

/** The schemas of a document; those with a title are kept and referred to. */
class Schemas {
  readonly titled: Record<string, JsonSchema> = {}

  request(schema: TSchema): JsonSchema {
    return this.#write(toJsonSchema(schema))
  }

  response(schema: TSchema): JsonSchema {
    return this.#write(opened(toJsonSchema(schema)))
  }

  #write(schema: JsonSchema): JsonSchema {
    return mapSchema(schema as TSchema, (part) => {
      const { title, additionalProperties } = part
      if (typeof title !== 'string') return part
      const $ref = this.#keep(title, opened(part))
      return additionalProperties === false ? { $ref, unevaluatedProperties: false } : { $ref }
    }) as JsonSchema
  }

  #keep(title: string, schema: JsonSchema): string {
    const name = title.replace(/[^A-Za-z0-9._-]+/g, '_')
    const kept = Object.hasOwn(this.titled, name) ? this.titled[name] : undefined
    if (kept !== undefined && !isDeepStrictEqual(kept, schema)) {
      throw refuse(`Two schemas are titled ${title} and differ.`)
    }
    this.titled[name] = schema
    return `#/components/schemas/${name}`
  }
}

function refuse(message: string): FlotillaError {
  return new FlotillaError('invalid_argument', message, { executed: 'no' })
}

function describeOperation(
  operation: Operation,
  rest: Rest,
  pathNames: readonly string[],
  schemas: Schemas,
): JsonObject {
  const { id, service, summary, access, reasons, deprecated } = operation
  const going = deprecated === undefined ? '' : ` ${describeDeprecation(service, deprecated)}`
  const parameters = [
    ...describeFields(operation, rest, pathNames, schemas),
    ...describeHeaders(operation, rest),
  ]
  const requestBody = describeBody(operation, rest, schemas)
  return {
    operationId: id,
    summary,
    description: `For ${describeAccess(access)}.${going}`,
    ...(deprecated === undefined ? {} : { deprecated: true }),
    tags: [service],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: {
      ...describeAnswers(operation, rest, schemas),
      ...describeProblems(operation, rest, schemas),
    },
    // A key limited to scopes needs the one named here.
    security: access.kind === 'anyone' ? [] : [{ bearer: [] }, { apiKey: [operation.scope] }],
    ...(Object.keys(reasons).length > 0 ? { 'x-reasons': describeReasons(reasons) } : {}),
  }
}

/** True for a field that travels in the path or in a header. */
const isElsewhere = ({ parameters, ifMatch, prefer, browsing, provenKey }: Rest, name: string): boolean =>
  parameters.includes(name) || [ifMatch, prefer, browsing?.cookie, provenKey].includes(name)

/** The fields that travel in the path and in the query string. */
function describeFields(
  operation: Operation,
  rest: Rest,
  pathNames: readonly string[],
  schemas: Schemas,
): JsonObject[] {
  const fields = fieldsOf(operation)
  const inPath = rest.parameters.map((name, index) => ({
    name: pathNames[index],
    in: 'path',
    required: true,
    schema: schemas.request(fields[name] as TSchema),
  }))
  if (rest.hasBody) return inPath
  const others = Object.keys(fields).filter((name) => !isElsewhere(rest, name))
  const inQuery = others.map((name) => ({
    name,
    in: 'query',
    ...(isRequired(operation.input, name) ? { required: true } : {}),
    schema: schemas.request(fields[name] as TSchema),
  }))
  return [...inPath, ...inQuery]
}

/** The input without what travels elsewhere; undefined when nothing is left of it. */
function describeBody(operation: Operation, rest: Rest, schemas: Schemas): JsonObject | undefined {
  if (!rest.hasBody) return undefined
  // A title is that of the whole input.
  const { properties = {}, required = [], title, ...others } = operation.input as ObjectSchema & JsonSchema
  const isInBody = (name: string): boolean => !isElsewhere(rest, name)
  const fields = Object.entries(properties).filter(([name]) => isInBody(name))
  if (fields.length === 0) return undefined
  const requiredHere = required.filter(isInBody)
  const isWhole = fields.length === Object.keys(properties).length
  const body = {
    ...others,
    properties: Object.fromEntries(fields),
    ...(requiredHere.length > 0 ? { required: requiredHere } : {}),
  }
  // A schema is plain JSON to everybody but the type system.
  const schema = schemas.request((isWhole ? operation.input : body) as unknown as TSchema)
  return { required: requiredHere.length > 0, content: { 'application/json': { schema } } }
}

/** The answers that are no errors. */
function describeAnswers(operation: Operation, rest: Rest, schemas: Schemas): JsonObject {
  const { status, acceptedWhile } = rest
  const headers = describeAnswerHeaders(operation, rest)
  const location = rest.browsing?.location
  const elsewhere = location && { [status]: { description: 'The browser goes on elsewhere.', ...headers } }
  if (elsewhere && isRequired(operation.output, location)) return elsewhere
  if (status === 204) return { [status]: { description: 'Done.', ...headers } }
  const isStream = operation.kind === 'stream'
  const schema = schemas.response(bodyOf(operation, rest))
  const answer = (description: string): JsonObject => ({
    description,
    ...headers,
    content: { [isStream ? 'text/event-stream' : 'application/json']: { schema } },
  })
  const what = isStream ? 'Events; the data of each is one answer as JSON.' : 'The answer.'
  return {
    ...elsewhere,
    [location ? 200 : status]: answer(what),
    ...(acceptedWhile === undefined
      ? {}
      : {
          [ACCEPTED]: answer(
            `Accepted, and not at its end yet: \`${acceptedWhile.field}\` is \`${acceptedWhile.value}\`.`,
          ),
        }),
  }
}

/** One answer for every status an error may have, saying what it can mean. */
function describeProblems(operation: Operation, rest: Rest, schemas: Schemas): JsonObject {
  const meanings = new Map<number, string[]>()
  const add = (status: number, meaning: string): void => {
    meanings.set(status, [...(meanings.get(status) ?? []), meaning])
  }
  const { access, idempotency } = operation
  const takesInput = Object.keys(fieldsOf(operation)).length > 0 || idempotency === 'key_required'
  if (takesInput) add(400, codes.invalid_argument.title)
  if (access.kind !== 'anyone') {
    add(401, codes.unauthenticated.title)
    add(403, codes.permission_denied.title)
  }
  if (rest.ifMatch !== undefined && isRequired(operation.input, rest.ifMatch)) add(428, 'If-Match is missing')
  if (idempotency === 'key' || idempotency === 'key_required') {
    add(codes.aborted.status, 'A request with this Idempotency-Key is being processed')
    add(422, 'This Idempotency-Key was used with another request')
  }
  add(429, codes.resource_exhausted.title)
  add(503, codes.unavailable.title)
  add(504, codes.deadline_exceeded.title)
  for (const [name, reason] of Object.entries(operation.reasons)) {
    add(statusOf(reason), `\`${name}\`: ${reason.title}`)
  }
  const schema = schemas.response(ProblemSchema)
  return Object.fromEntries(
    [...meanings].map(([status, lines]) => [
      status,
      { description: lines.join('\n\n'), content: { [PROBLEM_TYPE]: { schema } } },
    ]),
  )
}

const statusOf = ({ code, status }: Reason): number => status ?? codes[code].status

function describeReasons(reasons: Operation['reasons']): JsonObject {
  return Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => {
      return [name, { code: reason.code, status: statusOf(reason), title: reason.title }]
    }),
  )
}
