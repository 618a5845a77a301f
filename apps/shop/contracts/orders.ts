/**
 * What somebody has ordered, and what becomes of it.
 *
 * @module
 */
import { role, service, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query, stream } from '@flotilla/core/operation'
import { Id, Money, Page, paging, type Static, Time, Type } from '@flotilla/core/schema'
import { personal } from '@flotilla/core/sensitive'
import { Address } from './address.ts'
import { QUANTITY_MAX } from './cart.ts'
import { Sku } from './catalog.ts'
import { CouponCode } from './coupons.ts'
import { CursorTime } from './cursor.ts'
import { PaymentToken } from './payments.ts'
import { Version } from './versioning.ts'

/** Where an order is; see `orders/transitions.ts` for what may follow what. */
const OrderStatus = Type.Enum([
  'pending',
  'confirmed',
  'shipped',
  'delivered',
  'rejected',
  'cancelled',
  'expired',
])

/** Where its money is. `none`: there is nothing to pay. */
const PaymentStatus = Type.Enum([
  'none',
  'processing',
  'authorised',
  'captured',
  'partially_refunded',
  'refunded',
  'voided',
  'declined',
])

/** Where its goods are. */
const FulfilmentStatus = Type.Enum(['unfulfilled', 'shipped', 'delivered', 'stopped'])

/** Status of an order as a value. */
export type OrderStatus = Static<typeof OrderStatus>
/** Status of its payment as a value. */
export type PaymentStatus = Static<typeof PaymentStatus>
/** Status of its fulfilment as a value. */
export type FulfilmentStatus = Static<typeof FulfilmentStatus>

/** One product of an order, at the price of the moment it was ordered. Amounts are in the order's currency. */
const Line = Type.Object(
  {
    sku: Sku,
    productId: Id,
    name: Type.String(),
    quantity: Type.Integer({ minimum: 1, maximum: QUANTITY_MAX }),
    unitPrice: Money,
    /** `unitPrice × quantity`. */
    lineTotal: Money,
    /** Its part of the order's discount. */
    discount: Money,
    /** Included in `lineTotal - discount`. */
    tax: Money,
  },
  { title: 'OrderLine' },
)

/** One product of an order as a value. */
export type OrderLine = Static<typeof Line>

/** `total = subtotal - discount + shipping`; tax is included in all of them. */
const Totals = Type.Object(
  { subtotal: Money, discount: Money, shipping: Money, shippingTax: Money, tax: Money, total: Money },
  { title: 'OrderTotals' },
)

/** Totals as a value. */
export type OrderTotals = Static<typeof Totals>

/** Units of an order's lines, for which money is given back. */
export const RefundedLines = Type.Array(
  Type.Object({ sku: Sku, quantity: Type.Integer({ minimum: 1, maximum: QUANTITY_MAX }) }),
  { minItems: 1, maxItems: 50 },
)

const Refund = Type.Object(
  {
    id: Id,
    amount: Money,
    reason: Type.String(),
    /** Which units it is for; absent: none in particular. */
    lines: Type.Optional(RefundedLines),
    status: Type.Enum(['processing', 'done', 'failed']),
  },
  { title: 'Refund' },
)

/** An order. */
export const Order = Type.Object(
  {
    id: Id,
    status: OrderStatus,
    paymentStatus: PaymentStatus,
    fulfilmentStatus: FulfilmentStatus,
    /** Why it was rejected, cancelled or has expired. */
    reason: Type.Optional(Type.String()),
    /** True while it is to be cancelled and it is not certain yet whether that is possible. */
    isCancelling: Type.Boolean(),
    lines: Type.Array(Line),
    totals: Totals,
    couponCode: Type.Optional(Type.String()),
    shippingAddress: Address,
    /** As far as it may be shown. */
    card: Type.Optional(Type.Object({ brand: Type.String(), last4: Type.String() })),
    refunds: Type.Array(Refund),
    placedAt: Time,
    /** Of the last change. */
    updatedAt: Time,
    version: Version,
    /** How many orders are worked on before this one; absent: it is being worked on, or is done. */
    queuePlace: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { title: 'Order' },
)

/** An order as a value. */
export type Order = Static<typeof Order>

/** An order in a list. */
export const OrderSummary = Type.Object(
  {
    id: Id,
    status: OrderStatus,
    paymentStatus: PaymentStatus,
    fulfilmentStatus: FulfilmentStatus,
    total: Money,
    placedAt: Time,
  },
  { title: 'OrderSummary' },
)

const Change = Type.Object(
  {
    version: Version,
    type: Type.String(),
    at: Time,
    /** A user, a service, or nobody. */
    actor: Type.Object({ kind: Type.String(), id: Type.String() }),
    /** What it followed from: the request, the saga, the event. */
    cause: Type.String(),
    /** Where the order was after it. */
    status: OrderStatus,
    paymentStatus: PaymentStatus,
    fulfilmentStatus: FulfilmentStatus,
  },
  { title: 'OrderChange' },
)

/** What `place` answers, at once: the order is durable, nothing else is certain. */
export const AcceptedOrder = Type.Object(
  {
    id: Id,
    status: OrderStatus,
    total: Money,
    /** How many orders are worked on before this one; absent: it is being worked on already. */
    queuePlace: Type.Optional(Type.Integer({ minimum: 1 })),
    links: Type.Object({ self: Type.String(), history: Type.String(), stream: Type.String() }),
  },
  { title: 'AcceptedOrder' },
)

/** What an order is placed with. */
export const orderInput = {
  shippingAddress: Address,
  /** May be left out for what costs nothing. */
  paymentToken: Type.Optional(PaymentToken),
  /** Absent: that of the cart, if it has one. */
  couponCode: Type.Optional(CouponCode),
  /** Refused when the order would cost anything else. */
  expectedTotal: Type.Optional(Money),
}

/** A reason that the state of things is against it. */
export const conflict = (title: string) => ({ code: 'failed_precondition', status: 409, title }) as const

/** Why an order cannot be placed. */
export const placeReasons = {
  cart_empty: conflict('There is nothing in your cart'),
  already_ordered: conflict('This cart has been ordered already'),
  /** `data` is `{ skus: [{ sku, available }] }`. */
  out_of_stock: conflict('There is not enough of it left'),
  /** `data` is `{ totals }`: what it would cost now. */
  price_changed: conflict('The price is another one now'),
  payment_missing: { code: 'invalid_argument', title: 'An order that costs something needs a paymentToken' },
  coupon_refused: conflict('This coupon does not hold for this order'),
  no_shipping: { code: 'invalid_argument', title: 'There is no price for sending it there' },
} as const

const noOrder = { no_order: { code: 'not_found', title: 'There is no such order' } } as const

/** What is told of an order that others act on. */
const Told = {
  orderId: Id,
  userId: Id,
  email: Type.String(personal),
  lines: Type.Array(Line),
  totals: Totals,
}

/** The orders contract. */
export const orders = defineContract({
  name: 'orders',
  version: 1,
  summary: 'Orders: placed, paid, sent, cancelled.',
  operations: {
    place: command({
      summary: 'Orders what is in the cart of a user; the rest happens afterwards.',
      // The way in from outside is the gateway, which can wait for the outcome.
      access: service('gateway'),
      idempotency: 'key_required',
      criticality: 'critical_plus',
      input: Type.Object(orderInput),
      output: AcceptedOrder,
      reasons: placeReasons,
    }),
    list: query({
      summary: 'Your orders, newest first.',
      access: user,
      http: 'GET /orders',
      input: Type.Object(paging),
      output: Page(OrderSummary),
      reasons: { bad_cursor: { code: 'invalid_argument', title: 'The cursor is not one of this list' } },
    }),
    get: query({
      summary: 'One of your orders, as it is or as it was at a moment.',
      access: user,
      http: { route: 'GET /orders/{id}', etag: 'version' },
      input: Type.Object({ id: Id, asOf: Type.Optional(CursorTime) }),
      output: Order,
      reasons: noOrder,
    }),
    history: query({
      summary: 'Everything that happened to one of your orders, oldest first.',
      access: user,
      http: 'GET /orders/{id}/history',
      input: Type.Object({ id: Id }),
      output: Type.Object({ items: Type.Array(Change) }),
      reasons: noOrder,
    }),
    stream: stream({
      summary: 'One of your orders, now and after every change, until nothing more can happen to it.',
      access: user,
      http: 'GET /orders/{id}/stream',
      input: Type.Object({ id: Id }),
      output: Order,
      reasons: noOrder,
    }),
    cancel: command({
      summary: 'Cancels one of your orders, if it has not been sent.',
      access: user,
      http: { route: 'POST /orders/{id}/cancel' },
      idempotency: 'natural',
      criticality: 'critical_plus',
      input: Type.Object({ id: Id }),
      output: Order,
      reasons: { ...noOrder, too_late: conflict('It has been sent, or is over') },
    }),
    refund: command({
      summary: 'Gives money back for an order: an amount, the price of some lines, or all that is left.',
      access: role('admin'),
      http: { route: 'POST /orders/{id}/refunds', status: 202 },
      idempotency: 'key_required',
      input: Type.Object({
        id: Id,
        /** Minor units. At most one of `amount` and `lines`; neither: all that is left. */
        amount: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 })),
        lines: Type.Optional(RefundedLines),
        reason: Type.String({ minLength: 1, maxLength: 200 }),
      }),
      output: Refund,
      reasons: {
        ...noOrder,
        not_paid: conflict('Nothing was paid for this order, or it is all given back'),
        amount_too_high: conflict('That is more than is left of what was paid'),
        amount_and_lines: { code: 'invalid_argument', title: 'Give an amount or lines, not both' },
        no_such_line: {
          code: 'invalid_argument',
          title: 'The order has not so much of this SKU, or it was given back before',
        },
        too_many_refunds: conflict('An order takes 99 refunds'),
      },
    }),
  },
  events: {
    placed: event({
      version: 1,
      key: 'orderId',
      summary: 'Somebody wants to buy; nothing is certain yet.',
      data: Type.Object(Told),
    }),
    confirmed: event({
      version: 1,
      key: 'orderId',
      summary: 'An order will be delivered: stock and payment are certain.',
      data: Type.Object({ ...Told, shippingAddress: Address }),
    }),
    rejected: event({
      version: 1,
      key: 'orderId',
      summary: 'An order could not be confirmed.',
      data: Type.Object({ ...Told, reason: Type.String() }),
    }),
    expired: event({
      version: 1,
      key: 'orderId',
      summary: 'An order was not paid in time.',
      data: Type.Object({ ...Told, reason: Type.String() }),
    }),
    cancelled: event({
      version: 1,
      key: 'orderId',
      summary: 'An order was cancelled before it was sent.',
      data: Type.Object({ ...Told, reason: Type.String(), wasConfirmed: Type.Boolean() }),
    }),
    refunded: event({
      version: 1,
      key: 'orderId',
      summary: 'Money was given back.',
      data: Type.Object({ ...Told, refundId: Id, amount: Money, reason: Type.String() }),
    }),
  },
})
