/**
 * The sagas of one service: begun in the transaction of what they follow from, and run by whichever instance has room.
 *
 * @module
 */
import type { CallContext } from '../kernel/context.ts'
import { crashpoint } from '../kernel/crashpoint.ts'
import { FlotillaError } from '../kernel/error.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import type { Queries } from '../store/queries.ts'
import type { Transaction } from '../store/transaction.ts'
import type { Worker } from '../store/worker.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { queuePlace, type SagaHistory, showSaga } from './admin.ts'
import { type Saga, stepsFor } from './definition.ts'
import { SagaMetrics } from './metrics.ts'
import { countSagas, insertSaga, pruneSagas } from './rows.ts'
import { type RunnerRuntime, SagaRunner } from './runner.ts'
import { wakeSaga } from './wake.ts'

const RUNNING_MAX = 64
const PARK_AFTER_MS = 3_600_000
const COUNT_MS = 10_000
const PRUNE_MS = 600_000

/** What sagas need of the service; a `ServiceRuntime` fits. */
export interface SagasRuntime extends RunnerRuntime {
  readonly worker: Worker | undefined
  readonly metrics: Metrics
}

/** What may be said about a service's sagas. */
export interface SagasOptions {
  /** How many this instance runs at the same time; more wait for their turn, in the order of starting. Default 64. */
  readonly runningMax?: number
  /** How long pivots, retriable steps and undos may fail before the saga is parked for people. Default an hour. */
  readonly parkAfterMs?: number
}

/** The sagas of a service. */
export interface Sagas {
  /**
   * Begins a saga in the caller's transaction; it runs once that is committed. A second start with the same id does nothing. Gives
   * whether it will run at once; otherwise it has to stand in line first.
   *
   * @param id unique among all sagas of the service, 1 to 128 characters: that of what the saga is about.
   * @param origin whose trace its steps are part of: the context of the call. Default a new trace.
   * @throws FlotillaError `internal` when the state is not what the saga's schema says, or no step is for it.
   */
  start<S extends object>(
    tx: Transaction,
    saga: Saga<S>,
    id: string,
    state: S,
    origin?: Pick<CallContext, 'trace'>,
  ): Promise<boolean>
  /**
   * Ends a saga's waiting: it goes on once the transaction is committed. One that runs at the moment does not wait when its
   * step says `later`. Does nothing when the saga has ended, is parked or does not exist.
   */
  wake(tx: Transaction, id: string): Promise<void>
  /** A saga with its history; undefined when there is none with this id. */
  find(queries: Queries, id: string): Promise<SagaHistory | undefined>
  /** How many sagas are in line before this one comes to run, itself included; undefined when it does not stand in line. */
  queuePlace(queries: Queries, id: string): Promise<number | undefined>
}

/**
 * Opens the sagas of a service: from now on this instance runs them, those of other instances that died too. For
 * `defineService({ open })`.
 *
 * @throws FlotillaError `internal` when the service has no database, or two sagas have one name.
 */
export function openSagas(
  runtime: SagasRuntime,
  sagas: readonly Saga<object>[],
  options: SagasOptions = {},
): Sagas {
  const { worker, random } = runtime
  if (worker === undefined) throw new FlotillaError('internal', 'A service without a database has no sagas.')
  const byName = new Map(sagas.map((saga) => [saga.name, saga]))
  if (byName.size < sagas.length) throw new FlotillaError('internal', 'Two sagas have the same name.')
  const metrics = new SagaMetrics(runtime.metrics, [...byName.keys()])
  const { runningMax = RUNNING_MAX, parkAfterMs = PARK_AFTER_MS } = options
  const runner = new SagaRunner({ runtime, worker, sagas: byName, metrics, runningMax, parkAfterMs })
  runtime.every('count sagas', COUNT_MS, async (ctx) => metrics.set(await countSagas(ctx.db)))
  runtime.every('forget old sagas', PRUNE_MS, (ctx) => pruneSagas(ctx.db))
  return {
    async start(tx, saga, id, state, origin) {
      const { name } = saga
      if (byName.get(name) !== saga) throw new FlotillaError('internal', `Saga ${name} was not opened.`)
      const issues = saga.check(state)
      if (issues !== undefined) {
        throw new FlotillaError('internal', `Not a state of saga ${name}: ${JSON.stringify(issues)}`)
      }
      const step = stepsFor(saga, state)[0]?.name
      if (step === undefined) throw new FlotillaError('internal', `Saga ${name} has nothing to do.`)
      const trace = (origin?.trace ?? TraceContext.start(random, false)).toString()
      const isHere = runner.hasRoom
      const owner = isHere ? worker.id : null
      if (!(await insertSaga(tx, { id, name, state, step, trace, owner }))) return false
      const copy = JSON.parse(JSON.stringify(state)) as object
      const claimed = {
        id,
        name,
        state: copy,
        step,
        direction: 'forward',
        attempts: 0,
        failingMs: 0,
      } as const
      tx.afterCommit(() => {
        crashpoint('saga.after-start', name)
        if (isHere) runner.begin({ ...claimed, fencing: 0, cause: null, trace })
        else runner.look()
      })
      return isHere
    },
    async wake(tx, id) {
      await wakeSaga(tx, id)
      tx.afterCommit(() => runner.look())
    },
    find: showSaga,
    queuePlace,
  }
}
