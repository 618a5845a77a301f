/**
 * What those who run the shop are told of an order when a change of it is committed: a line that its id finds, and the figures of the
 * business. A process that dies between the commit and the counting leaves one out: the books are in the databases, not here.
 *
 * @module
 */
import type { Counter, Metrics } from '@flotilla/core/metrics'
import type { Context } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import type { LoadedOrder, OrderEvent } from './order.ts'

/** Where it is told. */
export type Operators = Pick<Context, 'log' | 'metrics'>

/** What is worth a line. The rest is told by who does it: the payments, the goods, the cart. */
const MESSAGES: Partial<Record<OrderEvent['type'], string>> = {
  placed: 'order placed',
  confirmed: 'order confirmed',
  rejected: 'order rejected',
  expired: 'order expired',
  abandoned: 'order cancelled before it was confirmed',
  cancelled: 'order cancelled',
  cancelRefused: 'order too late to cancel',
  refunded: 'order refunded',
  refundFailed: 'refund of an order failed',
  shipped: 'order shipped',
  delivered: 'order delivered',
}

/** Has it told once `tx` is committed. */
export function tellOperators(
  { log, metrics }: Operators,
  tx: Transaction,
  { type, data }: OrderEvent,
  { id, state }: LoadedOrder,
): void {
  const message = MESSAGES[type]
  if (message === undefined) return
  const { amount, currency } = state.totals.total
  const why = 'reason' in data ? { reason: data.reason } : {}
  tx.afterCommit(() => {
    log.info(message, { order_id: id, total: amount, currency, ...why })
    figureOf(metrics, type)?.add()
  })
}

function figureOf(metrics: Metrics, type: OrderEvent['type']): Counter | undefined {
  switch (type) {
    case 'placed':
      return metrics.counter('shop_orders_placed_business_total', 'Orders placed.', ['unit']).with('orders')
    case 'confirmed':
      return metrics
        .counter('shop_orders_confirmed_business_total', 'Orders confirmed.', ['unit'])
        .with('orders')
    case 'rejected':
    case 'expired':
    case 'abandoned':
    case 'cancelled':
      return metrics
        .counter('shop_orders_cancelled_business_total', 'Orders that came to nothing, and how.', [
          'unit',
          'how',
        ])
        .with('orders', type)
    default:
      return undefined
  }
}
