/**
 * Taking a confirmed order back: either its parcels are stopped, and then everything else follows, or one has left, and the order
 * stands.
 *
 * @module
 */

import { derivedId } from '@flotilla/core/ids'
import { defineSaga } from '@flotilla/core/saga'
import { Id, Money, Type } from '@flotilla/core/schema'
import { coupons } from '../contracts/coupons.ts'
import { inventory } from '../contracts/inventory.ts'
import { orders } from '../contracts/orders.ts'
import { payments } from '../contracts/payments.ts'
import { shipping } from '../contracts/shipping.ts'
import { bySaga } from './cause.ts'
import { orderAggregate, refundedAmount } from './order.ts'
import { changeOrder } from './order-store.ts'
import { toldOf } from './told.ts'

const CancelState = Type.Object({
  orderId: Id,
  attemptId: Id,
  /** Absent until the money is given back; 0 minor units: there is none. */
  refund: Type.Optional(Type.Object({ id: Id, amount: Money })),
})

/** Between looks at what is not decided yet. */
const LOOK_MS = 200
const REASON = 'cancelled'

/** The id of the saga that follows from a wish: one was refused, and the next may not be. `version`: the order's, with the wish. */
export function cancelSagaId(orderId: string, version: number): string {
  return `cancel-${orderId}-${version}`
}

/** The saga. */
export const cancelSaga = defineSaga('cancel', CancelState)
  .pivot('stopShipping', {
    async run({ orderId }, ctx) {
      const { state } = await orderAggregate.load(ctx.db, orderId)
      // Its checkout, or a refund, is still at work on it.
      const isBusy = state.isCheckingOut || state.refunds.some(({ status }) => status === 'processing')
      if (isBusy) throw ctx.later(LOOK_MS)
      const { stopped } = await ctx.call(shipping).stop({ orderId })
      if (!stopped) throw ctx.refuse('too_late', 'A parcel has left already.')
      return undefined
    },
    async save(tx, { orderId }, ctx) {
      const loaded = await orderAggregate.load(tx, orderId)
      const cancelled = await changeOrder(
        ctx,
        tx,
        loaded,
        [{ type: 'cancelled', data: { reason: REASON } }],
        bySaga(ctx.sagaId),
      )
      await ctx.publish(tx, orders.events.cancelled, {
        ...toldOf(cancelled),
        reason: REASON,
        wasConfirmed: true,
      })
    },
  })
  .retriable('releaseStock', {
    async run({ orderId }, ctx) {
      await ctx.call(inventory).release({ orderId, reason: REASON })
      return undefined
    },
  })
  .retriable('releaseCoupon', {
    async run({ orderId }, ctx) {
      const { state } = await orderAggregate.load(ctx.db, orderId)
      if (state.couponCode !== undefined) await ctx.call(coupons).release({ orderId })
      return undefined
    },
  })
  .retriable('giveMoneyBack', {
    async run({ orderId, attemptId }, ctx) {
      const { state } = await orderAggregate.load(ctx.db, orderId)
      // Nobody can begin another refund of a cancelled order, so this is the same at every attempt.
      const { total } = state.totals
      const amount = { amount: total.amount - refundedAmount(state), currency: total.currency }
      const id = derivedId('refund of a cancelled order', orderId)
      if (amount.amount > 0) {
        const answer = await ctx.call(payments).refund({ attemptId, refundId: id, amount, reason: REASON })
        if (answer.refund.status === 'processing') throw ctx.later(LOOK_MS)
      }
      return { refund: { id, amount } }
    },
    async save(tx, { orderId, refund }, ctx) {
      if (refund === undefined || refund.amount.amount === 0) return
      const { id: refundId, amount } = refund
      const loaded = await orderAggregate.load(tx, orderId)
      const refunded = await changeOrder(
        ctx,
        tx,
        loaded,
        [
          { type: 'refundStarted', data: { refundId, amount, reason: REASON } },
          { type: 'refunded', data: { refundId } },
        ],
        bySaga(ctx.sagaId),
      )
      await ctx.publish(tx, orders.events.refunded, { ...toldOf(refunded), refundId, amount, reason: REASON })
    },
  })
  .end({
    async compensated(tx, { orderId }, cause, ctx) {
      const loaded = await orderAggregate.load(tx, orderId)
      const reason = cause.reason ?? cause.message
      await changeOrder(ctx, tx, loaded, [{ type: 'cancelRefused', data: { reason } }], bySaga(ctx.sagaId))
    },
  })
