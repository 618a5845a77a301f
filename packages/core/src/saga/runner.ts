/**
 * Runs the sagas of one instance: claims what wants to run, takes each from step to step, and lets go of what has to wait.
 *
 * A saga that was begun here runs as soon as its transaction is committed, if there is room. Everything else is found by
 * looking: every half second, when the next timer of any saga is due, when room was made, and when somebody says so. What a
 * dead instance has left behind is found the same way.
 *
 * The outcome of a step and its local effects are one transaction, and the row decides whether it may take effect
 * (`rows.ts`). When the outcome of that transaction is not known, or its effects are refused, the row is read again: it tells
 * whether the saga has moved, stands where it stood, or belongs to somebody else now.
 *
 * @module
 */
import type { Timer } from '../kernel/clock.ts'
import type { Closing } from '../kernel/closing.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { FlotillaError } from '../kernel/error.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import type { Context, ServiceRuntime } from '../service/definition.ts'
import { settlesWithin } from '../store/settles-within.ts'
import type { Worker } from '../store/worker.ts'
import type { Logger } from '../telemetry/log.ts'
import { type AttemptRuntime, attemptStep, originOf } from './attempt.ts'
import { type Saga, type Step, stepsFor } from './definition.ts'
import { effectsOf } from './effects.ts'
import type { SagaMetrics } from './metrics.ts'
import { causeOf, type Outcome, type Plan, planAfter } from './plan.ts'
import { type Claimed, claimSagas, giveBackSaga, moveSaga, nextDueMs, reloadSaga } from './rows.ts'

/** With its jitter of a tenth, at most half a second. */
const LOOK_MS = 450
/** A row whose time has come and that cannot be had is somebody else's for a moment. */
const LOOK_AGAIN_MS = 25
/** With less room than one part of so many, nobody looks at once. */
const LOOK_SHARE = 4
/** Bounds what is written for one step. */
const MOVE_MS_MAX = 10_000
/** How long steps may take to end at closing; the rest is left to others. */
const LEAVE_MS_MAX = 5_000
const PAUSE = { baseMs: 50, capMs: 1_000 }

/** What the runner needs of the service. */
export interface RunnerRuntime extends AttemptRuntime {
  readonly log: Logger
  readonly closing: Closing
  readonly every: ServiceRuntime['every']
  readonly isDraining: () => boolean
}

/** What a runner is made of. */
export interface RunnerOptions {
  readonly runtime: RunnerRuntime
  readonly worker: Worker
  readonly sagas: ReadonlyMap<string, Saga<object>>
  readonly metrics: SagaMetrics
  /** Sagas at the same time. */
  readonly runningMax: number
  /** How long pivots, retriable steps and undos may fail before people are called. */
  readonly parkAfterMs: number
}

/** Runs sagas. */
export class SagaRunner {
  readonly #options: RunnerOptions
  readonly #running = new Map<string, Promise<void>>()
  /** Starts the next look at once. */
  readonly #look: () => void
  /** Room that a look under way may fill. */
  #promised = 0
  /** True while there may be more to run than there is room for. */
  #hasBacklog = false
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined
  #isStopping = false

  constructor(options: RunnerOptions) {
    this.#options = options
    const { runtime } = options
    this.#look = runtime.every('run sagas', LOOK_MS, (ctx) => this.#claim(ctx))
    runtime.closing.defer('sagas', () => this.#leave())
  }

  /** Whether one more saga can run at once; false too when others wait for their turn. */
  get hasRoom(): boolean {
    return !this.#isLeaving && !this.#hasBacklog && this.#room > 0
  }

  /** Runs a saga that this worker owns since a moment ago. */
  begin(claimed: Claimed): void {
    if (this.#running.has(claimed.id)) return
    if (this.#isLeaving || this.#room <= 0) return void this.#giveBack(claimed)
    this.#start(claimed)
  }

  /** There may be something to run. */
  look(): void {
    this.#hasBacklog = true
    // A claim for one costs as much as one for many; what is left out here, the next end or the next regular look finds.
    if (this.#room * LOOK_SHARE >= this.#options.runningMax) this.#look()
  }

  get #room(): number {
    return this.#options.runningMax - this.#running.size - this.#promised
  }

  get #isLeaving(): boolean {
    return this.#isStopping || this.#options.runtime.isDraining()
  }

  async #claim(ctx: Context): Promise<void> {
    const { worker, sagas } = this.#options
    const names = [...sagas.keys()]
    const limit = this.#room
    if (this.#isLeaving || limit <= 0) return
    this.#promised = limit
    try {
      const mine = [...this.#running.keys()]
      const claimed = await claimSagas(ctx.db, { worker: worker.id, names, mine, limit })
      this.#promised = 0
      this.#hasBacklog = claimed.length === limit
      if (this.#isStopping) for (const one of claimed) void this.#giveBack(one)
      else for (const one of claimed) this.#start(one)
      const dueMs = await nextDueMs(ctx.db, names)
      if (dueMs !== undefined) this.#lookIn(dueMs === 0 ? LOOK_AGAIN_MS : dueMs)
    } finally {
      this.#promised = 0
    }
  }

  #start(claimed: Claimed): void {
    const { id, name } = claimed
    const running = this.#drive(claimed)
      .catch((error: unknown) => {
        // Its row is still this worker's; the next look will find it forgotten.
        this.#options.runtime.log.error('a saga could not be driven', { saga: id, name, error })
      })
      .finally(() => {
        if (this.#running.get(id) === running) this.#running.delete(id)
        if (this.#hasBacklog) this.look()
      })
    this.#running.set(id, running)
  }

  async #drive(claimed: Claimed): Promise<void> {
    const saga = this.#options.sagas.get(claimed.name) as Saga<object>
    let at: Claimed | undefined = claimed
    while (at !== undefined) {
      const mistake = mistakeIn(saga, at)
      if (mistake !== undefined) return this.#park(at, mistake)
      const step = stepOf(saga, at) as Step<object>
      crashpoint('saga.before-step', at.name, placeOf(at))
      const attempt = await attemptStep(this.#options.runtime, saga, step, at)
      crashpoint('saga.after-step', at.name, placeOf(at))
      this.#options.metrics.observe(at, attempt.durationMs)
      at = await this.#settle(saga, step, at, attempt)
    }
  }

  /** Writes down what came of an attempt; gives where the saga goes on, if it does so here. */
  async #settle(
    saga: Saga<object>,
    step: Step<object>,
    from: Claimed,
    attempt: { readonly outcome: Outcome; readonly state: object },
  ): Promise<Claimed | undefined> {
    const { runtime, parkAfterMs } = this.#options
    let at = from
    let { outcome, state } = attempt
    for (let tries = 0; !this.#isStopping || tries === 0; tries++) {
      const plan = planAfter(
        stepsFor(saga, state, step),
        { ...at, step },
        outcome,
        runtime.random,
        parkAfterMs,
      )
      const effects = effectsOf(saga, step, at, plan, state)
      try {
        return await this.#move(at, plan, state, effects)
      } catch (error) {
        await runtime.clock.sleep(fullJitterMs(runtime.random, tries, PAUSE))
        // Only effects can object; without any, the database was not there, and the outcome is what it was.
        if (effects !== undefined) outcome = { kind: 'failed', error }
        const now = await this.#reload(at)
        if (now?.step !== at.step || now.direction !== at.direction) return now
        if (effects !== undefined) state = now.state
        at = now
      }
    }
    return undefined
  }

  async #move(
    at: Claimed,
    plan: Plan,
    state: object,
    effects: ReturnType<typeof effectsOf>,
  ): Promise<Claimed | undefined> {
    const { runtime, worker, metrics } = this.#options
    const move = { claimed: at, worker: worker.id, plan, state, isLeaving: this.#isLeaving }
    const moved = await runtime.run(
      `saga ${at.name}.${at.step} is recorded`,
      MOVE_MS_MAX,
      (ctx) => {
        if (effects === undefined) {
          crashpoint('saga.before-save', at.name, placeOf(at))
          return moveSaga(ctx.db, move)
        }
        return unlessNotOurs(
          ctx.db.transaction(async (tx) => {
            // At once, not one after the other: where the saga is not ours any more, nothing is committed.
            const [isMoved] = await Promise.all([moveSaga(tx, move), effects(tx, ctx)])
            if (isMoved === false) throw new NotOurs()
            crashpoint('saga.before-save', at.name, placeOf(at))
            return isMoved
          }),
        )
      },
      originOf(at),
    )
    if (moved === false) return undefined
    crashpoint('saga.after-save', at.name, placeOf(at))
    metrics.count(at, plan.entry)
    if (plan.status === 'waiting') this.#lookIn(moved)
    if (plan.status === 'parked') this.#tellPeople(at, plan)
    if (plan.status !== 'running' || plan.step === null || move.isLeaving) return undefined
    const cause = plan.isCause ? plan.error : at.cause
    const { step, direction, attempts } = plan
    return { ...at, state, step, direction, attempts, failingMs: 0, cause }
  }

  /**
   * Where the saga stands, if it is still this worker's. Asked until the database says it: to act on what was last known could be
   * to take a step twice. Undefined too when the runner stops before.
   */
  async #reload(at: Claimed): Promise<Claimed | undefined> {
    const { runtime, worker } = this.#options
    for (let tries = 0; !this.#isStopping; tries++) {
      try {
        return await runtime.run('saga is read again', MOVE_MS_MAX, (ctx) =>
          reloadSaga(ctx.db, worker.id, at),
        )
      } catch (error) {
        if (tries === 0) runtime.log.warn('a saga could not be read again', { saga: at.id, error })
        await runtime.clock.sleep(fullJitterMs(runtime.random, tries, PAUSE))
      }
    }
    return undefined
  }

  /** For a saga that this release cannot run. */
  async #park(at: Claimed, error: FlotillaError): Promise<void> {
    const { step, direction, attempts, state } = at
    const status = 'parked'
    const kept = causeOf(error)
    const plan: Plan = {
      entry: status,
      status,
      direction,
      step,
      attempts,
      waitMs: null,
      error: kept,
      isCause: false,
    }
    await this.#move(at, plan, state, undefined)
  }

  #tellPeople(at: Claimed, { error }: Plan): void {
    const { id: saga, name, step, direction } = at
    const message = 'a saga is parked: it needs somebody to find out why, and to retry it'
    this.#options.runtime.log.error(message, { saga, name, step, direction, why: error })
  }

  async #giveBack(claimed: Claimed): Promise<void> {
    const { runtime, worker } = this.#options
    try {
      await runtime.run('saga is given back', MOVE_MS_MAX, (ctx) => giveBackSaga(ctx.db, worker.id, claimed))
    } catch (error) {
      runtime.log.warn('a saga could not be given back', { saga: claimed.id, error })
    }
    this.look()
  }

  /** Looks when a timer is due, `delayMs` from now; the earliest one counts, and the look finds the next. */
  #lookIn(delayMs: number): void {
    const { clock } = this.#options.runtime
    const atMs = clock.monotonicMs() + delayMs
    if (delayMs > LOOK_MS || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return
    this.#timer?.timer.cancel()
    // A timer may fire a little early, and would find nothing due.
    const timer = clock.schedule(Math.ceil(delayMs) + 1, () => {
      this.#timer = undefined
      if (!this.#isStopping) this.#look()
    })
    this.#timer = { atMs, timer }
  }

  async #leave(): Promise<void> {
    this.#isStopping = true
    this.#timer?.timer.cancel()
    await settlesWithin(this.#options.runtime.clock, Promise.all(this.#running.values()), LEAVE_MS_MAX)
  }
}

/** Ends the transaction of a saga that somebody else runs now. */
class NotOurs extends Error {}

async function unlessNotOurs<T>(transaction: Promise<T>): Promise<T | false> {
  try {
    return await transaction
  } catch (error) {
    if (error instanceof NotOurs) return false
    throw error
  }
}

function stepOf(saga: Saga<object>, { step }: Claimed): Step<object> | undefined {
  return saga.steps.find(({ name }) => name === step)
}

/** Where a saga stands, for crash points. */
function placeOf({ step, direction }: Claimed): string {
  return direction === 'forward' ? step : `${step}.undo`
}

function mistakeIn(saga: Saga<object>, at: Claimed): FlotillaError | undefined {
  const step = stepOf(saga, at)
  if (step === undefined || (at.direction === 'backward' && step.kind !== 'compensatable')) {
    return new FlotillaError('unimplemented', `Saga ${saga.name} has no such step to go on with: ${at.step}.`)
  }
  const issues = saga.check(at.state)
  if (issues === undefined) return undefined
  return new FlotillaError('internal', `The state is not one of saga ${saga.name}: ${JSON.stringify(issues)}`)
}
