/**
 * Changes of JSON bodies, as data: declared steps, each done to what the one before has left. Pure.
 *
 * Places are JSON pointers (RFC 6901) in which `*` stands for every element of an array. A step about a place that is not there does
 * nothing.
 *
 * @module
 */
import type { User } from '@flotilla/core/caller'
import { type Static, Type } from '@flotilla/core/schema'

const Place = Type.String({
  pattern: '^(?:/(?:[^~/]|~0|~1)+)+$',
  maxLength: 500,
  description: 'a JSON pointer; * stands for every element',
})
const Name = Type.String({ minLength: 1, maxLength: 100 })
/** What the gateway knows of a request. */
const KNOWN = ['user.id', 'user.roles', 'user.tier', 'address', 'requestId'] as const

/** One step. */
export const Step = Type.Union([
  Type.Object({ rename: Type.Object({ at: Place, to: Name }) }),
  Type.Object({ drop: Place }),
  Type.Object({ add: Type.Object({ at: Place, value: Type.Unknown() }) }),
  Type.Object({
    tell: Type.Object({ at: Place, of: Type.Enum(KNOWN, { description: 'null where it is not known' }) }),
  }),
  Type.Object({
    enrich: Type.Object({
      at: Place,
      from: Type.String({ description: 'a query, as service.operation' }),
      input: Type.Record(Type.String(), Name, {
        description: 'fields of its input, and which field beside `at` each is',
      }),
    }),
  }),
  Type.Object({ envelope: Name }),
  Type.Object({ unwrap: Name }),
])

/** One step. */
export type Step = Static<typeof Step>

/** Fields of an object. */
export type Fields = Record<string, unknown>

/** What is known of the request. */
export interface Known {
  readonly user: User | undefined
  readonly address: string
  readonly requestId: string
}

/** The value after all steps but those that ask for more; `value` itself stays as it is. */
export function transform(steps: readonly Step[], value: unknown, known: Known): unknown {
  let its: unknown = structuredClone(value)
  for (const step of steps) {
    if ('envelope' in step) its = { [step.envelope]: its }
    else if ('unwrap' in step) its = isObject(its) && Object.hasOwn(its, step.unwrap) ? its[step.unwrap] : its
    else if ('drop' in step) eachParent(its, step.drop, (parent, name) => void delete parent[name])
    else if ('rename' in step) {
      const { at, to } = step.rename
      eachParent(its, at, (parent, name) => {
        if (!Object.hasOwn(parent, name) || name === to) return
        put(parent, to, parent[name])
        delete parent[name]
      })
    } else if ('tell' in step) {
      const { at, of } = step.tell
      eachParent(its, at, (parent, name) => put(parent, name, knownAs(of, known)))
    } else if ('add' in step) {
      const { at, value: added } = step.add
      eachParent(its, at, (parent, name) => put(parent, name, structuredClone(added)))
    }
  }
  return its
}

function knownAs(of: (typeof KNOWN)[number], { user, address, requestId }: Known): unknown {
  switch (of) {
    case 'user.id':
      return user?.id ?? null
    case 'user.roles':
      return user?.roles ?? null
    case 'user.tier':
      return user?.tier ?? null
    case 'address':
      return address
    case 'requestId':
      return requestId
  }
}

/** A field like any other, whatever its name. */
export function put(parent: Fields, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true })
}

/** Visits the objects that have, or could have, the last part of `place`. */
export function eachParent(
  root: unknown,
  place: string,
  visit: (parent: Fields, name: string) => void,
): void {
  const parts = place
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const name = parts.pop() as string
  const walk = (value: unknown, depth: number): void => {
    if (depth === parts.length) {
      if (isObject(value)) visit(value, name)
      return
    }
    const part = parts[depth] as string
    if (part === '*' && Array.isArray(value)) for (const one of value) walk(one, depth + 1)
    else if (isObject(value) && Object.hasOwn(value, part)) walk(value[part], depth + 1)
  }
  walk(root, 0)
}

/** True for what has fields. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
