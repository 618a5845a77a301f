/**
 * A channel to an instance: step 5 of `client.ts`.
 *
 * @module
 */
import type { Ports } from '../kernel/context.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { Directory } from '../registry/directory.ts'
import type { CallRequest } from '../wire/wire.ts'
import type { Connected } from './attempt.ts'
import type { Callee, OutgoingOperation } from './outgoing.ts'
import type { Target } from './target.ts'

/** What it takes. */
export interface RemoteOptions {
  readonly ports: Ports
  readonly directory: Directory
}

/** An instance that can be sent to, or why there is none. */
export type Reached = Connected | { readonly error: FlotillaError }

/** Step 5 as nearly every call takes it: an instance that is connected already. */
export function connected({ readiness }: Callee, target: Target | undefined): Connected | undefined {
  const channel = target?.channel
  if (target === undefined || channel === undefined) return undefined
  readiness.reached()
  return { target, channel }
}

/** Nobody was reached: why the last one was not, or that there is none. */
function unreached({ service }: Callee, last: FlotillaError | undefined): Reached {
  const error =
    last ?? new FlotillaError('unavailable', `There is no instance of ${service}.`, { executed: 'no' })
  return { error }
}

/**
 * Step 5 with all it may take: connects, tries others, waits a little when there is none. `picked` is who comes first: to pick again would pass over
 * those that are not connected, for ever where policies take turns.
 */
export async function reach(
  outgoing: OutgoingOperation,
  request: CallRequest,
  picked: Target | undefined,
  tried: ReadonlySet<Target> | undefined,
  options: RemoteOptions,
): Promise<Reached> {
  const { callee } = outgoing
  const { clock } = options.ports
  let unreachable: Set<Target> | undefined
  let error: FlotillaError | undefined
  let next = picked
  for (let waits = 0; ; next = undefined) {
    const target = next ?? choose(outgoing, request, tried, unreachable, clock.monotonicMs())
    if (target === undefined) {
      if (request.cancellation.error !== undefined) return { error: request.cancellation.error }
      if (!(await callee.readiness.wait(waits++, request.deadlineMs))) return unreached(callee, error)
      unreachable = undefined
      continue
    }
    try {
      const channel = target.channel ?? (await whileItMatters(target.connect(), request, options))
      callee.readiness.reached()
      return { target, channel }
    } catch (caught) {
      // The attempt to connect goes on for others, and tells nothing of the instance yet.
      if (caught === GIVEN_UP) return { error: request.cancellation.error ?? timeIsUp() }
      error = caught as FlotillaError
      target.breaker.fail(clock.monotonicMs())
      options.directory.report(target.instance)
      unreachable ??= new Set(tried)
      unreachable.add(target)
    }
  }
}

/** Where every instance was tried, one that was is better than none; one that cannot be reached is not. */
function choose(
  outgoing: OutgoingOperation,
  request: CallRequest,
  tried: ReadonlySet<Target> | undefined,
  unreachable: ReadonlySet<Target> | undefined,
  nowMs: number,
): Target | undefined {
  const untried = outgoing.pick(request, unreachable ?? tried, nowMs)
  if (untried !== undefined || unreachable !== undefined) return untried
  return outgoing.pick(request, undefined, nowMs)
}

const GIVEN_UP = Symbol('given up')

/**
 * What becomes of `opening` while the call matters.
 *
 * @throws GIVEN_UP at the call's deadline or cancellation; what `opening` throws.
 */
async function whileItMatters<T>(
  opening: Promise<T>,
  request: CallRequest,
  { ports }: RemoteOptions,
): Promise<T> {
  const { cancellation, deadlineMs } = request
  let giveUp = (): void => {}
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = () => reject(GIVEN_UP)
  })
  const listener = { canceled: giveUp }
  const leftMs = deadlineMs - ports.clock.monotonicMs()
  // Calls a process makes for its own sake may have no deadline.
  const timer = Number.isFinite(leftMs) ? ports.clock.schedule(Math.max(0, leftMs), giveUp) : undefined
  cancellation.listen(listener)
  try {
    return await Promise.race([opening, givenUp])
  } finally {
    timer?.cancel()
    cancellation.unlisten(listener)
  }
}

/** Nothing could be sent before the deadline. */
export function timeIsUp(): FlotillaError {
  return new FlotillaError('deadline_exceeded', 'No time left to begin.', { executed: 'no' })
}
