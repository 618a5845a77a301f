/**
 * What a service promises, as one value: operations, events, a version. Importing it starts nothing, so callers,
 * the gateway, the command line and the documentation all read the same one.
 *
 * @module
 */
import { FlotillaError } from '../kernel/error.ts'
import { describeAccess } from './access.ts'
import { pathMistakes, tagMistakes } from './cache-tags.ts'
import { deprecationMistakes } from './deprecation.ts'
import { type EventSpec, type EventType, nameEvent } from './event.ts'
import type { Kind, Operation, OperationSpec, Reasons } from './operation.ts'
import { isRoute, ownVersion, parseRest, pathPrefix, type Rest, type RestSpec } from './route.ts'
import { closed, issuesIn, lazyCheck, type TSchema } from './schema.ts'

/** Operations by name, as declared. */
export type OperationSpecs = Readonly<Record<string, OperationSpec>>

/** Events by name. */
export type EventSpecs = Readonly<Record<string, EventSpec>>

type NamedEvent<E> = E extends EventSpec<infer D> ? EventType<D> : never

type Named<S> = S extends OperationSpec<infer I, infer O, infer R, infer K> ? Operation<I, O, R, K> : never

/** A contract. */
export interface Contract<S extends OperationSpecs = OperationSpecs, E extends EventSpecs = EventSpecs> {
  readonly name: string
  /** Major version: part of the path at the gateway (`/api/v1`) of all operations that name none of their own. */
  readonly version: number
  readonly summary: string
  readonly operations: { readonly [K in keyof S]: Named<S[K]> }
  readonly events: { readonly [K in keyof E]: NamedEvent<E[K]> }
}

/** What `defineContract` takes. */
export interface ContractSpec<S extends OperationSpecs, E extends EventSpecs> {
  /** Lower case, digits and dashes; also the name of the service, its database and its role. */
  readonly name: string
  readonly version: number
  readonly summary: string
  readonly operations: S
  readonly events?: E
}

const CONTRACT_NAME = /^[a-z][a-z0-9-]{0,30}$/
const MEMBER_NAME = /^[a-z][A-Za-z0-9]{0,40}$/

/**
 * Declares a contract.
 *
 * @throws FlotillaError `invalid_argument` listing everything wrong with it: an operation without an access rule,
 *   a path parameter that is not an input field, two operations on one route, a reason with no code …
 *
 * @example
 * ```ts
 * import { anyone } from '@flotilla/core/access'
 * import { defineContract } from '@flotilla/core/contract'
 * import { query } from '@flotilla/core/operation'
 * import { Type } from '@flotilla/core/schema'
 * const greeter = defineContract({
 *   name: 'greeter',
 *   version: 1,
 *   summary: 'Says hello.',
 *   operations: {
 *     greet: query({
 *       summary: 'Greets one person.',
 *       access: anyone,
 *       http: 'GET /greetings/{name}',
 *       input: Type.Object({ name: Type.String({ maxLength: 50 }) }),
 *       output: Type.Object({ text: Type.String() }),
 *     }),
 *   },
 * })
 * assert.equal(greeter.operations.greet.id, 'greeter.greet')
 * assert.deepEqual(greeter.operations.greet.checkInput({}), [{ pointer: '/name', message: 'is required' }])
 * ```
 */
export function defineContract<
  const S extends OperationSpecs,
  const E extends EventSpecs = Record<never, EventSpec>,
>(spec: ContractSpec<S, E>): Contract<S, E> {
  const mistakes = mistakesOf(spec)
  if (mistakes.length > 0) {
    throw new FlotillaError('invalid_argument', `Contract ${spec.name}: ${mistakes.join('; ')}.`, {
      executed: 'no',
    })
  }
  const operations: Record<string, Operation> = {}
  for (const [name, operation] of Object.entries(spec.operations)) {
    operations[name] = nameOperation(spec.name, spec.version, name, operation)
  }
  return {
    name: spec.name,
    version: spec.version,
    summary: spec.summary,
    operations: operations as Contract<S, E>['operations'],
    events: nameEvents(spec.name, spec.events ?? {}) as Contract<S, E>['events'],
  }
}

function nameOperation(service: string, version: number, name: string, spec: OperationSpec): Operation {
  const input = closed(spec.input)
  const output = closed(spec.output)
  return {
    ...spec,
    input,
    output,
    service,
    version: ownVersion(spec.http) ?? version,
    name,
    id: `${service}.${name}`,
    scope: `${service}:${spec.kind === 'command' ? 'write' : 'read'}`,
    rest: spec.http === undefined ? undefined : parseRest(spec.http, spec.kind === 'command'),
    isIdempotent: spec.idempotency === 'natural',
    checkInput: lazyCheck(input),
    checkOutput: lazyCheck(output),
  }
}

function nameEvents(service: string, specs: EventSpecs): Record<string, EventType> {
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, nameEvent(service, name, spec)]),
  )
}

function mistakesOf(spec: ContractSpec<OperationSpecs, EventSpecs>): string[] {
  const mistakes: string[] = []
  if (!CONTRACT_NAME.test(spec.name)) mistakes.push('its name must match [a-z][a-z0-9-]*')
  if (!Number.isInteger(spec.version) || spec.version < 1)
    mistakes.push('its version must be a whole number from 1')
  const routes = new Map<string, string>()
  const hasRoute = (name: string): boolean | undefined =>
    Object.hasOwn(spec.operations, name) ? spec.operations[name]?.http !== undefined : undefined
  for (const [name, operation] of Object.entries(spec.operations)) {
    mistakes.push(...operationMistakes(name, operation).map((mistake) => `${name} ${mistake}`))
    const { deprecated } = operation
    if (deprecated !== undefined) {
      const its = deprecationMistakes(name, deprecated, hasRoute)
      mistakes.push(...its.map((mistake) => `${name} ${mistake}`))
    }
    const route = routeKey(operation, spec.version)
    const other = route === undefined ? undefined : routes.get(route)
    if (other !== undefined) mistakes.push(`${name} has the same route as ${other}`)
    if (route !== undefined) routes.set(route, name)
  }
  for (const [name, event] of Object.entries(spec.events ?? {})) {
    mistakes.push(...eventMistakes(name, event).map((mistake) => `event ${name} ${mistake}`))
  }
  return mistakes
}

function eventMistakes(name: string, { version, key, data, upcasts = {} }: EventSpec): string[] {
  const mistakes: string[] = []
  if (!MEMBER_NAME.test(name)) mistakes.push('must be named in camelCase')
  if (!Number.isInteger(version) || version < 1) mistakes.push('needs a version from 1')
  if (!Object.hasOwn(propertiesOf(data), key)) mistakes.push(`has no field ${key} to be its key`)
  for (const from of Object.keys(upcasts).map(Number)) {
    if (from < 1 || from >= version) mistakes.push(`has no version ${from} to upcast`)
  }
  return mistakes
}

/** Two paths that differ only in parameter names are one route; in two API versions they are two. */
function routeKey({ http, kind }: OperationSpec, contractVersion: number): string | undefined {
  if (http === undefined || !isRoute(http)) return undefined
  const { method, path, isAtRoot } = parseRest(http, kind === 'command')
  const prefix = pathPrefix(ownVersion(http) ?? contractVersion, isAtRoot)
  return `${method} ${prefix}${path.replace(/\{[^}]*\}/g, '{}')}`
}

function operationMistakes(name: string, operation: OperationSpec): string[] {
  const mistakes: string[] = []
  if (!MEMBER_NAME.test(name)) mistakes.push('must be named in camelCase')
  // The types require it too; JavaScript callers and casts do not.
  if ((operation.access as unknown) === undefined) mistakes.push('has no access rule')
  if ((operation.input as { type?: unknown }).type !== 'object') mistakes.push('must take an object')
  for (const [reason, { code }] of Object.entries(operation.reasons)) {
    if (!/^[a-z][a-z0-9_]*$/.test(reason)) mistakes.push(`names reason ${reason}, which is not snake_case`)
    if ((code as unknown) === undefined) mistakes.push(`gives reason ${reason} no code`)
  }
  mistakes.push(...cacheMistakes(operation))
  if (operation.http !== undefined) mistakes.push(...restMistakes(operation))
  return mistakes
}

function cacheMistakes({ cache, changes, access, input, output }: OperationSpec): string[] {
  const mistakes = tagMistakes([...(cache?.tags ?? []), ...changes], input, output)
  if (cache === undefined) return mistakes
  const { scope, exceptRoles, tags, partialIfNull = [] } = cache
  mistakes.push(...pathMistakes(partialIfNull, output))
  // What everybody is given must be what anyone may have.
  const isForAll = scope === 'everyone' || tags !== undefined
  if (isForAll && access?.kind !== 'anyone')
    mistakes.push('has answers that are kept for everybody, and not everybody may call it')
  if (scope === 'private' && tags !== undefined) mistakes.push('has private answers, which nobody keeps')
  if (scope !== 'everyone' && exceptRoles !== undefined)
    mistakes.push('excepts roles from everyone, and its answers are not for everyone')
  return mistakes
}

function restMistakes(operation: OperationSpec): string[] {
  const http = operation.http as RestSpec
  if (!isRoute(http)) return ["has a route that is not like 'GET /things/{id}'"]
  const mistakes = versionMistakes(http)
  const fields = propertiesOf(operation.input)
  const rest = parseRest(http, operation.kind === 'command')
  if (new Set(rest.parameters).size < rest.parameters.length) mistakes.push('names a path parameter twice')
  for (const name of rest.parameters) {
    if (!Object.hasOwn(fields, name)) mistakes.push(`has {${name}} in its path and no such input field`)
  }
  if (rest.ifMatch !== undefined && !Object.hasOwn(fields, rest.ifMatch)) {
    mistakes.push(`takes If-Match as ${rest.ifMatch}, which is no input field`)
  }
  mistakes.push(...preferMistakes(rest, operation), ...acceptedMistakes(rest, operation))
  if (rest.etag !== undefined && !Object.hasOwn(propertiesOf(operation.output), rest.etag)) {
    mistakes.push(`gives ${rest.etag} as ETag, which is no output field`)
  }
  if (operation.access?.kind === 'service') {
    mistakes.push(
      `has a route, but its access rule (${describeAccess(operation.access)}) keeps everybody outside away`,
    )
  }
  mistakes.push(...browsingMistakes(rest, operation), ...provenKeyMistakes(rest, operation))
  const isSafe = rest.method === 'GET'
  // Whom a link leads to a command has been there before: it keeps a cookie of it.
  const isLink = isSafe && rest.browsing !== undefined
  if (!isLink && isSafe !== ((operation.kind satisfies Kind) !== 'command')) {
    mistakes.push(`is a ${operation.kind} and cannot be a ${rest.method}`)
  }
  return mistakes
}

function versionMistakes(http: RestSpec): string[] {
  const version = ownVersion(http)
  if (version === undefined) return []
  if (!Number.isSafeInteger(version) || version < 1)
    return ['has an API version that is no whole number from 1']
  const isAtRoot = typeof http === 'object' && http.isAtRoot
  return isAtRoot ? ['has an API version, and a path at the root, which shows none'] : []
}

/** A wait without a bound, or one that clients must ask for, is none. */
function preferMistakes({ prefer, parameters, ifMatch }: Rest, operation: OperationSpec): string[] {
  if (prefer === undefined) return []
  const { properties = {}, required = [] } = operation.input as ObjectSchema
  const { type, minimum, maximum } = (properties[prefer] ?? {}) as Readonly<Record<string, unknown>>
  const isBounded = type === 'integer' && minimum === 0 && typeof maximum === 'number'
  const mistakes: string[] = []
  if (!isBounded || required.includes(prefer)) {
    mistakes.push(
      `takes Prefer as ${prefer}, which is no optional input field of whole numbers from 0 to a maximum`,
    )
  }
  if (parameters.includes(prefer) || ifMatch === prefer) mistakes.push(`takes ${prefer} from two places`)
  if (operation.kind !== 'command') mistakes.push('takes Prefer, and only a command is waited for')
  return mistakes
}

function browsingMistakes(
  { browsing, parameters, ifMatch, prefer }: Rest,
  operation: OperationSpec,
): string[] {
  if (browsing === undefined) return []
  const { cookie, maxAgeS, location } = browsing
  const { properties = {}, required = [] } = operation.input as ObjectSchema
  const given = propertiesOf(operation.output)
  const isText = (schema: TSchema | undefined): boolean => (schema as { type?: unknown })?.type === 'string'
  const mistakes: string[] = []
  const isTaken = Object.hasOwn(properties, cookie)
  if ((isTaken && !isText(properties[cookie])) || required.includes(cookie) || !isText(given[cookie]))
    mistakes.push(
      `keeps ${cookie} in a cookie, which is no text of its output, or no optional one of its input`,
    )
  if (parameters.includes(cookie) || ifMatch === cookie || prefer === cookie)
    mistakes.push(`takes ${cookie} from two places`)
  if (!Number.isInteger(maxAgeS) || maxAgeS < 1)
    mistakes.push('keeps a cookie for no whole number of seconds')
  if (location !== undefined && !isText(given[location]))
    mistakes.push(`leads to ${location}, which is no text of its output`)
  if (operation.kind === 'stream') mistakes.push('is a stream, and leads no browser anywhere')
  if (operation.kind === 'query' && operation.cache !== undefined)
    mistakes.push('gives a cookie, and its answers are kept')
  return mistakes
}

function provenKeyMistakes(
  { provenKey, parameters, ifMatch, prefer, browsing }: Rest,
  { input }: OperationSpec,
): string[] {
  if (provenKey === undefined) return []
  const { properties = {}, required = [] } = input as ObjectSchema
  const { type } = (properties[provenKey] ?? {}) as { type?: unknown }
  const mistakes: string[] = []
  if (type !== 'string' || required.includes(provenKey))
    mistakes.push(`takes a proven key as ${provenKey}, which is no optional text of its input`)
  if ([...parameters, ifMatch, prefer, browsing?.cookie].includes(provenKey))
    mistakes.push(`takes ${provenKey} from two places`)
  return mistakes
}

function acceptedMistakes({ acceptedWhile, status }: Rest, operation: OperationSpec): string[] {
  if (acceptedWhile === undefined) return []
  const { field, value } = acceptedWhile
  const schema = propertiesOf(operation.output)[field]
  const mistakes: string[] = []
  if (schema === undefined || issuesIn(schema, value) !== undefined) {
    mistakes.push(`is accepted while ${field} is ${value}, which no output is`)
  }
  if (operation.kind !== 'command' || status === NO_CONTENT)
    mistakes.push('is accepted for a while, and only a command that answers something can be')
  return mistakes
}

const NO_CONTENT = 204

interface ObjectSchema {
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
}

function propertiesOf(schema: TSchema): Readonly<Record<string, TSchema>> {
  return (schema as ObjectSchema).properties ?? {}
}

/** Every operation of `contract`, in the order of declaration. */
export function operationsOf(contract: Contract): readonly Operation[] {
  return Object.values(contract.operations as Readonly<Record<string, Operation>>)
}

/** Any contract's reasons, gathered: what a caller of several operations may meet. */
export function reasonsOf(contract: Contract): Reasons {
  return Object.assign({}, ...operationsOf(contract).map((operation) => operation.reasons)) as Reasons
}
