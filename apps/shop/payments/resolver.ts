/**
 * Bringing operations to an outcome.
 *
 * An operation is committed, claimed by who wrote it, before the provider hears of it; then it is asked for, and the outcome
 * is written down. Whoever falls over in between leaves a claim that ends, and any instance goes on from there: from the second try
 * on, the provider is first asked what became of the one before, then for the operation again, under the same name. So it goes,
 * with growing waits kept in the database, until the answer is definite.
 *
 * Claims only save work: that two ask at the same time is harmless, since the provider knows the name and the outcome is
 * written once.
 *
 * @module
 */
import { fullJitterMs } from '@flotilla/core/backoff'
import { crashpoint } from '@flotilla/core/crashpoint'
import type { Context } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import { type ClaimedOperation, claimDue, findOperation, postpone } from './attempt-store.ts'
import type { Outcomes } from './outcomes.ts'
import { type Charge, isUnknown, type ProviderClient } from './provider-client.ts'

const BATCH_COUNT = 20
/** A try asks twice at most, and writes down. */
const WRITING_MS = 2_000
/** What is left of a caller's time for writing down and answering. */
const ANSWERING_MS = 500
const backoff = { baseMs: 100, capMs: 15_000 }
/** The shortest wait: the provider is not asked in a tight loop. */
const WAIT_MS_MIN = 50

/** What a resolver is made of. */
export interface ResolverOptions {
  readonly provider: ProviderClient
  readonly outcomes: Outcomes
  /** How long the provider may take for an answer. */
  readonly timeoutMs: number
}

/** Asks the provider. */
export class Resolver {
  readonly #options: ResolverOptions

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  /** How long a claim lasts. */
  get leaseMs(): number {
    return 2 * this.#options.timeoutMs + WRITING_MS
  }

  /** Tries a claimed operation, for as long as the caller can wait; undefined: there is nothing to try. */
  async tryNow(ctx: Context, operation: ClaimedOperation | undefined): Promise<void> {
    if (operation === undefined) return
    const timeoutMs = Math.min(this.#options.timeoutMs, ctx.remainingMs() - ANSWERING_MS)
    await this.#try(ctx, operation, Math.max(timeoutMs, 1))
  }

  /** Tries everything that is due. */
  async resolveDue(ctx: Context): Promise<void> {
    const { timeoutMs } = this.#options
    while (ctx.remainingMs() > this.leaseMs) {
      const claimed = await claimDue(ctx.db, BATCH_COUNT, this.leaseMs)
      const tries = await Promise.allSettled(claimed.map((one) => this.#try(ctx, one, timeoutMs)))
      for (const failed of tries) {
        if (failed.status === 'rejected') ctx.log.error('resolving failed', { error: failed.reason })
      }
      if (claimed.length < BATCH_COUNT) return
    }
  }

  async #try(ctx: Context, operation: ClaimedOperation, timeoutMs: number): Promise<void> {
    const { provider, outcomes } = this.#options
    if (operation.tries > 1 && (await this.#isAnswered(ctx, operation, timeoutMs))) return
    crashpoint('outside.before-call', 'payments', operation.kind)
    const said = await provider.ask(operation, { timeoutMs, trace: ctx.trace })
    crashpoint('outside.after-call', 'payments', operation.kind)
    if (said.kind === 'unknown') return this.#comeBack(ctx, operation, said.why, said.waitMs)
    await ctx.db.transaction(async (tx) => {
      if (said.charge !== undefined) await outcomes.learn(ctx, tx, said.charge)
      // What the charge told is not pending any more; a refusal that comes on top is none.
      if (said.kind === 'refusal') await outcomes.refuse(ctx, tx, operation, said.code)
    })
    crashpoint('outside.after-record', 'payments', operation.kind)
  }

  /** Asks what became of earlier tries; true when there is nothing left to ask for now. */
  async #isAnswered(ctx: Context, operation: ClaimedOperation, timeoutMs: number): Promise<boolean> {
    const { provider, outcomes } = this.#options
    const found = await provider.find(operation.attemptId, { timeoutMs, trace: ctx.trace })
    if (isUnknown(found)) {
      await this.#comeBack(ctx, operation, found.why, found.waitMs)
      return true
    }
    const isIts = ({ id }: Charge): boolean => operation.chargeId === null || id === operation.chargeId
    const charge = found.find(isIts)
    if (charge === undefined) return false
    await ctx.db.transaction((tx: Transaction) => outcomes.learn(ctx, tx, charge))
    return (await findOperation(ctx.db, operation.id))?.state !== 'pending'
  }

  async #comeBack(ctx: Context, operation: ClaimedOperation, why: string, waitMs: number): Promise<void> {
    const { id, kind, tries } = operation
    ctx.log.warn('the provider left a request without an answer', { operation: id, kind, tries, why })
    const jitterMs = fullJitterMs(ctx.random, tries, backoff)
    await postpone(ctx.db, operation, Math.max(WAIT_MS_MIN, waitMs, jitterMs))
  }
}
