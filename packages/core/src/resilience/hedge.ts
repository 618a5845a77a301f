/**
 * When a call is sent a second time, to another instance, before its first answer has come.
 *
 * - early, when it has taken longer than 95 of 100 calls, for 5 % of the calls at most. An instance that pauses is not waited for.
 * - late, when it has taken longer than 999 of 1,000 calls. That long it is most likely lost, and a second attempt must begin while there is
 *   time for it. It plays the part of a time limit for the first attempt, and costs less: should the first answer come all the same, it counts.
 *
 * Both draw on the budget for retries, which they are: retries that do not wait for the failure.
 *
 * @source Dean and Barroso, "The Tail at Scale", 2013; AWS, "Timeouts, retries and backoff with jitter" (a limit at p99.9); Finagle's
 *   `BackupRequestFilter`
 * @module
 */
import { Budget } from './budget.ts'
import type { Quantiles } from './latencies.ts'

/** At most one early hedge for twenty calls. */
const EARLY = { ratio: 0.05, floorPerSec: 0 }
/** Whoever answers sooner is quick enough. */
const DELAY_MS_MIN = 5

/** Decides for one operation. */
export class Hedging {
  readonly #early = new Budget(EARLY)
  readonly #retries: Budget
  #isEarly = true

  /** @param retries what retries of the callee draw on. */
  constructor(retries: Budget) {
    this.#retries = retries
  }

  /** @param isEarly false: late hedges only. */
  configure(isEarly: boolean): void {
    this.#isEarly = isEarly
  }

  /** A call is sent: after so many milliseconds ask `tryEarly`; Infinity: do not. */
  earlyMs({ p95Ms }: Quantiles, nowMs: number): number {
    this.#early.deposit(nowMs)
    return this.#isEarly ? Math.max(DELAY_MS_MIN, p95Ms) : Number.POSITIVE_INFINITY
  }

  /** After so many milliseconds ask `tryLate`; Infinity: do not. */
  lateMs({ p999Ms }: Quantiles): number {
    return Math.max(DELAY_MS_MIN, p999Ms)
  }

  /** Takes the permission to send a second time early; false: there is none. */
  tryEarly(nowMs: number): boolean {
    return this.#isEarly && this.#early.tryWithdraw(nowMs) && this.#retries.tryWithdraw(nowMs)
  }

  /** Takes the permission to send a second time late; false: there is none. */
  tryLate(nowMs: number): boolean {
    return this.#retries.tryWithdraw(nowMs)
  }
}
