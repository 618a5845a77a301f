/**
 * One call between its admission and its answer: steps 4 to 7 of `receive.ts`.
 *
 * @module
 */
import type { CancelListener } from '../kernel/cancellation.ts'
import { asCallees, asSeenUpstream, FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { Timed, type TimerWheel } from '../kernel/timer-wheel.ts'
import type { Startable } from '../resilience/concurrency.ts'
import { type CallRequest, Reply, type Settle } from '../wire/wire.ts'
import { runUnderKey } from './idempotency.ts'
import { OperationScope } from './operation-scope.ts'
import type { ServedOperation } from './served.ts'

/** What a refused caller is asked to wait: about one short queue. */
const RETRY_AFTER_MS = 100

/** A call being answered; itself what waits in the wheel and in the queue, so that a call is few objects. */
export class RunningCall extends Timed implements CancelListener, Startable {
  readonly #served: ServedOperation
  readonly #request: CallRequest
  readonly #wheel: TimerWheel
  readonly #settleWith: Settle
  readonly #scope: OperationScope
  #hasBegun = false
  #isSettled = false

  constructor(
    served: ServedOperation,
    request: CallRequest,
    deadlineMs: number,
    wheel: TimerWheel,
    settle: Settle,
  ) {
    super()
    this.#served = served
    this.#request = request
    this.#wheel = wheel
    this.#settleWith = settle
    const { random } = served.service.environment.ports
    this.#scope = new OperationScope(served, request, deadlineMs, request.trace.child(random))
    wheel.add(this, deadlineMs, request.startMs)
    request.cancellation.listen(this)
  }

  /** Step 4. */
  enter(): void {
    const { bound } = this.#served.service
    if (this.#isSettled) return
    if (bound.tryEnter()) this.start()
    else if (!bound.enqueue(this)) {
      const options = { executed: 'no', retryAfterMs: RETRY_AFTER_MS } as const
      this.#settle(undefined, new FlotillaError('unavailable', 'Too much to do right now.', options))
    }
  }

  override expire(): void {
    this.canceled(new FlotillaError('deadline_exceeded', 'The answer did not come in time.'))
  }

  canceled(error: FlotillaError): void {
    if (!this.#hasBegun) this.#served.service.bound.withdraw(this)
    this.#scope.stop(error)
    this.#settle(
      undefined,
      this.#hasBegun ? error : new FlotillaError(error.code, error.message, { executed: 'no' }),
    )
  }

  /** Steps 5 and 6; holds a place in the bound. */
  start(): void {
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
      return handler(input, this.#scope)
    }
    return runUnderKey(service.idempotency, operation, input, this.#scope, handler)
  }

  /** Step 7. */
  #succeeded(output: unknown): void {
    const wrong = this.#scope.mistakeIn(output)
    if (wrong !== undefined) return this.#failed(wrong)
    this.#served.service.bound.leave()
    this.#settle(output, undefined)
  }

  #failed(error: unknown): void {
    const { operation, service } = this.#served
    service.bound.leave()
    const seen = asSeenUpstream(error, operation.reasons)
    // What the caller gets to see of these is next to nothing, so the log must have the whole.
    const isOurs = !isFlotillaError(error) || seen.code === 'internal' || seen.code === 'unknown'
    if (isOurs) this.#scope.log.error(`${operation.id} failed`, { error })
    this.#settle(undefined, seen)
  }

  #settle(output: unknown, error: FlotillaError | undefined): void {
    if (this.#isSettled) return
    this.#isSettled = true
    this.#wheel.remove(this)
    const request = this.#request
    request.cancellation.unlisten(this)
    const { operation, service, durations } = this.#served
    const code = error === undefined ? 'ok' : error.code
    const endMs = service.environment.ports.clock.monotonicMs()
    const durationMs = endMs - request.startMs
    durations.observe(durationMs)
    this.#served.answered(code).add()
    service.spans.record(
      operation.id,
      'server',
      this.#scope.trace,
      request.trace,
      request.startMs,
      durationMs,
      code,
    )
    const seen = error === undefined ? undefined : asCallees(error)
    this.#settleWith(new Reply(output, seen, undefined, endMs, this.#scope.isReplayed))
  }
}
