/**
 * One attempt of one step: the half that acts on the outside.
 *
 * @module
 */
import type { Cancellation } from '../kernel/cancellation.ts'
import type { Ports } from '../kernel/context.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import type { Context, Origin, ServiceRuntime } from '../service/definition.ts'
import type { SpanRecorder } from '../telemetry/spans.ts'
import type { Saga, Step, StepContext } from './definition.ts'
import { Later, type Outcome, outcomeOf, Refusal } from './plan.ts'
import type { Claimed } from './rows.ts'

const TIMEOUT_MS = 10_000

/** What came of an attempt. */
export interface Attempt {
  readonly outcome: Outcome
  /** With what the step returned. */
  readonly state: object
  readonly durationMs: number
}

/** What attempts need of the service. */
export interface AttemptRuntime extends Ports {
  readonly run: ServiceRuntime['run']
  readonly spans: SpanRecorder
}

/** Runs, or undoes, the step at which the saga stands; never rejects. */
export async function attemptStep(
  runtime: AttemptRuntime,
  saga: Saga<object>,
  step: Step<object>,
  claimed: Claimed,
): Promise<Attempt> {
  const { clock, random } = runtime
  const parent = traceOf(claimed)
  const trace = parent?.child(random) ?? TraceContext.start(random, false)
  const startMs = clock.monotonicMs()
  const label = `saga ${saga.name}.${step.name}${claimed.direction === 'forward' ? '' : ' undo'}`
  let outcome: Outcome = { kind: 'done' }
  let { state } = claimed
  try {
    const patch = await runtime.run(
      label,
      step.timeoutMs ?? TIMEOUT_MS,
      (ctx) => unlessStopped(ctx.cancellation, act(step, claimed, ctx)),
      { trace, criticality: 'critical' },
    )
    state = merged(saga, state, patch)
  } catch (error) {
    outcome = outcomeOf(error)
  }
  const durationMs = clock.monotonicMs() - startMs
  const code =
    outcome.kind !== 'failed' ? 'ok' : isFlotillaError(outcome.error) ? outcome.error.code : 'internal'
  const { id, direction, attempts } = claimed
  runtime.spans.record(label, 'internal', trace, parent, startMs, durationMs, code, {
    'flotilla.saga': id,
    'flotilla.saga.direction': direction,
    'flotilla.saga.attempt': attempts,
    'flotilla.saga.outcome': outcome.kind,
  })
  return { outcome, state, durationMs }
}

/** Where the work that a saga does comes from; for the half that acts on the database. */
export function originOf(claimed: Claimed): Origin {
  const trace = traceOf(claimed)
  return { criticality: 'critical', ...(trace === undefined ? {} : { trace }) }
}

/** `ctx` with what a step has besides. It must be the step's own, for it is changed. */
export function stepContext(ctx: Context, { id, step, attempts }: Claimed): StepContext {
  return Object.assign(ctx, {
    sagaId: id,
    key: `${id}:${step}`,
    attempt: attempts,
    refuse: (reason: string, detail: string, data?: unknown) =>
      new Refusal('failed_precondition', detail, { reason, data }),
    later: (delayMs: number) => new Later(delayMs),
  })
}

async function act(step: Step<object>, claimed: Claimed, ctx: Context): Promise<object | undefined> {
  const own = stepContext(ctx, claimed)
  return claimed.direction === 'forward' ? step.run?.(claimed.state, own) : step.undo?.(claimed.state, own)
}

function traceOf({ trace }: Claimed): TraceContext | undefined {
  return TraceContext.parse(trace)
}

/** As it will be read again: a step must not see more of the state than one in another process would. */
function merged(saga: Saga<object>, state: object, patch: object | undefined): object {
  if (patch === undefined) return state
  const next = JSON.parse(JSON.stringify({ ...state, ...patch })) as object
  const issues = saga.check(next)
  if (issues === undefined) return next
  throw new FlotillaError(
    'internal',
    `The state of saga ${saga.name} is not valid: ${JSON.stringify(issues)}`,
  )
}

/** Work that does not heed its deadline is left behind; what it may still do, the next attempt does with the same key. */
function unlessStopped<T>(cancellation: Cancellation, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    work.then(resolve, reject)
    cancellation.listen({ canceled: reject })
  })
}
