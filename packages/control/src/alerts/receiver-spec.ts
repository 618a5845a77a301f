/**
 * How those who are told of alerts are written in a file.
 *
 * @module
 */
import { closed, type Static, Type } from '@flotilla/core/schema'
import { Duration } from './duration.ts'
import { severities } from './rule.ts'
import { NAME_PATTERN } from './rule-spec.ts'

const shared = {
  /** Default all. */
  severities: Type.Optional(Type.Array(Type.Enum([...severities]), { minItems: 1 })),
  /** How long until what still fires is told again; default 4h. */
  repeat: Type.Optional(Duration),
}

const Address = Type.String({ maxLength: 254, pattern: '^[^@\\s]+@[^@\\s]+$' })

const Receiver = Type.Object({
  ...shared,
  webhook: Type.Optional(
    Type.Object({
      url: Type.String({ maxLength: 2_000, pattern: '^https?://[^\\s]+$' }),
      headers: Type.Optional(
        Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]{1,64}$' }), Type.String({ maxLength: 4_000 }), {
          additionalProperties: false,
          maxProperties: 10,
        }),
      ),
    }),
  ),
  mail: Type.Optional(
    Type.Object({
      /** With user and password, if it wants any. */
      smtp: Type.String({ maxLength: 2_000, pattern: '^smtps?://[^\\s]+$' }),
      from: Address,
      to: Type.Array(Address, { minItems: 1, maxItems: 20 }),
    }),
  ),
})

/** Who is told, and how. One with both is told by both, or is told again. */
export type ReceiverSpec = Static<typeof Receiver>

/** All receivers of a file. */
export const ReceiverSpecs = closed(
  Type.Record(Type.String({ pattern: NAME_PATTERN }), Receiver, {
    additionalProperties: false,
    maxProperties: 20,
  }),
)
