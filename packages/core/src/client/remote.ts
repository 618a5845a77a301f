/**
 * Calls to services in other processes: steps 2 to 8 of `client.ts`.
 *
 * @module
 */
import { refusedRequest } from '../contract/admission.ts'
import { type ErrorOptions, FlotillaError, isFlotillaError, isRetryable } from '../kernel/error.ts'
import { fullJitterMs } from '../resilience/backoff.ts'
import { type CallRequest, Reply, type Settle } from '../wire/wire.ts'
import { type Connected, sendTo } from './attempt.ts'
import { HedgedCall } from './hedged-call.ts'
import type { OutgoingOperation } from './outgoing.ts'
import { connected, type RemoteOptions, reach, timeIsUp } from './reach.ts'
import type { Target } from './target.ts'

/** Calls in all, the first included. */
const ATTEMPTS_MAX = 3
const BACKOFF = { baseMs: 25, capMs: 1_000 }

/** Makes a call, again if that is hopeful and safe. */
export function callRemote(
  outgoing: OutgoingOperation,
  request: CallRequest,
  options: RemoteOptions,
  settle: Settle,
): void {
  const { startMs } = request
  const invalid = refusal(request)
  if (invalid !== undefined) return settle(Reply.failed(invalid, startMs))
  outgoing.refresh()
  const { gate } = outgoing
  const permit = gate.enter(request, startMs)
  if (typeof permit !== 'number') {
    outgoing.decided(refusals[permit], request, startMs)
    return settle(Reply.failed(ofCallee(gate.refusalOf(permit, startMs)), startMs))
  }
  outgoing.callee.budget.deposit(startMs)
  new RemoteCall(outgoing, request, options, permit, settle).attempt()
}

const refusals = { full: 'bulkhead_refused', late: 'late_refused', open: 'breaker_refused' } as const

/**
 * A call on its way through its attempts. Callbacks and not promises: nearly every call has one attempt, on a connection that is open,
 * and would pay for four promises.
 */
class RemoteCall {
  readonly #outgoing: OutgoingOperation
  readonly #request: CallRequest
  readonly #options: RemoteOptions
  readonly #permit: number
  readonly #settle: Settle
  #attempts = 0
  #tried: Set<Target> | undefined
  #mayHaveRun = false

  constructor(
    outgoing: OutgoingOperation,
    request: CallRequest,
    options: RemoteOptions,
    permit: number,
    settle: Settle,
  ) {
    this.#outgoing = outgoing
    this.#request = request
    this.#options = options
    this.#permit = permit
    this.#settle = settle
  }

  /** Step 5. */
  attempt(): void {
    const { clock } = this.#options.ports
    const nowMs = clock.monotonicMs()
    this.#attempts++
    const picked = this.#outgoing.pick(this.#request, this.#tried, nowMs)
    const its = connected(this.#outgoing.callee, picked)
    if (its !== undefined) return this.#send(its, nowMs)
    void reach(this.#outgoing, this.#request, picked, this.#tried, this.#options).then((reached) => {
      if ('error' in reached) this.#end(this.#honest(Reply.failed(reached.error, clock.monotonicMs())))
      else this.#send(reached, clock.monotonicMs())
    })
  }

  /** Steps 6 to 8. */
  #send(its: Connected, sentMs: number): void {
    const outgoing = this.#outgoing
    const request = this.#request
    const pointless = request.cancellation.error ?? (sentMs >= request.deadlineMs ? timeIsUp() : undefined)
    if (pointless !== undefined) return this.#ended(its.target, Reply.failed(pointless, sentMs))
    const settle: Settle = (reply) => this.#ended(its.target, reply)
    const known = outgoing.hedgeable(sentMs)
    if (known === undefined) sendTo(outgoing, its, request, sentMs, settle)
    else new HedgedCall(outgoing, request, this.#options.ports.clock, settle).begin(its, known, sentMs)
  }

  /** Step 4. */
  #ended(target: Target, its: Reply): void {
    if (its.error === undefined) return this.#end(its)
    const reply = this.#honest(its)
    const { error = its.error, endMs } = reply
    const { operation, idempotencyKey, deadlineMs, cancellation } = this.#request
    const takesKey = operation.idempotency === 'key' || operation.idempotency === 'key_required'
    const isIdempotent = operation.isIdempotent || (takesKey && idempotencyKey !== undefined)
    if (!isRetryable(error, isIdempotent)) return this.#end(reply)
    const { callee, gate } = this.#outgoing
    if (this.#attempts === ATTEMPTS_MAX || !gate.isCalm) return this.#end(exhausted(error, endMs))
    const { clock, random } = this.#options.ports
    const waitMs = (error.retryAfterMs ?? 0) + fullJitterMs(random, this.#attempts - 1, BACKOFF)
    // Before the budget: a retry that cannot be made must not use up another call's.
    if (endMs + waitMs >= deadlineMs) return this.#end(reply)
    if (!callee.budget.tryWithdraw(endMs)) {
      this.#outgoing.decided('retry_refused', this.#request, endMs)
      return this.#end(exhausted(error, endMs))
    }
    this.#mayHaveRun ||= error.executed === 'maybe'
    this.#outgoing.decided('retried', this.#request, endMs)
    this.#tried ??= new Set()
    this.#tried.add(target)
    void clock
      .sleep(waitMs, cancellation.signal)
      .catch(() => {
        // Canceled: the next attempt says so.
      })
      .then(() => this.attempt())
  }

  #end(reply: Reply): void {
    const { error, endMs } = reply
    const { gate } = this.#outgoing
    const outcome = gate.outcomeOf(error, endMs - this.#request.startMs, endMs)
    const hasOpened = gate.leave(this.#permit, outcome, endMs)
    if (hasOpened) this.#outgoing.decided('breaker_opened', this.#request, endMs)
    this.#settle(error === undefined ? reply : Reply.failed(ofCallee(error), endMs, reply.isReplayed))
  }

  /** An attempt that never began says nothing of those before it. */
  #honest(reply: Reply): Reply {
    if (!this.#mayHaveRun || reply.error === undefined || reply.error.executed === 'maybe') return reply
    return Reply.failed(saying(reply.error, { executed: 'maybe' }), reply.endMs)
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

/** The failure, telling callers further up that retrying was tried. */
function exhausted(error: FlotillaError, endMs: number): Reply {
  return Reply.failed(saying(error, { isExhausted: true }), endMs)
}

/** The same error, saying something more; whose it is remains as it was. */
function saying(error: FlotillaError, more: Pick<ErrorOptions, 'executed' | 'isExhausted'>): FlotillaError {
  const options = { ...error.toBody(), cause: error.cause ?? error, ...more }
  return new FlotillaError(error.code, error.message, options, error.isRemote)
}

/** Step 2. The refusal is the callee's, spoken by us: whoever lets it escape shows the same as if the callee had. */
function refusal(request: CallRequest): FlotillaError | undefined {
  const refused = refusedRequest(request.operation, request.input, request)
  return refused && FlotillaError.fromBody(refused.toBody())
}
