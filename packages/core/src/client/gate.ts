/**
 * What a call must pass before anything is sent for it. Whatever is refused here was refused by this process alone: at once, and `executed: 'no'`.
 *
 * 1. bulkhead: so many calls of the operation on their way at the most, so that a callee that hangs cannot hold everything its callers have
 * 2. time: what has less left than half of the calls take of late would most likely be answered too late; at most a fifth of the calls
 *    of ten seconds are refused for it, so that a measure that is wrong cannot shut the callee off
 * 3. breaker of the operation (`resilience/service-breaker.ts`)
 *
 * What the breaker learns from:
 *
 * | ended with | counts as |
 * |---|---|
 * | an answer, a refusal in the domain's words, any 4xx | success |
 * | `unavailable`, `internal`, `unknown`, `data_loss` answered by the callee | failure |
 * | time up, after waiting as long as 99 of 100 answers take | failure |
 * | time up earlier; canceled; never sent | nothing |
 * | nobody reached, or the connection lost | nothing |
 * | `isOverloaded` | nothing |
 *
 * Time that was too short from the beginning says nothing of the callee: else a client that allows a millisecond could open the breaker for
 * everybody. Who is not reached is no matter of this breaker, whatever the directory says: nothing is sent there, so nothing need be kept from
 * being sent; `readiness.ts` bounds the wait; and a restart of one second must end with that second. A callee that sheds load is well:
 * were its refusals failures, it would be sent nothing at all at twice the load it can bear, and the critical calls would be
 * refused because others were shed.
 *
 * @module
 */
import type { Operation } from '../contract/operation.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { Random } from '../kernel/random.ts'
import { Budget } from '../resilience/budget.ts'
import type { Latencies } from '../resilience/latencies.ts'
import { type Outcome, REFUSED, ServiceBreaker } from '../resilience/service-breaker.ts'
import type { CallRequest } from '../wire/wire.ts'
import { type CallRules, defaultRules } from './call-policies.ts'
import { isInstanceFailure } from './target.ts'

/** At most so many of the calls are refused for want of time. */
const LATE = { ratio: 0.2, floorPerSec: 0 }
/** What who finds no place is asked to wait. */
const FULL_WAIT_MS = 100
/** Where nothing is known yet: of the time that the contract allows. */
const FAIR_SHARE = 0.5
/** The permit of a call that the breaker, switched off, was not asked about. */
const UNGUARDED = -1

/** Why a call is not sent. */
export type Refusal = 'full' | 'late' | 'open'

/** The gate before one operation. */
export class Gate {
  readonly #id: string
  readonly #timeoutMs: number
  readonly #latencies: Latencies
  readonly #breaker: ServiceBreaker
  readonly #late = new Budget(LATE)
  #rules = defaultRules
  #inFlight = 0

  constructor({ id, timeoutMs }: Operation, latencies: Latencies, random: Random) {
    this.#id = id
    this.#timeoutMs = timeoutMs
    this.#latencies = latencies
    this.#breaker = new ServiceBreaker(random)
  }

  /** From now on these rules hold. */
  configure(rules: CallRules): void {
    this.#rules = rules
  }

  /** Calls on their way. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** False while all is not well: then nothing is sent twice. */
  get isCalm(): boolean {
    return !this.#rules.breaker || this.#breaker.kind === 'closed'
  }

  /** The permit with which the call may be sent, and `leave` be told of its end; or why it may not. */
  enter({ deadlineMs }: Pick<CallRequest, 'deadlineMs'>, nowMs: number): number | Refusal {
    const { breaker, refuseLate, inFlightMax } = this.#rules
    if (this.#inFlight >= inFlightMax) return 'full'
    if (refuseLate) {
      this.#late.deposit(nowMs)
      if (this.#isLate(deadlineMs - nowMs, nowMs) && this.#late.tryWithdraw(nowMs)) return 'late'
    }
    const permit = breaker ? this.#breaker.tryBegin(nowMs) : UNGUARDED
    if (permit === REFUSED) return 'open'
    this.#inFlight++
    return permit
  }

  /** The call with this permit ended; true when that opened the breaker. */
  leave(permit: number, outcome: Outcome, nowMs: number): boolean {
    this.#inFlight--
    if (permit === UNGUARDED) return false
    const wasOpen = this.#breaker.kind === 'open'
    this.#breaker.end(permit, outcome, nowMs)
    return this.#breaker.kind === 'open' && !wasOpen
  }

  /** What a call that took `tookMs` until it ended so tells of the callee: the table above. */
  outcomeOf(error: FlotillaError | undefined, tookMs: number, nowMs: number): Outcome {
    if (error === undefined) return 'success'
    if (error.isOverloaded || error.code === 'canceled') return 'nothing'
    if (!error.isRemote && error.executed === 'no') return 'nothing'
    if (error.code === 'deadline_exceeded') return tookMs >= this.fairMs(nowMs) ? 'failure' : 'nothing'
    if (!error.isRemote) return 'nothing'
    return isInstanceFailure(error) ? 'failure' : 'success'
  }

  /** How long to wait for an answer before its absence says something. */
  fairMs(nowMs: number): number {
    return this.#latencies.at(nowMs)?.p99Ms ?? this.#timeoutMs * FAIR_SHARE
  }

  /** What the caller is told. */
  refusalOf(why: Refusal, nowMs: number): FlotillaError {
    switch (why) {
      case 'full':
        return refused(`Too many calls of ${this.#id} are on their way.`, 'bulkhead_full', FULL_WAIT_MS)
      case 'late': {
        const message = `Too little time is left for ${this.#id}.`
        return new FlotillaError('deadline_exceeded', message, { executed: 'no' })
      }
      case 'open':
        return refused(
          `Calls of ${this.#id} fail; the breaker is open.`,
          'breaker_open',
          Math.ceil(this.#breaker.waitMs(nowMs)),
        )
    }
  }

  #isLate(leftMs: number, nowMs: number): boolean {
    // Nearly always there is more than enough, and then nothing need be known.
    const known = leftMs < Number.POSITIVE_INFINITY ? this.#latencies.at(nowMs) : undefined
    return known !== undefined && leftMs < known.p50Ms
  }
}

function refused(message: string, reason: string, retryAfterMs: number): FlotillaError {
  return new FlotillaError('unavailable', message, { executed: 'no', reason, retryAfterMs })
}
