/**
 * Codes that make an order cheaper.
 *
 * @module
 */
import { role, service } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, Nothing, Page, paging, type Static, Time, Type } from '@flotilla/core/schema'

/** As people type it; upper and lower case are the same. */
export const CouponCode = Type.String({
  minLength: 2,
  maxLength: 40,
  pattern: '^[A-Za-z0-9][A-Za-z0-9-]*$',
})

const Currency = Type.String({ pattern: '^[A-Z]{3}$' })
const Amount = Type.Integer({ minimum: 0, maximum: 100_000_000 })
const Limit = Type.Integer({ minimum: 1, maximum: 1_000_000_000 })

/** What it takes off: a share of the subtotal, a fixed sum of it, or what the shipping costs. */
const Benefit = Type.Union([
  Type.Object({ kind: Type.Literal('percent'), percent: Type.Integer({ minimum: 1, maximum: 100 }) }),
  Type.Object({
    kind: Type.Literal('fixed'),
    amount: Type.Integer({ minimum: 1, maximum: 100_000_000 }),
  }),
  Type.Object({ kind: Type.Literal('free_shipping') }),
])

/** A benefit as a value. */
export type Benefit = Static<typeof Benefit>

/** What a coupon is worth, whatever is bought with it. */
const Terms = Type.Object(
  {
    /** In upper case. */
    code: CouponCode,
    benefit: Benefit,
    /** The least subtotal it holds for, in minor units; 0 for any. */
    minimum: Amount,
    /** Null: any. A fixed sum and a minimum have one. */
    currency: Type.Union([Currency, Type.Null()]),
  },
  { title: 'CouponTerms' },
)

/** Terms as a value. */
export type Terms = Static<typeof Terms>

const limits = {
  /** Null: as often as wanted. */
  limitTotal: Type.Union([Limit, Type.Null()]),
  limitPerCustomer: Type.Union([Limit, Type.Null()]),
}

const Coupon = Type.Object(
  {
    ...Terms.properties,
    ...limits,
    validFrom: Time,
    /** Null: for ever. */
    validUntil: Type.Union([Time, Type.Null()]),
    /** How many orders have it now. */
    uses: Type.Integer({ minimum: 0 }),
  },
  { title: 'Coupon' },
)

/** A coupon as a value. */
export type Coupon = Static<typeof Coupon>

const refused = { code: 'failed_precondition', status: 409 } as const

/** Why a user cannot have a coupon at all. */
const couponReasons = {
  coupon_unknown: { code: 'not_found', title: 'There is no such coupon' },
  coupon_expired: { ...refused, title: 'This coupon is not valid at this time' },
  coupon_exhausted: { ...refused, title: 'This coupon has been used as often as it may be' },
  coupon_used: { ...refused, title: 'You have used this coupon as often as you may' },
} as const

/** Why a coupon does not hold for a subtotal. */
const subtotalReasons = {
  coupon_minimum: { ...refused, title: 'This coupon is for larger orders' },
  coupon_currency: { ...refused, title: 'This coupon is for orders in another currency' },
} as const

/** Every way in which a coupon is refused, with words for people. */
export const refusals = { ...couponReasons, ...subtotalReasons } as const

/** The name of a refusal. */
export type Refusal = keyof typeof refusals

const Quote = Type.Object({
  code: CouponCode,
  /** From 0 to the subtotal. */
  discount: Money,
  freeShipping: Type.Boolean(),
})

const Subtotal = Type.Object({ amount: Type.Integer({ minimum: 0 }), currency: Currency })

/** The coupons contract. */
export const coupons = defineContract({
  name: 'coupons',
  version: 1,
  summary: 'Coupons.',
  operations: {
    terms: query({
      summary: 'What a coupon is worth to a user at this moment.',
      access: service('cart'),
      input: Type.Object({ code: CouponCode, userId: Id }),
      output: Terms,
      reasons: couponReasons,
    }),
    quote: query({
      summary: 'What a coupon takes off a subtotal; takes nothing from its limits.',
      access: service('cart', 'orders'),
      input: Type.Object({ code: CouponCode, userId: Id, subtotal: Subtotal }),
      output: Quote,
      reasons: refusals,
    }),
    take: command({
      summary: 'Uses a coupon for an order, within its limits; once per order.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ orderId: Id, code: CouponCode, userId: Id, subtotal: Subtotal }),
      output: Quote,
      reasons: {
        ...refusals,
        coupon_released: { ...refused, title: 'The coupon of this order was given back' },
        coupon_differs: { ...refused, title: 'Another coupon was used for this order' },
      },
    }),
    release: command({
      summary: 'Gives the use of a coupon back, and refuses to use one for that order later.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ orderId: Id }),
      output: Nothing,
    }),
    createCoupon: command({
      summary: 'Makes a coupon.',
      access: role('admin'),
      http: { route: 'POST /coupons', status: 201 },
      idempotency: 'key',
      input: Type.Object({
        code: CouponCode,
        benefit: Benefit,
        /** Minor units. Absent: 0. */
        minimum: Type.Optional(Amount),
        /** Absent: any; a fixed sum and a minimum need one. */
        currency: Type.Optional(Currency),
        /** Absent: as often as wanted. */
        limitTotal: Type.Optional(Limit),
        limitPerCustomer: Type.Optional(Limit),
        /** Absent: from now on, for ever. */
        validFrom: Type.Optional(Time),
        validUntil: Type.Optional(Time),
      }),
      output: Coupon,
      reasons: {
        code_taken: { code: 'already_exists', title: 'There is a coupon with this code' },
        no_currency: { code: 'invalid_argument', title: 'A sum of money needs a currency' },
        no_time: { code: 'invalid_argument', title: 'It would end before it begins' },
      },
    }),
    coupons: query({
      summary: 'All coupons, by code.',
      access: role('admin'),
      http: 'GET /coupons',
      input: Type.Object(paging),
      output: Page(Coupon),
      reasons: {
        bad_cursor: { code: 'invalid_argument', title: 'This cursor does not belong to this list' },
      },
    }),
    endCoupon: command({
      summary: 'Ends a coupon; orders that have it keep it.',
      access: role('admin'),
      http: { route: 'DELETE /coupons/{code}', status: 204 },
      idempotency: 'natural',
      input: Type.Object({ code: CouponCode }),
      output: Nothing,
      reasons: { coupon_unknown: couponReasons.coupon_unknown },
    }),
  },
})
