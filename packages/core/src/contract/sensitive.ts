/**
 * Fields that must not be written anywhere but where they belong: a schema says so where it declares them.
 *
 * A field is known by its name, wherever it stands in what is logged: code passes values on in shapes of its own. So a name that means other
 * things elsewhere (`name`) is not to be marked; the field around it (`shippingAddress`) is, with all that is in it.
 *
 * @module
 */
import { type Contract, operationsOf } from './contract.ts'
import type { JsonSchema } from './schema.ts'
import { mapSchema, type TSchema } from './schema.ts'

const KEYWORD = 'x-sensitive'

/** Option of a schema: gives power to whoever has it, as a password does. */
export const secret = { [KEYWORD]: 'secret' } as const

/** Option of a schema: tells of a person, as an address does. */
export const personal = { [KEYWORD]: 'personal' } as const

/**
 * Names of the fields that a contract marks.
 *
 * @example
 * ```ts
 * import { anyone } from '@flotilla/core/access'
 * import { defineContract } from '@flotilla/core/contract'
 * import { query } from '@flotilla/core/operation'
 * import { Nothing, Type } from '@flotilla/core/schema'
 * import { personal, secret, sensitiveFields } from '@flotilla/core/sensitive'
 * const input = Type.Object({
 *   pin: Type.String({ ...secret, maxLength: 4 }),
 *   home: Type.Optional(Type.Object({ street: Type.String() }, personal)),
 *   floor: Type.Integer(),
 * })
 * const open = query({ summary: 'Opens.', access: anyone, input, output: Nothing })
 * const door = defineContract({ name: 'door', version: 1, summary: 'A door.', operations: { open } })
 * assert.deepEqual([...sensitiveFields(door)], ['pin', 'home'])
 * ```
 */
export function sensitiveFields(contract: Contract): ReadonlySet<string> {
  const names = new Set<string>()
  const collect = (part: JsonSchema): JsonSchema => {
    for (const [name, field] of Object.entries((part['properties'] ?? {}) as Record<string, JsonSchema>))
      if (KEYWORD in field) names.add(name)
    return part
  }
  const schemas: readonly TSchema[] = [
    ...operationsOf(contract).flatMap(({ input, output }) => [input, output]),
    ...Object.values(contract.events).map(({ data }) => data),
  ]
  for (const schema of schemas) mapSchema(schema, collect)
  return names
}
