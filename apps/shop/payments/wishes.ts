/**
 * What callers want of an attempt, written down: each function runs in a transaction, moves the attempt to the state that says
 * so, and gives the operation that the caller may try at once. Undefined: there is nothing to ask the provider for; how the
 * attempt stands is the answer.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import type { payments } from '../contracts/payments.ts'
import { type Attempt, operationId } from './attempt.ts'
import {
  type ClaimedOperation,
  changeAttempt,
  countRefunds,
  createAttempt,
  createOperation,
  createTombstone,
  findOperation,
  lockAttempt,
} from './attempt-store.ts'

type Inputs = { readonly [K in keyof Handlers<typeof payments>]: Parameters<Handlers<typeof payments>[K]>[0] }
type Contexts = {
  readonly [K in keyof Handlers<typeof payments>]: Parameters<Handlers<typeof payments>[K]>[1]
}
type Wish<K extends keyof Inputs> = (
  tx: Transaction,
  ctx: Contexts[K],
  input: Inputs[K],
  leaseMs: number,
) => Promise<ClaimedOperation | undefined>

const REFUNDS_MAX = 100

/** Makes the attempt. */
export const wishAuthorised: Wish<'authorise'> = async (tx, ctx, input, leaseMs) => {
  const { attemptId, orderId, userId, paymentToken } = input
  const { amount, currency } = input.amount
  if (await createAttempt(tx, { id: attemptId, orderId, userId, paymentToken, amount, currency })) {
    return createOperation(tx, { id: attemptId, attemptId, kind: 'authorise', amount }, leaseMs)
  }
  const attempt = await lockAttempt(tx, attemptId)
  if (attempt === undefined || attempt.state === 'voided') throw ctx.fail('attempt_voided')
  const isSame =
    attempt.orderId === orderId &&
    attempt.userId === userId &&
    attempt.paymentToken === paymentToken &&
    attempt.amount === amount &&
    attempt.currency === currency
  if (!isSame) throw ctx.fail('attempt_differs')
  return undefined
}

/** Has what is held captured. */
export const wishCaptured: Wish<'capture'> = async (tx, ctx, { attemptId, amount: money }, leaseMs) => {
  const attempt = await lockAttempt(tx, attemptId)
  if (attempt === undefined) throw ctx.fail('no_attempt')
  const id = operationId(attemptId, 'capture')
  const earlier = await findOperation(tx, id)
  if (earlier !== undefined) {
    if (earlier.state === 'refused') throw ctx.fail('capture_refused', undefined, { data: earlier.refusal })
    if (earlier.amount !== money.amount || attempt.currency !== money.currency)
      throw ctx.fail('already_captured')
    return undefined
  }
  if (attempt.state === 'authorising' && !attempt.isVoidWanted) return undefined
  if (attempt.state !== 'authorised') throw ctx.fail('not_authorised')
  const { amount, currency } = money
  if (amount > attempt.authorised || currency !== attempt.currency) throw ctx.fail('amount_too_high')
  await change(tx, attempt, { state: 'capturing', capturing: amount })
  return createOperation(tx, { id, attemptId, kind: 'capture', amount }, leaseMs)
}

/** Has what is held, or may come to be held, let go. */
export const wishVoided: Wish<'void'> = async (tx, ctx, { attemptId }, leaseMs) => {
  if (await createTombstone(tx, attemptId)) return undefined
  const attempt = await lockAttempt(tx, attemptId)
  if (attempt === undefined) return undefined
  const id = operationId(attemptId, 'void')
  switch (attempt.state) {
    case 'authorising':
      if (!attempt.isVoidWanted) await change(tx, attempt, { isVoidWanted: true })
      return undefined
    case 'authorised':
      if ((await findOperation(tx, id)) !== undefined) throw ctx.fail('void_refused')
      await change(tx, attempt, { state: 'voiding' })
      return createOperation(tx, { id, attemptId, kind: 'void', amount: attempt.authorised }, leaseMs)
    case 'declined':
    case 'voiding':
    case 'voided':
    case 'capturing':
      return undefined
    case 'captured':
    case 'refunding':
    case 'partially_refunded':
    case 'refunded':
      throw ctx.fail('already_captured')
  }
}

/** Has some of what was captured given back. */
export const wishRefunded: Wish<'refund'> = async (tx, ctx, input, leaseMs) => {
  const { attemptId, refundId, reason } = input
  const { amount, currency } = input.amount
  const attempt = await lockAttempt(tx, attemptId)
  if (attempt === undefined) throw ctx.fail('no_attempt')
  const id = operationId(attemptId, 'refund', refundId)
  const earlier = await findOperation(tx, id)
  if (earlier !== undefined) {
    if (earlier.amount !== amount || attempt.currency !== currency) throw ctx.fail('refund_differs')
    if (earlier.state === 'refused') throw ctx.fail('refund_refused', undefined, { data: earlier.refusal })
    return undefined
  }
  if (attempt.state === 'capturing') return undefined
  if (attempt.captured === 0) throw ctx.fail('not_captured')
  const isTooHigh = attempt.refunded + attempt.refunding + amount > attempt.captured
  if (isTooHigh || currency !== attempt.currency) throw ctx.fail('amount_too_high')
  if ((await countRefunds(tx, attemptId)) >= REFUNDS_MAX) throw ctx.fail('too_many_refunds')
  await change(tx, attempt, { state: 'refunding', refunding: attempt.refunding + amount })
  return createOperation(tx, { id, attemptId, kind: 'refund', amount, refundId, reason }, leaseMs)
}

/** The row is locked, so nobody can have changed it meanwhile. */
async function change(tx: Transaction, attempt: Attempt, to: Partial<Attempt>): Promise<void> {
  const isChanged = await changeAttempt(tx, attempt, to)
  if (!isChanged) throw new Error('A locked attempt changed.')
}
