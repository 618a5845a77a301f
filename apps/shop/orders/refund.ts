/**
 * An administrator who gives money back.
 *
 * @module
 */
import { derivedId } from '@flotilla/core/ids'
import type { Sagas } from '@flotilla/core/sagas'
import type { Handlers, OperationContext } from '@flotilla/core/service'
import { roundHalfUp } from '../contracts/money.ts'
import type { orders } from '../contracts/orders.ts'
import { byRequest } from './cause.ts'
import { type OrderState, orderAggregate, refundedOrRefunding } from './order.ts'
import { changeOrder } from './order-store.ts'
import { refundSaga } from './refund-saga.ts'

type Handler = Handlers<typeof orders>['refund']
type Input = Parameters<Handler>[0]
type Ctx = OperationContext<(typeof orders)['operations']['refund']['reasons']>

/** Handles `orders.refund`. */
export function refundWith(sagas: Sagas): Handler {
  return (input, ctx) =>
    ctx.commit(async (tx) => {
      const order = await orderAggregate.load(tx, input.id)
      if (order.version === 0) throw ctx.fail('no_order')
      const { state } = order
      const { total } = state.totals
      const left = isPaid(state) ? total.amount - refundedOrRefunding(state) : 0
      if (left <= 0) throw ctx.fail('not_paid')
      const wanted = wantedAmount(input, state, left, ctx)
      if (wanted > left) throw ctx.fail('amount_too_high', undefined, { data: { left } })
      const refundId = derivedId(`refund of ${input.id}`, ctx.idempotencyKey ?? ctx.newId())
      const amount = { amount: wanted, currency: total.currency }
      const data = { refundId, amount, reason: input.reason }
      await changeOrder(tx, order, [{ type: 'refundStarted', data }], byRequest(ctx))
      const { attemptId } = state
      await sagas.start(tx, refundSaga, refundId, { orderId: input.id, attemptId, ...data }, ctx)
      return { id: refundId, amount, reason: input.reason, status: 'processing' as const }
    })
}

function isPaid({ paymentStatus, isCancelling }: OrderState): boolean {
  return !isCancelling && (paymentStatus === 'captured' || paymentStatus === 'partially_refunded')
}

function wantedAmount({ amount, lines }: Input, state: OrderState, left: number, ctx: Ctx): number {
  if (amount !== undefined && lines !== undefined) throw ctx.fail('amount_and_lines')
  if (lines === undefined) return amount ?? left
  const bySku = new Map<string, number>()
  for (const { sku, quantity } of lines) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity)
  let wanted = 0
  for (const [sku, quantity] of bySku) {
    const line = state.lines.find((one) => one.sku === sku)
    if (line === undefined || quantity > line.quantity) throw ctx.fail('no_such_line')
    // Their share of what was paid for the line.
    wanted += roundHalfUp(line.lineTotal.amount - line.discount.amount, quantity, line.quantity)
  }
  return wanted
}
