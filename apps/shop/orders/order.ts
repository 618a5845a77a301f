/**
 * An order as the fold of what happened to it.
 *
 * @module
 */
import { type AggregateSpec, defineAggregate, type Loaded } from '@flotilla/core/aggregate'
import type { NewEvent, PastEvent } from '@flotilla/core/aggregate-events'
import { Id, Money, type Static, Type } from '@flotilla/core/schema'
import { Address } from '../contracts/address.ts'
import { Order, RefundedLines } from '../contracts/orders.ts'

const { lines, totals, status, paymentStatus, fulfilmentStatus, refunds } = Order.properties

const Card = Type.Object({ brand: Type.String(), last4: Type.String() })

/** What an order is placed with. */
const Placed = Type.Object({
  userId: Id,
  email: Type.String(),
  cartId: Id,
  lines,
  totals,
  couponCode: Type.Optional(Type.String()),
  shippingAddress: Address,
  /** Of the payment; every order has one, also when there is nothing to pay. */
  attemptId: Id,
})

/** What an order is placed with, as a value. */
export type Placed = Static<typeof Placed>

const OrderState = Type.Object({
  ...Placed.properties,
  status,
  paymentStatus,
  fulfilmentStatus,
  reason: Type.Optional(Type.String()),
  /** True until its checkout saga has ended, whatever its status: nothing else may begin on it before. */
  isCheckingOut: Type.Boolean(),
  isCancelling: Type.Boolean(),
  card: Type.Optional(Card),
  refunds,
  placedAt: Type.String(),
})

/** The state of an order. */
export type OrderState = Static<typeof OrderState>

/** An order at a moment. */
export type LoadedOrder = Loaded<OrderState>

/** Of no currency (ISO 4217), as long as nothing was ordered. */
const zero: Money = { amount: 0, currency: 'XXX' }

const initial: OrderState = {
  userId: 'nobody',
  email: '',
  cartId: 'none',
  lines: [],
  totals: { subtotal: zero, discount: zero, shipping: zero, shippingTax: zero, tax: zero, total: zero },
  shippingAddress: { name: '-', line1: '-', postcode: '-', city: '-', country: 'XX' },
  attemptId: 'none',
  status: 'pending',
  paymentStatus: 'processing',
  fulfilmentStatus: 'unfulfilled',
  isCheckingOut: false,
  isCancelling: false,
  refunds: [],
  placedAt: '1970-01-01T00:00:00.000Z',
}

const Nothing = Type.Object({})
const Why = Type.Object({ reason: Type.String() })
const RefundId = Type.Object({ refundId: Id })
const Parcel = Type.Object({ shipmentId: Id })
const RefundStarted = Type.Object({
  refundId: Id,
  amount: Money,
  reason: Type.String(),
  /** Which units it is for; absent: none in particular. */
  lines: Type.Optional(RefundedLines),
})

/** What became of the payment of an order that came to nothing. */
const Ended = Type.Object({
  reason: Type.String(),
  paymentStatus: Type.Union([Type.Literal('none'), Type.Literal('declined'), Type.Literal('voided')]),
})

/** Everything that can happen to an order. */
const kinds = {
  placed: { version: 1, data: Placed },
  authorised: { version: 1, data: Type.Object({ card: Type.Optional(Card) }) },
  confirmed: { version: 1, data: Nothing },
  captured: { version: 1, data: Nothing },
  checkedOut: { version: 1, data: Nothing },
  rejected: { version: 1, data: Ended },
  expired: { version: 1, data: Ended },
  cancelWished: { version: 1, data: Nothing },
  cancelRefused: { version: 1, data: Why },
  /** Before it was confirmed. */
  abandoned: { version: 1, data: Ended },
  /** After it was confirmed; the money follows. */
  cancelled: { version: 1, data: Why },
  refundStarted: { version: 1, data: RefundStarted },
  refundFailed: { version: 1, data: RefundId },
  refunded: { version: 1, data: RefundId },
  shipped: { version: 1, data: Parcel },
  delivered: { version: 1, data: Parcel },
} as const

/** One of them, to be appended. */
export type OrderEvent = NewEvent<typeof kinds>

/** What each makes of the state before. */
const apply: AggregateSpec<typeof OrderState, typeof kinds>['apply'] = {
  placed: (state, data, { at }) => ({
    ...state,
    ...data,
    paymentStatus: data.totals.total.amount === 0 ? 'none' : 'processing',
    isCheckingOut: true,
    placedAt: at,
  }),
  authorised: (state, { card }) => ({
    ...state,
    paymentStatus: 'authorised',
    ...(card === undefined ? {} : { card }),
  }),
  confirmed: (state) => ({ ...state, status: 'confirmed' }),
  captured: (state) => ({ ...state, paymentStatus: 'captured' }),
  checkedOut: (state) => ({ ...state, isCheckingOut: false }),
  rejected: (state, data) => ({ ...ended(state), ...data, status: 'rejected' }),
  expired: (state, data) => ({ ...ended(state), ...data, status: 'expired' }),
  cancelWished: (state) => ({ ...state, isCancelling: true }),
  cancelRefused: (state) => ({ ...state, isCancelling: false }),
  abandoned: (state, data) => ({ ...ended(state), ...data, status: 'cancelled' }),
  cancelled: (state, data) => ({ ...ended(state), ...data, status: 'cancelled' }),
  refundStarted: (state, { refundId, ...refund }) => ({
    ...state,
    refunds: [...state.refunds, { id: refundId, ...refund, status: 'processing' }],
  }),
  refundFailed: (state, { refundId }) => withRefund(state, refundId, 'failed'),
  refunded: (state, { refundId }) => {
    const after = withRefund(state, refundId, 'done')
    const isAll = refundedAmount(after) === state.totals.total.amount
    return { ...after, paymentStatus: isAll ? 'refunded' : 'partially_refunded' }
  },
  shipped: (state) => ({ ...state, status: 'shipped', fulfilmentStatus: 'shipped' }),
  delivered: (state) => ({ ...state, status: 'delivered', fulfilmentStatus: 'delivered' }),
}

/** Orders. */
export const orderAggregate = defineAggregate({
  name: 'order',
  state: OrderState,
  stateVersion: 1,
  initial,
  events: kinds,
  apply,
})

/** The state after one more event; undefined is the state before the first. */
export function stateAfter(
  state: OrderState | undefined,
  { type, data, ...meta }: PastEvent<typeof kinds>,
): OrderState {
  return apply[type](state ?? initial, data as never, meta)
}

/** Minor units that were given back. */
export function refundedAmount({ refunds }: OrderState): number {
  return sum(refunds.filter(({ status }) => status === 'done'))
}

/** Minor units that were given back, or are on their way. */
export function refundedOrRefunding({ refunds }: OrderState): number {
  return sum(refunds.filter(({ status }) => status !== 'failed'))
}

/** Units of a SKU whose price was given back, or is on its way. */
export function refundedUnits({ refunds }: OrderState, sku: string): number {
  return refunds
    .filter(({ status }) => status !== 'failed')
    .flatMap(({ lines: units = [] }) => units)
    .reduce((all, unit) => all + (unit.sku === sku ? unit.quantity : 0), 0)
}

/** True when it was paid and then cancelled, and its money is not back yet. */
export function isOwed({ status: now, paymentStatus: paid }: OrderState): boolean {
  return now === 'cancelled' && (paid === 'captured' || paid === 'partially_refunded')
}

function sum(refunds: OrderState['refunds']): number {
  return refunds.reduce((all, { amount }) => all + amount.amount, 0)
}

function ended(state: OrderState): OrderState {
  return { ...state, isCheckingOut: false, isCancelling: false, fulfilmentStatus: 'stopped' }
}

function withRefund(state: OrderState, id: string, status: 'done' | 'failed'): OrderState {
  return {
    ...state,
    refunds: state.refunds.map((refund) => (refund.id === id ? { ...refund, status } : refund)),
  }
}
