/**
 * Writing down what the provider said, from whichever side it came: the answer to a request, to a question, or a webhook.
 *
 * An outcome is written once, by whoever is first; to all others the operation is not pending any more, and nothing happens.
 * So it does not matter how often, in what order and to how many instances the same is said.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Context } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import { type Attempt, type Operation, type Outcome, operationId, settled } from './attempt.ts'
import { changeAttempt, createOperation, findPending, lockAttempt, settleOperation } from './attempt-store.ts'
import { post } from './ledger.ts'
import type { Charge } from './provider-client.ts'
import { publishSettled } from './settled.ts'
import { tellOperators } from './tell-operators.ts'

/** What of the provider's kinds of entries an operation becomes. */
const entryKinds: Readonly<Record<Operation['kind'], readonly string[]>> = {
  authorise: ['authorisation', 'decline'],
  capture: ['capture'],
  void: ['void'],
  refund: ['refund'],
}

/** Writes outcomes down. */
export class Outcomes {
  readonly #onMore: () => void

  /** `onMore` is called when an outcome led to an operation that nobody has claimed. */
  constructor(onMore: () => void) {
    this.#onMore = onMore
  }

  /** Takes all that a charge tells about what is pending. */
  async learn(ctx: Context, tx: Transaction, charge: Charge): Promise<void> {
    let attempt = await lockAttempt(tx, charge.reference)
    if (attempt === undefined || (attempt.chargeId !== null && attempt.chargeId !== charge.id)) {
      ctx.log.error('the provider told of a charge that is not ours', { charge: charge.id })
      return
    }
    if (attempt.currency !== charge.currency) {
      ctx.log.error('a charge has another currency', { charge: charge.id })
      return
    }
    for (const operation of await findPending(tx, attempt.id)) {
      const outcome = outcomeIn(charge, operation)
      if (outcome === 'differs') ctx.log.error('a charge has another amount', { operation: operation.id })
      else if (outcome !== undefined) attempt = await this.#settle(ctx, tx, attempt, operation, outcome)
    }
  }

  /** Takes a definite no. */
  async refuse(ctx: Context, tx: Transaction, operation: Operation, refusal: string): Promise<void> {
    const attempt = await lockAttempt(tx, operation.attemptId)
    if (attempt !== undefined) await this.#settle(ctx, tx, attempt, operation, { isDone: false, refusal })
  }

  /** Gives the attempt as it is then. */
  async #settle(
    ctx: Context,
    tx: Transaction,
    attempt: Attempt,
    operation: Operation,
    outcome: Outcome,
  ): Promise<Attempt> {
    if (!(await settleOperation(tx, operation.id, outcome.isDone ? null : outcome.refusal))) return attempt
    const change = settled(attempt, operation, outcome)
    if (!(await changeAttempt(tx, attempt, change))) {
      throw new FlotillaError('aborted', 'The attempt changed meanwhile.')
    }
    const now = { ...attempt, ...change, version: attempt.version + 1 }
    if (outcome.isDone) post(tx, now, operation)
    if (operation.kind === 'authorise' && now.state === 'voiding') {
      const id = operationId(now.id, 'void')
      await createOperation(tx, { id, attemptId: now.id, kind: 'void', amount: operation.amount }, 0)
      tx.afterCommit(this.#onMore)
    }
    tellOperators(ctx, tx, now, operation, outcome)
    await publishSettled(ctx, tx, now)
    return now
  }
}

/** What a charge tells about an operation; undefined: nothing. */
function outcomeIn(charge: Charge, { id, kind, amount }: Operation): Outcome | 'differs' | undefined {
  const entry = charge.entries.find((one) => one.reference === id && entryKinds[kind].includes(one.kind))
  if (entry === undefined) {
    // Somebody else, at the provider itself, was first: there is nothing left to let go of.
    const isGone = kind === 'void' && charge.status === 'voided'
    return isGone ? { isDone: true, chargeId: charge.id, card: charge.card } : undefined
  }
  if (entry.amount !== amount) return 'differs'
  if (entry.kind === 'decline') return { isDone: false, refusal: charge.declineCode ?? 'declined' }
  return { isDone: true, chargeId: charge.id, card: charge.card }
}
