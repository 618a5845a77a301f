/**
 * A saga as a value: the steps of work that spans services, and what undoes them.
 *
 * There is no transaction across services, so the order of steps is what keeps a half-done saga from doing harm:
 *
 * - **compensatable** steps come first; each says how it is undone.
 * - **the pivot** decides: before it everything can still be undone, after it everything will be done.
 * - **retriable** steps follow; they cannot be refused, only delayed, so they are tried until they succeed.
 *
 * Each step has two halves. `run` (and `undo`) acts on the outside. It may run more than once, by one process or by
 * several, and an earlier run may still be under way: it passes `ctx.key` on, by which the callee knows that it is the same
 * again. So a step whose outcome is not known is asked again with the same key, never guessed. `save` (and `undone`)
 * acts on the service's own database, in the transaction that records the step: exactly once.
 *
 * What comes of `run` is told by how it ends:
 *
 * - it returns: done; the fields it returns are merged into the state.
 * - it throws what is **definite** (`ctx.refuse(…)`, or an error such as `not_found`): a compensatable step, and all
 *   before it, are undone in reverse order; that includes the step itself, which may have had an effect in an earlier
 *   attempt, so `undo` must be content when there is nothing to undo. The pivot can be refused by `ctx.refuse` only, and is
 *   not undone itself.
 * - it throws anything else: it is tried again, with growing waits. A compensatable step is given up (and undone) after
 *   `giveUpAfterMs`; others never, but they are **parked** for people after an hour, and at once when the error is
 *   definite: a saga behind its pivot, or on its way back, has no other way to go.
 * - it throws `ctx.later(ms)`: it runs again then, or when the saga is woken. That is no failure.
 *
 * @source Garcia-Molina and Salem, "Sagas", 1987; C. Richardson, "Microservices Patterns", chapter 4
 * @module
 */
import { type Check, lazyCheck, type Static, type TSchema } from '../contract/schema.ts'
import type { Code } from '../kernel/code.ts'
import type { FlotillaError } from '../kernel/error.ts'
import type { Context } from '../service/definition.ts'
import type { Transaction } from '../store/transaction.ts'

/** Which way a saga goes. */
export type Direction = 'forward' | 'backward'

/** Where a saga is in its life. */
export const sagaStatuses = ['ready', 'running', 'waiting', 'completed', 'compensated', 'parked'] as const

/** One of them. */
export type SagaStatus = (typeof sagaStatuses)[number]

/** What a step has at hand. Its calls carry the trace in which the saga was started. */
export interface StepContext extends Context {
  readonly sagaId: string
  /** `<saga id>:<step>`: the same at every attempt, so it is what makes them one. An undo has the key of its step. */
  readonly key: string
  /** How many attempts of this step failed before, in a row. */
  readonly attempt: number
  /**
   * The error that refuses the step; to be thrown.
   *
   * @param detail for people.
   * @param data JSON that belongs to the reason.
   */
  refuse(reason: string, detail: string, data?: unknown): FlotillaError
  /** What is thrown to run the step again `delayMs` from now, or when the saga is woken. */
  later(delayMs: number): Error
}

/** What every step has. */
export interface StepSpec<S> {
  /**
   * Whether there is anything to do; false passes the step over: it is not run, recorded or undone. To be told from what no step
   * changes. Default always.
   */
  when?(state: Readonly<S>): boolean
  /** Acts on the outside; what it returns is merged into the state. Absent: the step is `save` alone. */
  run?(state: Readonly<S>, ctx: StepContext): Promise<Partial<S> | undefined>
  /** Acts on the service's own database, in the transaction that records the step as done. */
  save?(tx: Transaction, state: Readonly<S>, ctx: StepContext): Promise<void>
  /** Bounds one attempt of `run` or `undo`. Default 10,000. */
  readonly timeoutMs?: number
}

/** A step before the pivot. */
export interface CompensatableSpec<S> extends StepSpec<S> {
  /** Makes as if `run` had never run, whether it has or not. What it returns is merged into the state. */
  undo(state: Readonly<S>, ctx: StepContext): Promise<Partial<S> | undefined>
  /** Acts on the service's own database, in the transaction that records the step as undone; whether or not `save` ran. */
  undone?(tx: Transaction, state: Readonly<S>, ctx: StepContext): Promise<void>
  /** How long it may go on failing before it is given up. Default 60,000. */
  readonly giveUpAfterMs?: number
}

/** An error, as it is kept. */
export interface SagaCause {
  readonly code: Code
  readonly message: string
  /** The domain's word, when it was a refusal. */
  readonly reason?: string
  readonly data?: unknown
}

/** What is done in the service's own database in the transaction of a saga's end. */
export interface EndSpec<S> {
  completed?(tx: Transaction, state: Readonly<S>, ctx: StepContext): Promise<void>
  /** `cause`: why it could not go on. */
  compensated?(tx: Transaction, state: Readonly<S>, cause: SagaCause, ctx: StepContext): Promise<void>
}

/** Where a step stands in its saga. */
export type StepKind = 'compensatable' | 'pivot' | 'retriable'

/** A step, its kind known. */
export interface Step<S> extends StepSpec<S>, Partial<Omit<CompensatableSpec<S>, keyof StepSpec<S>>> {
  readonly name: string
  readonly kind: StepKind
}

/** A saga. */
export interface Saga<S> {
  /** Unique in its service. */
  readonly name: string
  /** In their order; exactly one is the pivot. */
  readonly steps: readonly Step<S>[]
  readonly end: EndSpec<S>
  /** What is wrong with a state. */
  readonly check: Check
}

/** The steps that there are for a state; `at`, where the saga stands, is one in any case. */
export function stepsFor<S>(saga: Saga<S>, state: S, at?: Step<S>): readonly Step<S>[] {
  return saga.steps.filter((step) => step === at || step.when === undefined || step.when(state))
}

/** A saga that has no pivot yet. */
export interface BeforePivot<S> {
  /** Adds a compensatable step. */
  step(name: string, spec: CompensatableSpec<S>): BeforePivot<S>
  /** Adds the pivot. */
  pivot(name: string, spec: StepSpec<S>): AfterPivot<S>
}

/** A saga that cannot be refused any more. */
export interface AfterPivot<S> {
  /** Adds a retriable step. */
  retriable(name: string, spec: StepSpec<S>): AfterPivot<S>
  /** The saga as it is. */
  end(spec?: EndSpec<S>): Saga<S>
}

/**
 * Begins a saga whose state is what `schema` describes, as JSON.
 *
 * Sagas under way go on with the next release's steps: one may be added or moved within its kind; one that is taken out, or
 * renamed, leaves those that stand at it parked.
 *
 * @example The order of the kinds is a matter of types: after the pivot there is no `step`.
 * ```ts
 * import { defineSaga } from '@flotilla/core/saga'
 * import { Type } from '@flotilla/core/schema'
 * const State = Type.Object({ sku: Type.String(), reservation: Type.Optional(Type.String()) })
 * const checkout = defineSaga('checkout', State)
 *   .step('reserve', {
 *     run: async ({ sku }, ctx) => ({ reservation: `${sku} for ${ctx.key}` }),
 *     undo: async () => ({}),
 *   })
 *   .pivot('confirm', { save: async (tx) => {} })
 *   .retriable('ship', { run: async (state, ctx) => ({}) })
 *   .end()
 * assert.deepEqual(checkout.steps.map(({ kind }) => kind), ['compensatable', 'pivot', 'retriable'])
 * ```
 */
export function defineSaga<T extends TSchema>(name: string, schema: T): BeforePivot<Static<T>> {
  type S = Static<T>
  const check = lazyCheck(schema)
  const before = (steps: readonly Step<S>[]): BeforePivot<S> => ({
    step: (step, spec) => before([...steps, { ...spec, name: step, kind: 'compensatable' }]),
    pivot: (step, spec) => after([...steps, { ...spec, name: step, kind: 'pivot' }]),
  })
  const after = (steps: readonly Step<S>[]): AfterPivot<S> => ({
    retriable: (step, spec) => after([...steps, { ...spec, name: step, kind: 'retriable' }]),
    end: (end = {}) => ({ name, steps, end, check }),
  })
  return before([])
}
