/**
 * An owner who takes an order back.
 *
 * @module
 */
import type { Sagas } from '@flotilla/core/sagas'
import type { Handlers } from '@flotilla/core/service'
import type { orders } from '../contracts/orders.ts'
import { cancelSaga, cancelSagaId } from './cancel-saga.ts'
import { byRequest } from './cause.ts'
import { changeOrder, findOrder, orderView } from './order-store.ts'

/** Handles `orders.cancel`: wished for at once, decided by a saga. */
export function cancelWith(sagas: Sagas): Handlers<typeof orders>['cancel'] {
  return ({ id }, ctx) =>
    ctx.commit(async (tx) => {
      const order = await findOrder(tx, id, ctx.user.id)
      if (order === undefined) throw ctx.fail('no_order')
      const { status, isCancelling, attemptId } = order.state
      if (isCancelling || status === 'cancelled') return orderView(order)
      if (status !== 'pending' && status !== 'confirmed') throw ctx.fail('too_late')
      const wished = await changeOrder(ctx, tx, order, [{ type: 'cancelWished', data: {} }], byRequest(ctx))
      // Its checkout sees the wish, or has been confirmed before; then the order is cancelled as a confirmed one.
      if (status === 'pending') await sagas.wake(tx, id)
      else
        await sagas.start(tx, cancelSaga, cancelSagaId(id, wished.version), { orderId: id, attemptId }, ctx)
      return orderView(wished)
    })
}
