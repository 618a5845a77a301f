/**
 * What a user is about to buy.
 *
 * @module
 */
import { user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, type Static, Time, Type } from '@flotilla/core/schema'
import { Sku } from './catalog.ts'
import { staleVersion } from './versioning.ts'

/** The most of one SKU in a cart. */
export const QUANTITY_MAX = 99

/** A cart that is not there yet has version 0, and an ETag like any other. */
const Version = Type.Integer({ minimum: 0 })

const Quantity = Type.Integer({ minimum: 1, maximum: QUANTITY_MAX })

const Line = Type.Object(
  {
    sku: Sku,
    productId: Id,
    name: Type.String(),
    quantity: Quantity,
    unitPrice: Money,
    lineTotal: Money,
    /** False when the product was taken out of the catalog since; such a line does not count. */
    isAvailable: Type.Boolean(),
  },
  { title: 'CartLine' },
)

/** A cart: prices are the shop's at the moment of reading, never the client's. */
export const Cart = Type.Object(
  {
    id: Id,
    lines: Type.Array(Line),
    totals: Type.Object({ items: Type.Integer({ minimum: 0 }), subtotal: Money }),
    version: Version,
    updatedAt: Time,
    /** Thirty days after the last change. */
    expiresAt: Time,
  },
  { title: 'Cart' },
)

/** A cart as a value. */
export type Cart = Static<typeof Cart>

const reasons = {
  ...staleVersion,
  no_product: { code: 'not_found', title: 'There is no such product' },
} as const

const limits = {
  too_many: {
    code: 'failed_precondition',
    status: 409,
    title: `A cart takes ${QUANTITY_MAX} of one product and 50 products`,
  },
} as const

/** The cart contract. */
export const cart = defineContract({
  name: 'cart',
  version: 1,
  summary: 'Shopping carts.',
  operations: {
    get: query({
      summary: 'Your cart; an empty one if you have none.',
      access: user,
      http: { route: 'GET /cart', etag: 'version' },
      output: Cart,
    }),
    addItem: command({
      summary: 'Puts something into your cart; what is there of it already is added up.',
      access: user,
      http: { route: 'POST /cart/items', ifMatch: 'version', etag: 'version' },
      idempotency: 'key',
      input: Type.Object({ sku: Sku, quantity: Quantity, version: Type.Optional(Version) }),
      output: Cart,
      reasons: { ...reasons, ...limits },
    }),
    setItem: command({
      summary: 'Sets how many of something are in your cart.',
      access: user,
      http: { route: 'PUT /cart/items/{sku}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ sku: Sku, quantity: Quantity, version: Type.Optional(Version) }),
      output: Cart,
      reasons: { ...reasons, ...limits },
    }),
    removeItem: command({
      summary: 'Takes something out of your cart; quiet when it is not there.',
      access: user,
      http: { route: 'DELETE /cart/items/{sku}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ sku: Sku, version: Type.Optional(Version) }),
      output: Cart,
      reasons: staleVersion,
    }),
    clear: command({
      summary: 'Empties your cart.',
      access: user,
      http: { route: 'DELETE /cart', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ version: Type.Optional(Version) }),
      output: Cart,
      reasons: staleVersion,
    }),
  },
})
