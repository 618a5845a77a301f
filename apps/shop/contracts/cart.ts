/**
 * What a user is about to buy.
 *
 * @module
 */
import { service, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, Nothing, type Static, Time, Type } from '@flotilla/core/schema'
import { Sku } from './catalog.ts'
import { CouponCode, refusals } from './coupons.ts'
import { staleVersion } from './versioning.ts'

/** The most of one SKU in a cart. */
export const QUANTITY_MAX = 99

/** Grows with every change; 0 while there never was anything in the cart. */
const CartVersion = Type.Integer({ minimum: 0 })

const Quantity = Type.Integer({ minimum: 1, maximum: QUANTITY_MAX })

const priced = {
  sku: Sku,
  productId: Id,
  name: Type.String(),
  quantity: Quantity,
  unitPrice: Money,
  lineTotal: Money,
}

const Line = Type.Object(
  {
    ...priced,
    /** False when the product was taken out of the catalog since; such a line does not count. */
    isAvailable: Type.Boolean(),
  },
  { title: 'CartLine' },
)

/** What the coupon does at this moment; it is asked about anew at every reading. */
const AttachedCoupon = Type.Object(
  {
    /** In upper case. */
    code: CouponCode,
    /** 0 while it does not hold. */
    discount: Money,
    freeShipping: Type.Boolean(),
    /** Why it does not hold, for people. Absent: it does. */
    note: Type.Optional(Type.String()),
  },
  { title: 'CartCoupon' },
)

/** A cart: prices are the shop's at the moment of reading, never the client's. */
export const Cart = Type.Object(
  {
    id: Id,
    lines: Type.Array(Line),
    /** `total = subtotal - discount`; what shipping costs is told when it is known where to. */
    totals: Type.Object({
      items: Type.Integer({ minimum: 0 }),
      subtotal: Money,
      discount: Money,
      total: Money,
    }),
    /** Absent: there is none. */
    coupon: Type.Optional(AttachedCoupon),
    version: CartVersion,
    updatedAt: Time,
    /** Thirty days after the last change. */
    expiresAt: Time,
  },
  { title: 'Cart' },
)

/** A cart as a value. */
export type Cart = Static<typeof Cart>

/** A cart as an order is made of it: only what can be bought. */
const Checkout = Type.Object(
  {
    cartId: Id,
    version: CartVersion,
    /** The category decides about the tax. */
    lines: Type.Array(Type.Object({ ...priced, category: Type.String() }), { minItems: 1 }),
    subtotal: Money,
    /** Null: there is none, or it does not hold. */
    coupon: Type.Union([
      Type.Object({ code: CouponCode, discount: Money, freeShipping: Type.Boolean() }),
      Type.Null(),
    ]),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  },
  { title: 'Checkout' },
)

/** What is to be ordered as a value. */
export type Checkout = Static<typeof Checkout>

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
  other_currency: {
    code: 'failed_precondition',
    status: 409,
    title: 'What is in the cart has another currency; order this by itself',
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
      input: Type.Object({ sku: Sku, quantity: Quantity, version: Type.Optional(CartVersion) }),
      output: Cart,
      reasons: { ...reasons, ...limits },
    }),
    setItem: command({
      summary: 'Sets how many of something are in your cart.',
      access: user,
      http: { route: 'PUT /cart/items/{sku}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ sku: Sku, quantity: Quantity, version: Type.Optional(CartVersion) }),
      output: Cart,
      reasons: { ...reasons, ...limits },
    }),
    removeItem: command({
      summary: 'Takes something out of your cart; quiet when it is not there.',
      access: user,
      http: { route: 'DELETE /cart/items/{sku}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ sku: Sku, version: Type.Optional(CartVersion) }),
      output: Cart,
      reasons: staleVersion,
    }),
    clear: command({
      summary: 'Empties your cart.',
      access: user,
      http: { route: 'DELETE /cart', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ version: Type.Optional(CartVersion) }),
      output: Cart,
      reasons: staleVersion,
    }),
    attachCoupon: command({
      summary: 'Puts a coupon on your cart, in place of another one.',
      access: user,
      http: { route: 'POST /cart/coupon', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ code: CouponCode, version: Type.Optional(CartVersion) }),
      output: Cart,
      reasons: { ...staleVersion, ...refusals },
    }),
    removeCoupon: command({
      summary: 'Takes the coupon off your cart; quiet when there is none.',
      access: user,
      http: { route: 'DELETE /cart/coupon', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ version: Type.Optional(CartVersion) }),
      output: Cart,
      reasons: staleVersion,
    }),
    checkout: query({
      summary: "The user's cart as an order is made of it.",
      access: service('orders'),
      output: Checkout,
      reasons: {
        cart_empty: {
          code: 'failed_precondition',
          status: 409,
          title: 'There is nothing in the cart that can be bought',
        },
      },
    }),
    ordered: command({
      summary: 'Takes what was ordered out of a cart, once per order; what is left is a new cart.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({
        cartId: Id,
        /** The version that was checked out. */
        version: CartVersion,
        orderId: Id,
        /** What was ordered, as `checkout` told it. */
        lines: Type.Array(Type.Object({ sku: Sku, quantity: Quantity }), { maxItems: 50 }),
      }),
      output: Nothing,
    }),
  },
})
