/**
 * Calls to services in other processes: steps 2 to 5 of `client.ts`.
 *
 * @module
 */
import { refusedRequest } from '../contract/admission.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Ports } from '../kernel/context.ts'
import { type ErrorOptions, FlotillaError, isFlotillaError, isRetryable } from '../kernel/error.ts'
import type { Directory } from '../registry/directory.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import { type CallRequest, Reply } from '../wire/wire.ts'
import { type Connected, sendTo } from './attempt.ts'
import { HedgedCall } from './hedged-call.ts'
import type { Callee, OutgoingOperation } from './outgoing.ts'
import type { Target } from './target.ts'

/** Calls in all, the first included. */
const ATTEMPTS_MAX = 3
const BACKOFF = { baseMs: 25, capMs: 1_000 }

/** What it takes. */
export interface RemoteOptions {
  readonly ports: Ports
  readonly directory: Directory
}

/** Makes a call, again if that is hopeful and safe. Never rejects. */
export async function callRemote(
  outgoing: OutgoingOperation,
  request: CallRequest,
  options: RemoteOptions,
): Promise<Reply> {
  const { startMs } = request
  const invalid = refusal(request)
  if (invalid !== undefined) return Reply.failed(invalid, startMs)
  outgoing.refresh()
  const { gate } = outgoing
  const permit = gate.enter(request, startMs)
  if (typeof permit !== 'number') {
    outgoing.decided(refusals[permit], request, startMs)
    return Reply.failed(ofCallee(gate.refusalOf(permit, startMs)), startMs)
  }
  const reply = await attemptAll(outgoing, request, options)
  const { error, endMs } = reply
  const hasOpened = gate.leave(permit, gate.outcomeOf(error, endMs - startMs, endMs), endMs)
  if (hasOpened) outgoing.decided('breaker_opened', request, endMs)
  return error === undefined ? reply : Reply.failed(ofCallee(error), endMs, reply.isReplayed)
}

const refusals = { full: 'bulkhead_refused', late: 'late_refused', open: 'breaker_refused' } as const

/**
 * Not being reached is a failure of the callee like those it tells of itself: whoever lets it escape must show neither
 * its name nor its address, and nobody further up is to try again what was tried here.
 */
function ofCallee(error: FlotillaError): FlotillaError {
  if (error.isRemote) return error
  return new FlotillaError(
    error.code,
    error.message,
    { ...error.toBody(), cause: error.cause ?? error },
    true,
  )
}

async function attemptAll(
  outgoing: OutgoingOperation,
  request: CallRequest,
  options: RemoteOptions,
): Promise<Reply> {
  const { callee } = outgoing
  const { clock, random } = options.ports
  const { operation, deadlineMs } = request
  const takesKey = operation.idempotency === 'key' || operation.idempotency === 'key_required'
  const isIdempotent = operation.isIdempotent || (takesKey && request.idempotencyKey !== undefined)
  callee.budget.deposit(request.startMs)
  let tried: Set<Target> | undefined
  let mayHaveRun = false
  for (let attempt = 1; ; attempt++) {
    const picked = outgoing.pick(request, tried, clock.monotonicMs())
    const reached = connected(callee, picked) ?? (await reach(outgoing, request, picked, tried, options))
    if ('error' in reached) return honest(Reply.failed(reached.error, clock.monotonicMs()), mayHaveRun)
    const reply = honest(await attemptOn(outgoing, reached, request, clock), mayHaveRun)
    if (reply.error === undefined || !isRetryable(reply.error, isIdempotent)) return reply
    const { error, endMs } = reply
    if (attempt === ATTEMPTS_MAX || !outgoing.gate.isCalm) return exhausted(error, endMs)
    const waitMs = (error.retryAfterMs ?? 0) + fullJitterMs(random, attempt - 1, BACKOFF)
    // Before the budget: a retry that cannot be made must not use up another call's.
    if (endMs + waitMs >= deadlineMs) return reply
    if (!callee.budget.tryWithdraw(endMs)) {
      outgoing.decided('retry_refused', request, endMs)
      return exhausted(error, endMs)
    }
    mayHaveRun ||= error.executed === 'maybe'
    outgoing.decided('retried', request, endMs)
    tried ??= new Set()
    tried.add(reached.target)
    await clock.sleep(waitMs, request.cancellation.signal).catch(() => {
      // Canceled: the next attempt says so.
    })
  }
}

/** Opens a stream on one instance. */
export async function* openStream(
  outgoing: OutgoingOperation,
  request: CallRequest,
  options: RemoteOptions,
): AsyncGenerator<unknown> {
  const refused = refusal(request)
  if (refused !== undefined) throw refused
  const picked = outgoing.pick(request, undefined, options.ports.clock.monotonicMs())
  const reached = await reach(outgoing, request, picked, undefined, options)
  if ('error' in reached) throw ofCallee(reached.error)
  try {
    yield* reached.channel.stream(request)
  } catch (error) {
    throw isFlotillaError(error) ? ofCallee(error) : error
  }
}

type Reached = Connected | { readonly error: FlotillaError }

/** Step 5 as nearly every call takes it: an instance that is connected already. */
function connected({ readiness }: Callee, target: Target | undefined): Connected | undefined {
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
async function reach(
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

/** Steps 6 to 8. */
function attemptOn(
  outgoing: OutgoingOperation,
  connected: Connected,
  request: CallRequest,
  clock: Clock,
): Promise<Reply> {
  const sentMs = clock.monotonicMs()
  const pointless = request.cancellation.error ?? (sentMs >= request.deadlineMs ? timeIsUp() : undefined)
  if (pointless !== undefined) return Promise.resolve(Reply.failed(pointless, sentMs))
  const known = outgoing.hedgeable(sentMs)
  return new Promise((resolve) => {
    if (known === undefined) sendTo(outgoing, connected, request, sentMs, resolve)
    else new HedgedCall(outgoing, request, clock, resolve).begin(connected, known, sentMs)
  })
}

/** An attempt that never began says nothing of those before it. */
function honest(reply: Reply, mayHaveRun: boolean): Reply {
  if (!mayHaveRun || reply.error === undefined || reply.error.executed === 'maybe') return reply
  return Reply.failed(saying(reply.error, { executed: 'maybe' }), reply.endMs)
}

/** The failure, telling callers further up that retrying was tried. */
function exhausted(error: FlotillaError, endMs: number): Reply {
  return Reply.failed(saying(error, { isExhausted: true }), endMs)
}

/** The same error, saying something more; whose it is remains as it was. */
function saying(error: FlotillaError, more: Pick<ErrorOptions, 'executed' | 'isExhausted'>): FlotillaError {
  const options = { ...error.toBody(), cause: error.cause ?? error, ...more }
  return new FlotillaError(error.code, error.message, options, error.isRemote)
}

function timeIsUp(): FlotillaError {
  return new FlotillaError('deadline_exceeded', 'No time left to begin.', { executed: 'no' })
}

/** Step 2. The refusal is the callee's, spoken by us: whoever lets it escape shows the same as if the callee had. */
function refusal(request: CallRequest): FlotillaError | undefined {
  const refused = refusedRequest(request.operation, request.input, request)
  return refused && FlotillaError.fromBody(refused.toBody())
}
