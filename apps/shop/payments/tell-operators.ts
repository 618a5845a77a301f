/**
 * What those who run the shop are told of a payment when its outcome is committed: a line that the order's id finds, and the figures of the
 * business. A process that dies between the commit and the counting leaves one out: the books are in the ledger, not here.
 *
 * @module
 */
import type { Counter, Family, Metrics } from '@flotilla/core/metrics'
import type { Context } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import type { Attempt, Operation, Outcome } from './attempt.ts'

const DONE: Readonly<Record<Operation['kind'], string>> = {
  authorise: 'payment authorised',
  capture: 'payment captured',
  void: 'payment let go',
  refund: 'payment refunded',
}
const REFUSED: Readonly<Record<Operation['kind'], string>> = {
  authorise: 'payment declined',
  capture: 'capture of a payment refused',
  void: 'letting go of a payment refused',
  refund: 'refund of a payment refused',
}

/** Has it told once `tx` is committed. */
export function tellOperators(
  { log, metrics }: Context,
  tx: Transaction,
  { id, orderId, currency }: Attempt,
  { kind, amount }: Operation,
  outcome: Outcome,
): void {
  tx.afterCommit(() => {
    const about = { order_id: orderId, attempt_id: id, amount, currency }
    if (outcome.isDone) log.info(DONE[kind], about)
    else log.info(REFUSED[kind], { ...about, refusal: outcome.refusal })
    count(metrics, kind, outcome.isDone, amount, currency ?? '')
  })
}

function count(
  metrics: Metrics,
  kind: Operation['kind'],
  isDone: boolean,
  amount: number,
  currency: string,
): void {
  if (isDone) moneyOf(metrics, kind)?.with(currency).add(amount)
  else if (kind === 'authorise') {
    metrics
      .counter('shop_payments_declined_business_total', 'Payments declined.', ['unit'])
      .with('payments')
      .add()
  }
}

/** What counts money, in minor units under its currency; undefined: none has moved. */
function moneyOf(metrics: Metrics, kind: Operation['kind']): Family<Counter> | undefined {
  if (kind === 'capture') {
    return metrics.counter('shop_revenue_business_total', 'Money taken, in minor units.', ['unit'])
  }
  if (kind === 'refund') {
    return metrics.counter('shop_refunds_business_total', 'Money given back, in minor units.', ['unit'])
  }
  return undefined
}
