/**
 * What happens to orders because of what happened elsewhere.
 *
 * @module
 */
import { on } from '@flotilla/core/reaction'
import { wakeSaga } from '@flotilla/core/saga-wake'
import type { ReactionContext } from '@flotilla/core/service'
import { payments } from '../contracts/payments.ts'
import { shipping } from '../contracts/shipping.ts'
import { byEvent } from './cause.ts'
import { type OrderEvent, orderAggregate } from './order.ts'
import { changeOrder } from './order-store.ts'

/** What orders react to. */
export const reactions = [
  // The checkout may be waiting for it.
  on(payments.events.settled, ({ data }, ctx) => wakeSaga(ctx.tx, data.orderId)),
  on(shipping.events.shipped, (event, ctx) => {
    const { orderId, shipmentId } = event.data
    return move(orderId, 'confirmed', { type: 'shipped', data: { shipmentId } }, event, ctx)
  }),
  on(shipping.events.delivered, (event, ctx) => {
    const { orderId, shipmentId } = event.data
    return move(orderId, 'shipped', { type: 'delivered', data: { shipmentId } }, event, ctx)
  }),
]

/** Changes an order that stands where it must; one of several parcels finds it there already. */
async function move(
  id: string,
  from: 'confirmed' | 'shipped',
  change: OrderEvent,
  event: { readonly source: string; readonly id: string },
  ctx: ReactionContext,
): Promise<void> {
  const order = await orderAggregate.load(ctx.tx, id)
  if (order.state.status === from) await changeOrder(ctx, ctx.tx, order, [change], byEvent(event))
}
