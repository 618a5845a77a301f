/**
 * What other services are told of an order.
 *
 * @module
 */
import type { EventData } from '@flotilla/core/event'
import type { orders } from '../contracts/orders.ts'
import type { LoadedOrder } from './order.ts'

/** What all events of an order tell. */
export function toldOf({ id, state }: LoadedOrder): EventData<typeof orders.events.placed> {
  const { userId, email, lines, totals } = state
  return { orderId: id, userId, email, lines, totals }
}
