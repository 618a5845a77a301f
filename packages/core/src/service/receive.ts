/**
 * What a call passes coming in, in this order (the mirror of `client/client.ts`):
 *
 * 1. deadline: work nobody waits for is not begun, and the answer goes out before the caller's own time is up
 * 2. admission: is the event loop in time for a call that comes into the process? Is there a place to run, or one to wait? What is
 *    refused here has cost next to nothing
 * 3. authorisation: before anything of the input is looked at
 * 4. validation of the input and of the idempotency key; only what passes takes the place
 * 5. idempotency: a repeat gets the stored answer
 * 6. the handler
 * 7. validation of the output: a service never says what its contract does not allow
 *
 * Admission comes before authorisation because under overload nearly everything is refused, and must not cost a check of
 * ten fields first. Nobody learns anything by it that authorisation would keep from him: the decision looks at how busy the operation
 * and the process are and at the class of the call, never at who calls, what he asks for, or whether he may; so who may not call gets
 * the answer that everybody gets. Nor can he keep others out: a place is taken only by what has passed steps 3 and 4, which
 * happens in the same turn. Streams have no step 2: they are idle most of the time, and connections bound how many there are. Nor
 * have health checks, which are no calls.
 *
 * The answer is settled once: by the handler, by the deadline, or by the caller giving up. A handler that goes on
 * after that keeps its place until it really ends.
 *
 * @module
 */
import { refusedRequest } from '../contract/admission.ts'
import type { Operation } from '../contract/operation.ts'
import { criticalities } from '../kernel/context.ts'
import { asCallees, asSeenUpstream, FlotillaError } from '../kernel/error.ts'
import type { TimerWheel } from '../kernel/timer-wheel.ts'
import type { Refusal } from '../resilience/admission.ts'
import { type CallRequest, type Receiver, Reply, type Settle } from '../wire/wire.ts'
import type { LoopWatch } from './loop-watch.ts'
import { overloadError } from './overload.ts'
import { RunningCall } from './running-call.ts'
import type { ServedOperation } from './served.ts'
import { answerStream } from './stream.ts'

/** The answer travels too: it leaves this much before the caller stops waiting. */
const ANSWER_MARGIN_MS = 5

/** Answers the operations of all services of a host. */
export class ServiceReceiver implements Receiver {
  readonly #wheel: TimerWheel
  readonly #watch: Pick<LoopWatch, 'admits'> | undefined
  readonly #served = new Map<string, ServedOperation>()

  /** `wheel` watches the deadlines of calls, `watch` the event loop; without it nothing is refused for that. */
  constructor(wheel: TimerWheel, watch?: Pick<LoopWatch, 'admits'>) {
    this.#wheel = wheel
    this.#watch = watch
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
    let running = 0
    for (const { admission } of this.#served.values()) running += admission.running
    return running
  }

  /** The process is leaving: what it sees from now on is not what is usual, and no limit moves. */
  freeze(): void {
    for (const { admission } of this.#served.values()) admission.freeze()
  }

  call(request: CallRequest, settle: Settle): void {
    const { startMs } = request
    const served = this.#served.get(request.operation.id)
    if (served === undefined) return settle(Reply.failed(asCallees(unimplemented(request)), startMs))
    const deadlineMs = ownDeadline(request, served.operation)
    const rank = criticalities.indexOf(request.criticality)
    const refusal = deadlineMs > startMs ? this.#refusal(served, request, rank) : undefined
    if (refusal !== undefined) {
      served.refused(refusal, rank).add()
      served.answered('unavailable').add()
      return settle(Reply.failed(overloadError(refusal, served.service.environment.ports.random), startMs))
    }
    const refused = check(served.operation, request, deadlineMs)
    if (refused === undefined) new RunningCall(served, request, rank, deadlineMs, this.#wheel, settle).enter()
    else {
      served.answered(refused.code).add()
      settle(Reply.failed(asCallees(refused), startMs))
    }
  }

  /** Step 2. What this process asks of itself belongs to work that was let in, and would be for nothing. */
  #refusal(served: ServedOperation, { isLocal, startMs }: CallRequest, rank: number): Refusal | undefined {
    if (!isLocal && this.#watch?.admits(rank, startMs) === false) return 'loop'
    return served.admission.refusal(rank)
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

/** Steps 1, 3 and 4. */
function check(operation: Operation, request: CallRequest, deadlineMs: number): FlotillaError | undefined {
  if (deadlineMs <= request.startMs) {
    return new FlotillaError('deadline_exceeded', 'No time left to begin.', { executed: 'no' })
  }
  return refusedRequest(operation, request.input, request)
}
