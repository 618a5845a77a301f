/**
 * A query that may be sent a second time, to another instance, before its first answer has come: step 6 of `client.ts`.
 *
 * It waits in the wheel for the moment of the early hedge, then, if that was not allowed, for that of the late one (`resilience/hedge.ts`). The first
 * good answer wins and the other sending is canceled; a failure counts only when no other sending is on its way. An instance whose
 * answer was not waited for has failed as far as its breaker is concerned: otherwise one that hangs would be rescued for ever, call by call,
 * and never be left alone. That is safe for those that are well: no more than one in twenty calls is hedged.
 *
 * Whoever is sent to an instance whose last answer was a failure, or is to find out whether it is well again, is sent to a second one right away, while that
 * too is one in twenty: callers need not see what probes see. Then the first, which is what the probe is for, may take as long as 99 of 100 answers.
 *
 * Only queries: a command that is canceled halfway may still be going on, and be overtaken by its own repetition.
 *
 * @module
 */
import { type CancelListener, Cancellation } from '../kernel/cancellation.ts'
import type { Clock } from '../kernel/clock.ts'
import { FlotillaError, isRetryable } from '../kernel/error.ts'
import { Timed } from '../kernel/timer-wheel.ts'
import type { Quantiles } from '../resilience/latencies.ts'
import type { CallRequest, Reply, Settle } from '../wire/wire.ts'
import { type Connected, type Leg, sendTo } from './attempt.ts'
import type { OutgoingOperation } from './outgoing.ts'
import { isInstanceFailure } from './target.ts'

/** A call in at most two sendings. */
export class HedgedCall extends Timed implements CancelListener {
  readonly #outgoing: OutgoingOperation
  readonly #request: CallRequest
  readonly #clock: Clock
  readonly #settleWith: Settle
  #sentMs = 0
  #lateMs = 0
  #first: Sending | undefined
  #second: Sending | undefined
  #isProbe = false
  #onTheWay = 0
  #isSettled = false

  constructor(outgoing: OutgoingOperation, request: CallRequest, clock: Clock, settle: Settle) {
    super()
    this.#outgoing = outgoing
    this.#request = request
    this.#clock = clock
    this.#settleWith = settle
  }

  /** Sends; `known` is what the operation usually takes. */
  begin(connected: Connected, known: Quantiles, sentMs: number): void {
    const { hedging } = this.#outgoing
    const earlyMs = hedging.earlyMs(known, sentMs)
    this.#sentMs = sentMs
    this.#lateMs = hedging.lateMs(known)
    // Before it is sent: that may make it a probe, and what is doubtful then is the probe itself.
    this.#isProbe = connected.target.breaker.isDoubtful
    this.#first = this.#send(connected, sentMs)
    if (this.#isSettled) return
    this.#request.cancellation.listen(this)
    if (this.#isProbe) this.expire()
    else this.#wakeAt(Math.min(earlyMs, this.#lateMs), sentMs)
  }

  override expire(): void {
    if (this.#isSettled) return this.#lose()
    const nowMs = this.#clock.monotonicMs()
    const { hedging } = this.#outgoing
    const isLate = nowMs >= this.#sentMs + this.#lateMs
    const other = this.#other(nowMs)
    if (other !== undefined && (hedging.tryEarly(nowMs) || (isLate && hedging.tryLate(nowMs)))) {
      this.#outgoing.decided('hedged', this.#request, nowMs)
      this.#second = this.#send(other, nowMs)
    } else if (!isLate) this.#wakeAt(this.#lateMs, nowMs)
  }

  /** The caller gave up. */
  canceled(error: FlotillaError): void {
    this.#first?.cancellation.cancel(error)
    this.#second?.cancellation.cancel(error)
  }

  #wakeAt(afterMs: number, nowMs: number): void {
    const dueMs = this.#sentMs + afterMs
    if (dueMs < this.#request.deadlineMs) this.#outgoing.callee.wheel.add(this, dueMs, nowMs)
  }

  /** Another instance, if there is one that is well and connected, and the breaker of the operation is closed. */
  #other(nowMs: number): Connected | undefined {
    if (!this.#outgoing.gate.isCalm) return undefined
    const tried = new Set(this.#first === undefined ? [] : [this.#first.connected.target])
    const target = this.#outgoing.pick(this.#request, tried, nowMs)
    const channel = target?.channel
    if (target === undefined || channel === undefined || !target.isAvailable(nowMs)) return undefined
    return { target, channel }
  }

  #send(connected: Connected, nowMs: number): Sending {
    const sending = new Sending(connected)
    const request = { ...this.#request, cancellation: sending.cancellation }
    this.#onTheWay++
    sendTo(this.#outgoing, connected, request, nowMs, (reply) => this.#ended(sending, reply), sending)
    return sending
  }

  #ended(sending: Sending, reply: Reply): void {
    this.#onTheWay--
    this.#outgoing.callee.wheel.remove(this)
    if (this.#isSettled) return
    const { error } = reply
    const isFailure = error !== undefined && (isInstanceFailure(error) || isRetryable(error, true))
    if (isFailure && this.#onTheWay > 0) return
    this.#isSettled = true
    this.#request.cancellation.unlisten(this)
    const isAnswer = !isFailure && error?.code !== 'canceled'
    if (sending === this.#second && isAnswer) this.#won(reply.endMs)
    else this.#second?.cancellation.cancel(tooLate())
    this.#settleWith(reply)
  }

  /** The second answer came first. A probe may still say something, as long as that is worth waiting for. */
  #won(nowMs: number): void {
    const { callee, gate } = this.#outgoing
    this.#outgoing.decided('hedge_won', this.#request, nowMs)
    if (this.#onTheWay === 0) return
    if (this.#isProbe) callee.wheel.add(this, this.#sentMs + gate.fairMs(nowMs), nowMs)
    else this.#lose()
  }

  /** The first answer is not waited for. */
  #lose(): void {
    if (this.#first === undefined) return
    this.#first.isLost = true
    this.#first.cancellation.cancel(tooLate())
  }
}

class Sending implements Leg {
  readonly connected: Connected
  readonly cancellation = new Cancellation()
  isLost = false

  constructor(connected: Connected) {
    this.connected = connected
  }
}

function tooLate(): FlotillaError {
  return new FlotillaError('canceled', 'Another instance has answered.')
}
