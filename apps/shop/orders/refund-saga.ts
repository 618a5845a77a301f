/**
 * Giving money back for an order that stays as it is.
 *
 * @module
 */
import { isFlotillaError } from '@flotilla/core/error'
import { defineSaga } from '@flotilla/core/saga'
import { Id, Money, Type } from '@flotilla/core/schema'
import { orders } from '../contracts/orders.ts'
import { payments } from '../contracts/payments.ts'
import { bySaga } from './cause.ts'
import { orderAggregate } from './order.ts'
import { changeOrder } from './order-store.ts'
import { toldOf } from './told.ts'

const RefundState = Type.Object({
  orderId: Id,
  attemptId: Id,
  refundId: Id,
  amount: Money,
  reason: Type.String(),
})

/** Between looks at a refund whose outcome is not known. */
const LOOK_MS = 500

/** The saga; its id is the refund's. */
export const refundSaga = defineSaga('refund', RefundState)
  .pivot('refund', {
    async run({ attemptId, refundId, amount, reason }, ctx) {
      try {
        const answer = await ctx.call(payments).refund({ attemptId, refundId, amount, reason })
        if (answer.refund.status === 'processing') throw ctx.later(LOOK_MS)
        return undefined
      } catch (error) {
        // Declared by the operation: the provider's or the service's last word.
        if (isFlotillaError(error) && error.reason !== undefined) {
          throw ctx.refuse(error.reason, error.message)
        }
        throw error
      }
    },
    async save(tx, { orderId, refundId, amount, reason }, ctx) {
      const loaded = await orderAggregate.load(tx, orderId)
      const refunded = await changeOrder(
        ctx,
        tx,
        loaded,
        [{ type: 'refunded', data: { refundId } }],
        bySaga(ctx.sagaId),
      )
      await ctx.publish(tx, orders.events.refunded, { ...toldOf(refunded), refundId, amount, reason })
    },
  })
  .end({
    async compensated(tx, { orderId, refundId }, _, ctx) {
      const loaded = await orderAggregate.load(tx, orderId)
      await changeOrder(ctx, tx, loaded, [{ type: 'refundFailed', data: { refundId } }], bySaga(ctx.sagaId))
    },
  })
