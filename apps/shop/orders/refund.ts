/**
 * An administrator who gives money back.
 *
 * @module
 */
import { derivedId } from '@flotilla/core/ids'
import type { Sagas } from '@flotilla/core/sagas'
import type { Money } from '@flotilla/core/schema'
import type { Handlers, OperationContext } from '@flotilla/core/service'
import { roundHalfUp } from '../contracts/money.ts'
import type { orders } from '../contracts/orders.ts'
import { byRequest } from './cause.ts'
import { type OrderState, orderAggregate, refundedOrRefunding, refundedUnits } from './order.ts'
import { changeOrder } from './order-store.ts'
import { refundSaga } from './refund-saga.ts'

type Handler = Handlers<typeof orders>['refund']
type Input = Parameters<Handler>[0]
type Ctx = OperationContext<(typeof orders)['operations']['refund']['reasons']>

/** The payments take a hundred; one is left for a cancellation. */
const REFUNDS_MAX = 99

/** Handles `orders.refund`. */
export function refundWith(sagas: Sagas): Handler {
  return (input, ctx) =>
    ctx.commit(async (tx) => {
      const order = await orderAggregate.load(tx, input.id)
      if (order.version === 0) throw ctx.fail('no_order')
      const { state } = order
      // Of this administrator: another may have chosen the same key.
      const refundId = derivedId(`refund of ${input.id} by ${ctx.user.id}`, ctx.idempotencyKey ?? ctx.newId())
      // A repeat that nobody remembers.
      const present = state.refunds.find(({ id }) => id === refundId)
      if (present !== undefined) return present
      const { reason, lines } = input
      const amount = wantedAmount(input, state, ctx)
      const told = { amount, reason, ...(lines === undefined ? {} : { lines }) }
      await changeOrder(
        ctx,
        tx,
        order,
        [{ type: 'refundStarted', data: { refundId, ...told } }],
        byRequest(ctx),
      )
      const { attemptId } = state
      const started = { orderId: input.id, attemptId, refundId, amount, reason }
      await sagas.start(tx, refundSaga, refundId, started, ctx)
      return { id: refundId, ...told, status: 'processing' as const }
    })
}

/** What is to be given back, if that is possible. */
function wantedAmount(input: Input, state: OrderState, ctx: Ctx): Money {
  const { amount, currency } = state.totals.total
  const left = isPaid(state) ? amount - refundedOrRefunding(state) : 0
  if (left <= 0) throw ctx.fail('not_paid')
  const { amount: asked = left, lines } = input
  if (input.amount !== undefined && lines !== undefined) throw ctx.fail('amount_and_lines')
  const wanted = lines === undefined ? asked : worthOf(lines, state, ctx)
  if (wanted > left) throw ctx.fail('amount_too_high', undefined, { data: { left } })
  if (wanted === 0) throw ctx.fail('not_paid')
  if (state.refunds.length >= REFUNDS_MAX) throw ctx.fail('too_many_refunds')
  return { amount: wanted, currency }
}

/** What is cancelled gets everything back, and from nobody else. */
function isPaid({ status, paymentStatus, isCancelling }: OrderState): boolean {
  if (isCancelling || status === 'cancelled') return false
  return paymentStatus === 'captured' || paymentStatus === 'partially_refunded'
}

/** What was paid for these units. */
function worthOf(lines: NonNullable<Input['lines']>, state: OrderState, ctx: Ctx): number {
  const bySku = new Map<string, number>()
  for (const { sku, quantity } of lines) bySku.set(sku, (bySku.get(sku) ?? 0) + quantity)
  let wanted = 0
  for (const [sku, quantity] of bySku) {
    const line = state.lines.find((one) => one.sku === sku)
    const before = refundedUnits(state, sku)
    if (line === undefined || before + quantity > line.quantity) throw ctx.fail('no_such_line')
    const net = line.lineTotal.amount - line.discount.amount
    const worth = (units: number): number => roundHalfUp(net, units, line.quantity)
    // Counted from the first unit, so that all units together are worth exactly what was paid for the line.
    wanted += worth(before + quantity) - worth(before)
  }
  return wanted
}
