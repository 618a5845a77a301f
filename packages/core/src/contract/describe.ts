/**
 * A contract as plain JSON: what `flotilla contracts` shows, what is committed beside the code, and what a later
 * version is compared with. Equal contracts give equal text, in whatever order their parts were declared.
 *
 * @module
 */
import type { Criticality } from '../kernel/context.ts'
import type { Access } from './access.ts'
import { type Contract, operationsOf } from './contract.ts'
import type { Deprecation } from './deprecation.ts'
import type { EventType } from './event.ts'
import type { Cacheability, Idempotency, Kind, Operation, Reason } from './operation.ts'
import type { AcceptedWhile, Browsing, Method, Rest } from './route.ts'
import { type JsonSchema, mapSchema, type TSchema, toJsonSchema } from './schema.ts'

/** A contract; every record is sorted by name. */
export interface ContractDescription {
  readonly name: string
  readonly version: number
  readonly summary: string
  readonly operations: Readonly<Record<string, OperationDescription>>
  readonly events: Readonly<Record<string, EventDescription>>
}

/** An operation, with everything its declaration left to a default filled in. */
export interface OperationDescription {
  readonly kind: Kind
  readonly summary: string
  readonly access: Access
  /** Absent: reachable for services only. */
  readonly rest?: RestDescription
  readonly input: JsonSchema
  readonly output: JsonSchema
  readonly reasons: Readonly<Record<string, Reason>>
  readonly criticality: Criticality
  readonly timeoutMs: number
  readonly idempotency: Idempotency
  /** Absent: not to be stored by anybody. */
  readonly cache?: Cacheability
  /** Absent: it stays. */
  readonly deprecated?: Deprecation
}

/** A route. */
export interface RestDescription {
  readonly method: Method
  readonly path: string
  readonly status: number
  readonly isAtRoot: boolean
  /** API version in the path; absent: the contract's. */
  readonly version?: number
  readonly ifMatch?: string
  readonly prefer?: string
  readonly acceptedWhile?: AcceptedWhile
  readonly etag?: string
  readonly browsing?: Browsing
  readonly provenKey?: string
}

/** An event. */
export interface EventDescription {
  readonly version: number
  readonly key: string
  readonly summary: string
  readonly data: JsonSchema
}

/** Describes `contract`. */
export function describeContract(contract: Contract): ContractDescription {
  const operations = operationsOf(contract).map((operation) => [operation.name, operation] as const)
  return {
    name: contract.name,
    version: contract.version,
    summary: contract.summary,
    operations: sorted(operations, (operation) => describeOperation(operation, contract.version)),
    events: sorted(Object.entries<EventType>(contract.events), describeEvent),
  }
}

function describeOperation(operation: Operation, contractVersion: number): OperationDescription {
  const { rest, cache, version, deprecated } = operation
  const own = version === contractVersion ? undefined : version
  return {
    kind: operation.kind,
    summary: operation.summary,
    access: describeRule(operation.access),
    ...(rest === undefined ? {} : { rest: describeRest(rest, own) }),
    input: canonical(operation.input),
    output: canonical(operation.output),
    reasons: sorted(Object.entries(operation.reasons), ({ code, status, title }) => {
      return { code, ...(status === undefined ? {} : { status }), title }
    }),
    criticality: operation.criticality,
    timeoutMs: operation.timeoutMs,
    idempotency: operation.idempotency,
    ...(cache === undefined ? {} : { cache: { maxAgeS: cache.maxAgeS, scope: cache.scope } }),
    ...(deprecated === undefined ? {} : { deprecated: describeEnd(deprecated) }),
  }
}

function describeEnd({ since, sunset, successor }: Deprecation): Deprecation {
  return {
    since,
    ...(sunset === undefined ? {} : { sunset }),
    ...(successor === undefined ? {} : { successor }),
  }
}

function describeRule(access: Access): Access {
  switch (access.kind) {
    case 'anyone':
    case 'user':
      return { kind: access.kind }
    case 'role':
      return { kind: 'role', roles: access.roles.toSorted() }
    case 'service':
      return { kind: 'service', services: access.services === 'any' ? 'any' : access.services.toSorted() }
  }
}

function describeRest(rest: Rest, version: number | undefined): RestDescription {
  const { method, path, status, isAtRoot, ifMatch, prefer, acceptedWhile, etag, browsing, provenKey } = rest
  return {
    method,
    path,
    status,
    isAtRoot,
    ...(version === undefined ? {} : { version }),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(prefer === undefined ? {} : { prefer }),
    ...(acceptedWhile === undefined
      ? {}
      : { acceptedWhile: { field: acceptedWhile.field, value: acceptedWhile.value } }),
    ...(etag === undefined ? {} : { etag }),
    ...(browsing === undefined ? {} : { browsing: { ...browsing } }),
    ...(provenKey === undefined ? {} : { provenKey }),
  }
}

function describeEvent({ version, key, summary, data }: EventType): EventDescription {
  return { version, key, summary, data: canonical(data) }
}

/** The schema with its keys in order, and its required fields too, whose order means nothing. */
function canonical(schema: TSchema): JsonSchema {
  const ordered = mapSchema(toJsonSchema(schema) as TSchema, (part) => {
    const { required } = part
    return Array.isArray(required) ? { ...part, required: required.toSorted() } : part
  })
  return sortKeys(ordered) as JsonSchema
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return sorted(Object.entries(value), sortKeys)
}

function sorted<T, R>(
  entries: readonly (readonly [string, T])[],
  change: (value: T) => R,
): Record<string, R> {
  const inOrder = entries.toSorted(([one], [other]) => (one < other ? -1 : 1))
  return Object.fromEntries(inOrder.map(([name, value]) => [name, change(value)]))
}
