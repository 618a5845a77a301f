/**
 * From a placed order to a confirmed and paid one, or to nothing.
 *
 * | step | does | undone by |
 * |---|---|---|
 * | reserveStock | keeps the goods for as long as the order may wait to be paid | giving them back |
 * | takeCoupon, if there is one | takes a use of the coupon | giving it back |
 * | authorise, if it costs money | has the provider hold the money | letting go of it |
 * | commitStock | takes the goods out of stock; gets them again if the reservation has run out meanwhile | giving them back |
 * | **confirm** | the order is confirmed, which everybody is told | – |
 * | emptyCart | takes what was ordered out of the cart: before the money, which may take long, so that its owner can order again | – |
 * | capture, if it costs money | takes the money | – |
 *
 * The goods are certain before the order is confirmed, and the money is taken only of confirmed orders, so neither an oversold order
 * nor a charge without an order can exist, whatever dies in between. While the provider's answer is unknown the saga waits, up
 * to the time in which an order must be paid; what is then undone is undone for certain, because the payment service
 * finds out the outcome before it lets go.
 *
 * @module
 */
import { defineSaga, type SagaCause, type StepContext } from '@flotilla/core/saga'
import { Id, Money, type Static, Time, Type } from '@flotilla/core/schema'
import type { Transaction } from '@flotilla/core/transaction'
import { cart } from '../contracts/cart.ts'
import { coupons } from '../contracts/coupons.ts'
import { inventory } from '../contracts/inventory.ts'
import { orders } from '../contracts/orders.ts'
import { payments } from '../contracts/payments.ts'
import { bySaga } from './cause.ts'
import { orderAggregate } from './order.ts'
import { changeOrder, isPast } from './order-store.ts'
import { toldOf } from './told.ts'

/** What the saga needs to know; the rest is in the order. */
const CheckoutState = Type.Object({
  userId: Id,
  cartId: Id,
  cartVersion: Type.Integer({ minimum: 0 }),
  lines: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer({ minimum: 1 }) })),
  couponCode: Type.Optional(Type.String()),
  subtotal: Money,
  total: Money,
  attemptId: Id,
  paymentToken: Type.Optional(Type.String()),
  card: Type.Optional(Type.Object({ brand: Type.String(), last4: Type.String() })),
  /** Seconds in which it must be paid, once its goods are reserved. */
  payS: Type.Integer({ minimum: 1 }),
  /** When that time is over; absent before. */
  payUntil: Type.Optional(Time),
})

/** What the saga needs to know. */
export type CheckoutState = Static<typeof CheckoutState>

/** Seconds in which an order must be paid, at the most. */
export const PAY_S_MAX = 1_800
/** Between looks at a payment that is not decided; a decision wakes the saga before. */
const PROCESSING_MS = 500
/** No shorter than an order waits to be paid: it is the order that expires, not the step. */
const AUTHORISE_MS_MAX = 1_000 * PAY_S_MAX

/** The saga; its id is the order's. */
export const checkoutSaga = defineSaga('checkout', CheckoutState)
  .step('reserveStock', {
    async run({ lines, payS }, ctx) {
      const reserved = { orderId: ctx.sagaId, lines: [...lines], ttlS: payS }
      const { expiresAt } = await ctx.call(inventory).reserve(reserved)
      return { payUntil: expiresAt }
    },
    async undo(_, ctx) {
      await ctx.call(inventory).release({ orderId: ctx.sagaId, reason: 'the order came to nothing' })
      return undefined
    },
  })
  .step('takeCoupon', {
    when: ({ couponCode }) => couponCode !== undefined,
    async run({ couponCode: code = '', userId, subtotal }, ctx) {
      await ctx.call(coupons).take({ orderId: ctx.sagaId, code, userId, subtotal })
      return undefined
    },
    async undo(_, ctx) {
      await ctx.call(coupons).release({ orderId: ctx.sagaId })
      return undefined
    },
  })
  .step('authorise', {
    when: costsMoney,
    giveUpAfterMs: AUTHORISE_MS_MAX,
    async run(state, ctx) {
      const payment = await ctx.call(payments).authorise({
        attemptId: state.attemptId,
        orderId: ctx.sagaId,
        userId: state.userId,
        amount: state.total,
        paymentToken: state.paymentToken ?? '',
      })
      if (payment.status === 'declined') {
        throw ctx.refuse('card_declined', 'The card was declined.', { declineCode: payment.declineCode })
      }
      if (payment.status !== 'processing') {
        const { card } = payment
        return card === undefined ? undefined : { card: { brand: card.brand, last4: card.last4 } }
      }
      if ((await orderAggregate.load(ctx.db, ctx.sagaId)).state.isCancelling) throw wished(ctx)
      if (state.payUntil !== undefined && (await isPast(ctx.db, state.payUntil))) {
        throw ctx.refuse('expired', 'The payment was not decided in time.')
      }
      throw ctx.later(PROCESSING_MS)
    },
    async save(tx, { card }, ctx) {
      const data = card === undefined ? {} : { card }
      const loaded = await orderAggregate.load(tx, ctx.sagaId)
      await changeOrder(ctx, tx, loaded, [{ type: 'authorised', data }], bySaga(ctx.sagaId))
    },
    async undo({ attemptId }, ctx) {
      const { status } = await ctx.call(payments).void({ attemptId })
      if (status === 'processing') throw ctx.later(PROCESSING_MS)
      return undefined
    },
  })
  .step('commitStock', {
    async run(_, ctx) {
      await ctx.call(inventory).commit({ orderId: ctx.sagaId })
      return undefined
    },
    async undo(_, ctx) {
      await ctx.call(inventory).release({ orderId: ctx.sagaId, reason: 'the order came to nothing' })
      return undefined
    },
  })
  .pivot('confirm', {
    async save(tx, _, ctx) {
      const loaded = await orderAggregate.load(tx, ctx.sagaId)
      if (loaded.state.isCancelling) throw wished(ctx)
      const confirmed = await changeOrder(
        ctx,
        tx,
        loaded,
        [{ type: 'confirmed', data: {} }],
        bySaga(ctx.sagaId),
      )
      const { shippingAddress } = confirmed.state
      await ctx.publish(tx, orders.events.confirmed, { ...toldOf(confirmed), shippingAddress })
    },
  })
  .retriable('emptyCart', {
    async run({ cartId, cartVersion, lines }, ctx) {
      await ctx.call(cart).ordered({ cartId, version: cartVersion, orderId: ctx.sagaId, lines: [...lines] })
      return undefined
    },
  })
  .retriable('capture', {
    when: costsMoney,
    async run({ attemptId, total }, ctx) {
      const { status } = await ctx.call(payments).capture({ attemptId, amount: total })
      if (status === 'processing' || status === 'authorised') throw ctx.later(PROCESSING_MS)
      return undefined
    },
    async save(tx, _, ctx) {
      const loaded = await orderAggregate.load(tx, ctx.sagaId)
      await changeOrder(ctx, tx, loaded, [{ type: 'captured', data: {} }], bySaga(ctx.sagaId))
    },
  })
  .end({
    async completed(tx, _, ctx) {
      const loaded = await orderAggregate.load(tx, ctx.sagaId)
      await changeOrder(ctx, tx, loaded, [{ type: 'checkedOut', data: {} }], bySaga(ctx.sagaId))
    },
    compensated: comeToNothing,
  })

/** What is free is neither authorised nor captured. */
function costsMoney({ total }: CheckoutState): boolean {
  return total.amount > 0
}

/** The order could not be confirmed, and everything is as it was before. */
async function comeToNothing(
  tx: Transaction,
  { total }: CheckoutState,
  cause: SagaCause,
  ctx: StepContext,
): Promise<void> {
  const loaded = await orderAggregate.load(tx, ctx.sagaId)
  const reason = reasonOf(cause)
  const paymentStatus = total.amount === 0 ? 'none' : reason === 'card_declined' ? 'declined' : 'voided'
  const type = reason === 'cancelled' ? 'abandoned' : reason === 'expired' ? 'expired' : 'rejected'
  const ended = await changeOrder(
    ctx,
    tx,
    loaded,
    [{ type, data: { reason, paymentStatus } }],
    bySaga(ctx.sagaId),
  )
  const told = { ...toldOf(ended), reason }
  if (type === 'rejected') await ctx.publish(tx, orders.events.rejected, told)
  else if (type === 'expired') await ctx.publish(tx, orders.events.expired, told)
  else await ctx.publish(tx, orders.events.cancelled, { ...told, wasConfirmed: false })
}

/** Reasons that are told to the buyer as they are. */
const TOLD: readonly string[] = [
  'out_of_stock',
  'card_declined',
  'expired',
  'cancelled',
  'coupon_unknown',
  'coupon_expired',
  'coupon_exhausted',
  'coupon_used',
  'coupon_minimum',
  'coupon_currency',
]

function reasonOf({ reason }: SagaCause): string {
  return reason !== undefined && TOLD.includes(reason) ? reason : 'not_possible'
}

function wished(ctx: StepContext): Error {
  return ctx.refuse('cancelled', 'The order was cancelled before it was confirmed.')
}
