/**
 * What a move has to write besides the saga's own row: the step's half that acts on the database, and that of the end.
 *
 * @module
 */
import type { Context } from '../service/definition.ts'
import type { Transaction } from '../store/transaction.ts'
import { stepContext } from './attempt.ts'
import type { Saga, SagaCause, Step, StepContext } from './definition.ts'
import type { Plan } from './plan.ts'
import type { Claimed } from './rows.ts'

/** Writes within the transaction of the move. */
export type Effects = (tx: Transaction, ctx: Context) => Promise<void>

type Effect = (tx: Transaction, ctx: StepContext) => Promise<void> | undefined

/** Undefined when the move has none. */
export function effectsOf(
  saga: Saga<object>,
  step: Step<object>,
  at: Claimed,
  plan: Plan,
  state: object,
): Effects | undefined {
  const effects: Effect[] = []
  const { save, undone } = step
  const { completed, compensated } = saga.end
  const isForward = at.direction === 'forward'
  if (plan.entry === 'done' && isForward && save) effects.push((tx, ctx) => step.save?.(tx, state, ctx))
  if (plan.entry === 'done' && !isForward && undone) effects.push((tx, ctx) => step.undone?.(tx, state, ctx))
  if (plan.status === 'completed' && completed) {
    effects.push((tx, ctx) => saga.end.completed?.(tx, state, ctx))
  }
  if (plan.status === 'compensated' && compensated) {
    const cause = (plan.isCause ? plan.error : at.cause) as SagaCause
    effects.push((tx, ctx) => saga.end.compensated?.(tx, state, cause, ctx))
  }
  if (effects.length === 0) return undefined
  return async (tx, ctx) => {
    const own = stepContext(ctx, at)
    for (const effect of effects) await effect(tx, own)
  }
}
