/**
 * How much of what is there.
 *
 * @module
 */
import { anyone, role, service } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { type Static, Type } from '@flotilla/core/schema'
import { Sku } from './catalog.ts'
import { staleVersion, Version } from './versioning.ts'

/** The stock of one SKU: `available = onHand - reserved - safety`, never below 0. */
const Stock = Type.Object(
  {
    sku: Sku,
    onHand: Type.Integer({ minimum: 0 }),
    reserved: Type.Integer({ minimum: 0 }),
    available: Type.Integer({ minimum: 0 }),
    version: Version,
  },
  { title: 'Stock' },
)

/** Stock as a value. */
export type Stock = Static<typeof Stock>

/** The inventory contract. */
export const inventory = defineContract({
  name: 'inventory',
  version: 1,
  summary: 'Stock.',
  operations: {
    stock: query({
      summary: 'The stock of one SKU.',
      access: anyone,
      http: { route: 'GET /stock/{sku}', etag: 'version' },
      input: Type.Object({ sku: Sku }),
      output: Stock,
      reasons: { no_stock: { code: 'not_found', title: 'Nothing is known of this SKU' } },
    }),
    availability: query({
      summary: 'How many of each SKU can be sold; unknown ones are left out.',
      access: service('catalog', 'cart', 'search', 'gateway'),
      input: Type.Object({ skus: Type.Array(Sku, { maxItems: 100 }) }),
      output: Type.Object({
        items: Type.Array(Type.Object({ sku: Sku, available: Type.Integer({ minimum: 0 }) })),
      }),
    }),
    setStock: command({
      summary: 'Counts the stock of a SKU anew; the difference is booked as an adjustment.',
      access: role('admin'),
      http: { route: 'PUT /stock/{sku}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({
        sku: Sku,
        onHand: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
        /** Absent: whatever is there. */
        version: Type.Optional(Version),
      }),
      output: Stock,
      reasons: {
        ...staleVersion,
        below_reserved: { code: 'failed_precondition', status: 409, title: 'More than that is reserved' },
      },
    }),
  },
})
