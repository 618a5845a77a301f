/**
 * Everything that happened to an order, with where it was after each change.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import type { orders } from '../contracts/orders.ts'
import { type OrderState, orderAggregate, stateAfter } from './order.ts'
import { findOrder } from './order-store.ts'

/** More than an order can have: a refund takes two, and there are at most a hundred. */
const CHANGES_MAX = 1_000

/** Handles `orders.history`. */
export const historyOf: Handlers<typeof orders>['history'] = async ({ id }, ctx) => {
  if ((await findOrder(ctx.db, id, ctx.user.id)) === undefined) throw ctx.fail('no_order')
  const changes = await orderAggregate.history(ctx.db, id, { limit: CHANGES_MAX })
  let state: OrderState | undefined
  return {
    items: changes.map((change) => {
      state = stateAfter(state, change)
      const { version, type, at, actor, cause } = change
      const { status, paymentStatus, fulfilmentStatus } = state
      return { version, type, at, actor, cause, status, paymentStatus, fulfilmentStatus }
    }),
  }
}
