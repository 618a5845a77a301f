/**
 * How an attempt is told to others.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import { type Payment, payments } from '../contracts/payments.ts'
import type { Attempt, AttemptState } from './attempt.ts'
import type { AttemptSeen } from './attempt-store.ts'

/** ISO 4217's code for "no currency": that of an attempt which was voided before it was made. */
const NO_CURRENCY = 'XXX'

/** The attempt as its contract shows it. */
export function toPayment(attempt: AttemptSeen): Payment {
  const { id, currency, authorised, captured, refunded, declineCode, brand, last4, expiry, version } = attempt
  const money = (amount: number) => ({ amount, currency: currency ?? NO_CURRENCY })
  return {
    attemptId: id,
    status: statusOf(attempt.state),
    isUnknown: attempt.isUnknown,
    authorised: money(authorised),
    captured: money(captured),
    refunded: money(refunded),
    ...(declineCode === null ? {} : { declineCode }),
    ...(brand === null || last4 === null || expiry === null ? {} : { card: { brand, last4, expiry } }),
    version,
  }
}

function statusOf(state: AttemptState): Payment['status'] {
  const isOnItsWay =
    state === 'authorising' || state === 'capturing' || state === 'refunding' || state === 'voiding'
  return isOnItsWay ? 'processing' : state
}

/** Publishes `payments.settled`, in the transaction that made the state definite; quiet about states that are not. */
export async function publishSettled(ctx: Context, tx: Transaction, attempt: Attempt): Promise<void> {
  const { orderId, userId } = attempt
  const { card: _, isUnknown: __, ...told } = toPayment({ ...attempt, isUnknown: false })
  if (orderId === null || userId === null || told.status === 'processing') return
  await ctx.publish(tx, payments.events.settled, { ...told, orderId, userId })
}
