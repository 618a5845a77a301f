/**
 * One call between its admission and its answer: steps 5 to 7 of `receive.ts`.
 *
 * @module
 */
import type { CancelListener } from '../kernel/cancellation.ts'
import { asCallees, asSeenUpstream, FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { Timed, type TimerWheel } from '../kernel/timer-wheel.ts'
import type { Refusal, Waiting } from '../resilience/admission.ts'
import { runIn } from '../telemetry/active-work.ts'
import { type CallRequest, Reply, type Settle } from '../wire/wire.ts'
import { runUnderKey } from './idempotency.ts'
import { OperationScope } from './operation-scope.ts'
import { overloadError } from './overload.ts'
import type { ServedOperation } from './served.ts'

/** A call being answered; itself what waits in the wheel and in the queue, so that a call is few objects. */
export class RunningCall extends Timed implements CancelListener, Waiting {
  readonly #served: ServedOperation
  readonly #request: CallRequest
  readonly #wheel: TimerWheel
  readonly #settleWith: Settle
  readonly #scope: OperationScope
  /** The place of its class in `criticalities`. */
  readonly #rank: number
  #begunMs = 0
  #hasBegun = false
  #isSettled = false

  constructor(
    served: ServedOperation,
    request: CallRequest,
    rank: number,
    deadlineMs: number,
    wheel: TimerWheel,
    settle: Settle,
  ) {
    super()
    this.#served = served
    this.#request = request
    this.#rank = rank
    this.#wheel = wheel
    this.#settleWith = settle
    const { random } = served.service.environment.ports
    this.#scope = new OperationScope(served, request, deadlineMs, request.trace.child(random))
    wheel.add(this, deadlineMs, request.startMs)
    request.cancellation.listen(this)
  }

  /** Takes its place, among those that run or those that wait: step 2 has found that there is one. */
  enter(): void {
    const { admission } = this.#served
    const { startMs } = this.#request
    if (this.#isSettled) return
    if (admission.tryEnter(this.#rank)) this.start(startMs)
    else if (!admission.enqueue(this, this.#rank, startMs)) this.drop('full')
  }

  drop(refusal: Refusal): void {
    const { service } = this.#served
    this.#served.refused(refusal, this.#rank).add()
    this.#settle(undefined, overloadError(refusal, service.environment.ports.random))
  }

  override expire(): void {
    this.canceled(new FlotillaError('deadline_exceeded', 'The answer did not come in time.'))
  }

  canceled(error: FlotillaError): void {
    if (!this.#hasBegun) this.#served.admission.withdraw(this, this.#rank)
    this.#scope.stop(error)
    this.#settle(
      undefined,
      this.#hasBegun ? error : new FlotillaError(error.code, error.message, { executed: 'no' }),
    )
  }

  /** Steps 5 and 6; holds a place. */
  start(nowMs: number): void {
    if (nowMs >= this.#scope.deadlineMs) {
      // The wheel is about to say so, too: nobody waits for it any more.
      this.expire()
      return this.#served.admission.leave(nowMs)
    }
    this.#begunMs = nowMs
    this.#hasBegun = true
    let output: unknown
    try {
      output = this.#run()
    } catch (error) {
      return this.#failed(error)
    }
    if (output instanceof Promise) {
      output.then(
        (value) => this.#succeeded(value),
        (error) => this.#failed(error),
      )
    } else this.#succeeded(output)
  }

  #run(): unknown {
    const { operation, handler, service } = this.#served
    const { input, idempotencyKey } = this.#request
    const takesKey = operation.idempotency === 'key' || operation.idempotency === 'key_required'
    if (idempotencyKey === undefined || !takesKey || service.idempotency === undefined) {
      return runIn(this.#scope, handler, input, this.#scope)
    }
    return runUnderKey(service.idempotency, operation, input, this.#scope, (its, scope) =>
      runIn(this.#scope, handler, its, scope),
    )
  }

  /** Step 7. */
  #succeeded(output: unknown): void {
    const wrong = this.#scope.mistakeIn(output)
    if (wrong !== undefined) return this.#failed(wrong)
    const endMs = this.#nowMs()
    this.#served.admission.leave(endMs, endMs - this.#begunMs)
    this.#settle(output, undefined, endMs)
  }

  #failed(error: unknown): void {
    const { operation, admission } = this.#served
    const endMs = this.#nowMs()
    // A refusal is quick whatever the load is; only one that ran out of time tells of it.
    admission.leave(endMs, endMs >= this.#scope.deadlineMs ? endMs - this.#begunMs : undefined)
    const seen = asSeenUpstream(error, operation.reasons)
    // What the caller gets to see of these is next to nothing, so the log must have the whole.
    const isOurs = !isFlotillaError(error) || seen.code === 'internal' || seen.code === 'unknown'
    if (isOurs) this.#scope.log.error(`${operation.id} failed`, { error })
    this.#settle(undefined, seen, endMs)
  }

  #nowMs(): number {
    return this.#served.service.environment.ports.clock.monotonicMs()
  }

  #settle(output: unknown, error: FlotillaError | undefined, endMs = this.#nowMs()): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#wheel.remove(this)
    const request = this.#request
    request.cancellation.unlisten(this)
    const { operation, service, durations, attributes } = this.#served
    const code = error === undefined ? 'ok' : error.code
    const durationMs = endMs - request.startMs
    durations.observe(durationMs)
    this.#served.answered(code).add()
    service.environment.spans.record(
      operation.id,
      'server',
      this.#scope.trace,
      request.trace,
      request.startMs,
      durationMs,
      code,
      attributes,
    )
    const seen = error === undefined ? undefined : asCallees(error)
    this.#settleWith(new Reply(output, seen, undefined, endMs, this.#scope.isReplayed))
  }
}
