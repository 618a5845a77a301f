/**
 * An order as it changes.
 *
 * @module
 */

import type { Queries } from '@flotilla/core/queries'
import type { Sagas } from '@flotilla/core/sagas'
import type { Handlers } from '@flotilla/core/service'
import type { Order, orders } from '../contracts/orders.ts'
import { isOwed, type LoadedOrder } from './order.ts'
import { nextChange } from './order-changes.ts'
import { findOrder, orderView, versionOf } from './order-store.ts'
import { isOver } from './transitions.ts'

/** Handles `orders.stream`. */
export function streamWith(sagas: Sagas): Handlers<typeof orders>['stream'] {
  return async function* ({ id }, ctx) {
    for (let seen = 0, isChanged = true; ; ) {
      const change = nextChange(id, ctx.clock, ctx.signal)
      // Nobody waits for it while we look, nor when the stream ends here: that it was aborted is told where it is waited for.
      change.catch(() => {})
      if (isChanged || (await versionOf(ctx.db, id)) !== seen) {
        const order = await findOrder(ctx.db, id, ctx.user.id)
        if (order === undefined) throw ctx.fail('no_order')
        seen = order.version
        yield await shownOrder(sagas, ctx.db, order)
        if (isAtRest(order)) return
      }
      isChanged = await change
    }
  }
}

/** An order as its owner sees it, with its place in line while it waits to be worked on. */
export async function shownOrder(sagas: Sagas, queries: Queries, order: LoadedOrder): Promise<Order> {
  // Its place in line is before its first step, which is the next that happens to an order after it was placed.
  const isWaiting = order.state.status === 'pending' && order.version === 1
  const queuePlace = isWaiting ? await sagas.queuePlace(queries, order.id) : undefined
  return { ...orderView(order), ...(queuePlace === undefined ? {} : { queuePlace }) }
}

/** True when nothing more will happen to it by itself. */
function isAtRest({ state }: LoadedOrder): boolean {
  const isPaying = state.isCheckingOut || state.refunds.some(({ status }) => status === 'processing')
  return isOver(state) && !isPaying && !isOwed(state)
}
