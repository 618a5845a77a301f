/**
 * What a call passes coming in, in this order (the mirror of `client/client.ts`):
 *
 * 1. deadline: work nobody waits for is not begun, and the answer goes out before the caller's own time is up
 * 2. authorisation: before anything of the input is looked at
 * 3. validation of the input and of the idempotency key
 * 4. concurrency bound: a short wait, then refusal; what is refused here has cost next to nothing
 * 5. idempotency: a repeat gets the stored answer
 * 6. the handler
 * 7. validation of the output: a service never says what its contract does not allow
 *
 * The answer is settled once: by the handler, by the deadline, or by the caller giving up. A handler that goes on
 * after that keeps its place in the bound until it really ends.
 *
 * @module
 */
import { refusedRequest } from '../contract/admission.ts'
import type { Operation } from '../contract/operation.ts'
import { asCallees, asSeenUpstream, FlotillaError } from '../kernel/error.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import { type CallRequest, type Receiver, Reply, type Settle } from '../wire/wire.ts'
import { RunningCall } from './running-call.ts'
import type { ServedOperation } from './served.ts'
import { answerStream } from './stream.ts'

/** The answer travels too: it leaves this much before the caller stops waiting. */
const ANSWER_MARGIN_MS = 5

/** Answers the operations of all services of a host. */
export class ServiceReceiver implements Receiver {
  readonly #wheel: TimerWheel
  readonly #served = new Map<string, ServedOperation>()

  /** `wheel` watches the deadlines of calls. */
  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  /** From now on this is answered too. */
  add(served: ServedOperation): void {
    this.#served.set(served.operation.id, served)
  }

  get operations(): readonly Operation[] {
    return [...this.#served.values()].map((served) => served.operation)
  }

  /** Calls being answered now. */
  get inFlight(): number {
    const bounds = new Set([...this.#served.values()].map((served) => served.service.bound))
    let running = 0
    for (const bound of bounds) running += bound.running
    return running
  }

  call(request: CallRequest, settle: Settle): void {
    const { startMs } = request
    const served = this.#served.get(request.operation.id)
    if (served === undefined) return settle(Reply.failed(asCallees(unimplemented(request)), startMs))
    const deadlineMs = ownDeadline(request, served.operation)
    const refused = check(served.operation, request, deadlineMs)
    if (refused === undefined) new RunningCall(served, request, deadlineMs, this.#wheel, settle).enter()
    else {
      served.answered(refused.code).add()
      settle(Reply.failed(asCallees(refused), startMs))
    }
  }

  async *stream(request: CallRequest): AsyncIterable<unknown> {
    const served = this.#served.get(request.operation.id)
    if (served === undefined) throw asCallees(unimplemented(request))
    const deadlineMs = ownDeadline(request, served.operation)
    const refused = check(served.operation, request, deadlineMs)
    if (refused !== undefined) {
      served.answered(refused.code).add()
      throw asCallees(refused)
    }
    try {
      yield* answerStream(served, request, deadlineMs, this.#wheel)
    } catch (error) {
      throw asCallees(asSeenUpstream(error, served.operation.reasons))
    }
  }
}

function unimplemented(request: CallRequest): FlotillaError {
  return new FlotillaError('unimplemented', `There is no operation ${request.operation.id} here.`, {
    executed: 'no',
  })
}

function ownDeadline(request: CallRequest, operation: Operation): number {
  return Math.min(request.deadlineMs, request.startMs + operation.timeoutMs) - ANSWER_MARGIN_MS
}

/** Steps 1 to 3. */
function check(operation: Operation, request: CallRequest, deadlineMs: number): FlotillaError | undefined {
  if (deadlineMs <= request.startMs) {
    return new FlotillaError('deadline_exceeded', 'No time left to begin.', { executed: 'no' })
  }
  return refusedRequest(operation, request.input, request)
}
