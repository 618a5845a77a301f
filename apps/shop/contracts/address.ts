/**
 * Where a parcel goes.
 *
 * @module
 */
import { type Static, Type } from '@flotilla/core/schema'
import { personal } from '@flotilla/core/sensitive'

const Line = Type.String({ minLength: 1, maxLength: 100 })

/** A postal address. The postcode is text: there are some with letters, spaces and leading zeros. No log has one. */
export const Address = Type.Object(
  {
    name: Line,
    line1: Line,
    line2: Type.Optional(Type.String({ maxLength: 100 })),
    postcode: Type.String({ minLength: 1, maxLength: 16 }),
    city: Line,
    /** ISO 3166-1, two letters. */
    country: Type.String({ pattern: '^[A-Z]{2}$' }),
  },
  { ...personal, title: 'Address' },
)

/** An address as a value. */
export type Address = Static<typeof Address>
