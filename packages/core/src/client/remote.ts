/**
 * Calls to services in other processes: steps 2 to 6 of `client.ts`.
 *
 * @module
 */
import { refusedRequest } from '../contract/admission.ts'
import type { Ports } from '../kernel/context.ts'
import { FlotillaError, isFlotillaError, isRetryable } from '../kernel/error.ts'
import type { Directory } from '../registry/directory.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import { type CallRequest, type Channel, Reply } from '../wire/wire.ts'
import type { Callee, OutgoingOperation } from './outgoing.ts'
import { isInstanceFailure, type Target } from './target.ts'

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
  const reply = await attemptAll(outgoing, request, options)
  return reply.error === undefined
    ? reply
    : Reply.failed(ofCallee(reply.error), reply.endMs, reply.isReplayed)
}

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
  const refused = refusal(request)
  if (refused !== undefined) return Reply.failed(refused, request.startMs)
  const takesKey = operation.idempotency === 'key' || operation.idempotency === 'key_required'
  const isIdempotent = operation.isIdempotent || (takesKey && request.idempotencyKey !== undefined)
  callee.budget.deposit(request.startMs)
  let tried: Set<Target> | undefined
  let mayHaveRun = false
  for (let attempt = 1; ; attempt++) {
    const reached =
      reachNow(outgoing, request, tried, clock.monotonicMs()) ??
      (await reach(outgoing, request, tried, options))
    if ('error' in reached) return honest(Reply.failed(reached.error, clock.monotonicMs()), mayHaveRun)
    const reply = honest(await attemptOn(reached, request, options), mayHaveRun)
    if (reply.error === undefined || !isRetryable(reply.error, isIdempotent)) return reply
    if (attempt === ATTEMPTS_MAX) return exhausted(reply.error, reply.endMs)
    const waitMs = (reply.error.retryAfterMs ?? 0) + fullJitterMs(random, attempt - 1, BACKOFF)
    // Before the budget: a retry that cannot be made must not use up another call's.
    if (reply.endMs + waitMs >= deadlineMs) return reply
    if (!callee.budget.tryWithdraw(reply.endMs)) return exhausted(reply.error, reply.endMs)
    mayHaveRun ||= reply.error.executed === 'maybe'
    callee.retries.add()
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
  const reached = await reach(outgoing, request, undefined, options)
  if ('error' in reached) throw ofCallee(reached.error)
  try {
    yield* reached.channel.stream(request)
  } catch (error) {
    throw isFlotillaError(error) ? ofCallee(error) : error
  }
}

type Reached = { readonly target: Target; readonly channel: Channel } | { readonly error: FlotillaError }

/** Step 4 as nearly every call takes it: an instance that is connected already. */
function reachNow(
  outgoing: OutgoingOperation,
  request: CallRequest,
  tried: ReadonlySet<Target> | undefined,
  nowMs: number,
): Reached | undefined {
  const target = outgoing.pick(request, tried, nowMs)
  const channel = target?.channel
  if (target === undefined || channel === undefined) return undefined
  outgoing.callee.readiness.reached()
  return { target, channel }
}

/** Nobody was reached: why the last one was not, or that there is none. */
function unreached({ service }: Callee, last: FlotillaError | undefined): Reached {
  const error =
    last ?? new FlotillaError('unavailable', `There is no instance of ${service}.`, { executed: 'no' })
  return { error }
}

/** Step 4 with all it may take: connects, tries others, waits a little when there is none. */
async function reach(
  outgoing: OutgoingOperation,
  request: CallRequest,
  tried: ReadonlySet<Target> | undefined,
  options: RemoteOptions,
): Promise<Reached> {
  const { callee } = outgoing
  const { clock } = options.ports
  let unreachable: Set<Target> | undefined
  let error: FlotillaError | undefined
  for (let waits = 0; ; ) {
    const nowMs = clock.monotonicMs()
    // Where every instance was tried, one that was is better than none; one that cannot be reached is not.
    const untried = outgoing.pick(request, unreachable ?? tried, nowMs)
    const target =
      untried ?? (unreachable === undefined ? outgoing.pick(request, undefined, nowMs) : undefined)
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

/** Steps 5 and 6. */
function attemptOn(
  { target, channel }: { readonly target: Target; readonly channel: Channel },
  request: CallRequest,
  options: RemoteOptions,
): Promise<Reply> {
  const sentMs = options.ports.clock.monotonicMs()
  const pointless = request.cancellation.error ?? (sentMs >= request.deadlineMs ? timeIsUp() : undefined)
  if (pointless !== undefined) return Promise.resolve(Reply.failed(pointless, sentMs))
  target.ewma.begin()
  target.breaker.begin(sentMs)
  return new Promise((resolve) => {
    channel.call(request, (reply) => {
      const { error, endMs } = reply
      const hasFailed = error !== undefined && isInstanceFailure(error)
      // Who has too much to do is as slow as it asks us to wait, and others get more of the calls.
      const busyMs = error?.isOverloaded ? (error.retryAfterMs ?? 0) : 0
      target.ewma.end(endMs, endMs - sentMs + busyMs, hasFailed)
      if (hasFailed) {
        target.breaker.fail(endMs)
        if (!error.isRemote) options.directory.report(target.instance)
      } else if (error?.isOverloaded || error?.code === 'canceled') target.breaker.abandon(endMs)
      else target.succeed(endMs)
      resolve(reply)
    })
  })
}

/** An attempt that never began says nothing of those before it. */
function honest(reply: Reply, mayHaveRun: boolean): Reply {
  if (!mayHaveRun || reply.error === undefined || reply.error.executed === 'maybe') return reply
  return Reply.failed(FlotillaError.fromBody({ ...reply.error.toBody(), executed: 'maybe' }), reply.endMs)
}

/** The failure, telling callers further up that retrying was tried. */
function exhausted(error: FlotillaError, endMs: number): Reply {
  return Reply.failed(FlotillaError.fromBody({ ...error.toBody(), isExhausted: true }), endMs)
}

function timeIsUp(): FlotillaError {
  return new FlotillaError('deadline_exceeded', 'No time left to begin.', { executed: 'no' })
}

/** Step 2. The refusal is the callee's, spoken by us: whoever lets it escape shows the same as if the callee had. */
function refusal(request: CallRequest): FlotillaError | undefined {
  const refused = refusedRequest(request.operation, request.input, request)
  return refused && FlotillaError.fromBody(refused.toBody())
}
