/** Limit, classes and the guard of the event loop together, in the simulation of a process whose calls compute. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { Admission, fixedLimit, type Limiter } from './admission.ts'
import { GradientLimit } from './gradient-limit.ts'
import { LoopGuard } from './loop-guard.ts'

const IN_TIME_MS = 1_000
const REFUSAL_MS = 0.015
const LOOK_MS = 50
const QUIET_MS = 20_000
const OVERLOAD_MS = 60_000

interface Tally {
  sent: number
  good: number
}

interface Load {
  /** Of the processor, for each call. */
  readonly workMs: number
  /** Times what the process can do. */
  readonly times: number
  /** Places of the classes of checkouts, a seventh of the calls, and of all others in `criticalities`. */
  readonly ranks: readonly [number, number]
}

interface Call {
  readonly atMs: number
  readonly isCheckout: boolean
  readonly isCounted: boolean
}

/**
 * A Node process: takes all calls that have arrived, then does all work that was begun, and hears of nothing meanwhile. A while of 0.8
 * of what it can do, then a minute of the overload; gives the shares answered in time: of the checkouts, and of what it can do.
 */
function simulate(
  { workMs, times, ranks }: Load,
  limiter: Limiter,
  guard: Pick<LoopGuard, 'observe' | 'sheds'>,
) {
  const random = seededRandom(3)
  const admission = new Admission(limiter)
  const tallies = { checkouts: { sent: 0, good: 0 }, others: { sent: 0, good: 0 } }
  const tallyOf = ({ isCheckout }: Call): Tally => (isCheckout ? tallies.checkouts : tallies.others)
  let begun: { readonly call: Call; readonly fromMs: number }[] = []
  let nowMs = 0
  let arrivesMs = 0
  let looksMs = LOOK_MS
  const arrive = (call: Call, heardMs: number): void => {
    if (call.isCounted) tallyOf(call).sent++
    const rank = ranks[call.isCheckout ? 0 : 1]
    const start = (fromMs: number): void => void begun.push({ call, fromMs })
    if (guard.sheds(rank) || admission.refusal(rank) !== undefined) return
    if (admission.tryEnter(rank)) start(heardMs)
    else admission.enqueue({ start, drop() {} }, rank, heardMs)
  }
  while (nowMs < QUIET_MS + OVERLOAD_MS) {
    if (begun.length === 0) nowMs = Math.max(nowMs, Math.min(arrivesMs, looksMs))
    if (nowMs >= looksMs) {
      guard.observe(nowMs - looksMs, nowMs)
      looksMs = nowMs + LOOK_MS
    }
    const heardMs = nowMs
    for (; arrivesMs <= heardMs; nowMs += REFUSAL_MS) {
      const isCounted = arrivesMs >= QUIET_MS
      arrive({ atMs: arrivesMs, isCheckout: random.next() < 1 / 7, isCounted }, heardMs)
      arrivesMs += (-Math.log(1 - random.next()) * workMs) / (isCounted ? times : 0.8)
    }
    const turn = begun
    begun = []
    for (const { call, fromMs } of turn) {
      nowMs += workMs
      admission.leave(nowMs, nowMs - fromMs)
      if (call.isCounted && nowMs - call.atMs <= IN_TIME_MS) tallyOf(call).good++
    }
  }
  const { checkouts, others } = tallies
  return {
    checkouts: checkouts.good / checkouts.sent,
    goodput: ((checkouts.good + others.good) * workMs) / OVERLOAD_MS,
  }
}

const adaptive = () => [new GradientLimit(2, 256), new LoopGuard(seededRandom(1))] as const
const everybody = () => [fixedLimit(10_000), { observe() {}, sheds: () => false }] as const

describe('A process that is asked for too much', () => {
  for (const workMs of [2, 5]) {
    it(`keeps its goodput at ten times what it can do, where one that lets everybody in loses all, with ${workMs} ms a call`, () => {
      const load: Load = { workMs, times: 10, ranks: [1, 1] }
      const { goodput } = simulate(load, ...adaptive())
      assert.ok(goodput >= 0.9, `${goodput}`)
      const control = simulate(load, ...everybody())
      assert.ok(control.goodput < 0.1, `${control.goodput}`)
    })
  }

  it('answers checkouts at three times what it can do, which it does not without classes', () => {
    const load: Load = { workMs: 2, times: 3, ranks: [0, 3] }
    const { checkouts } = simulate(load, ...adaptive())
    assert.ok(checkouts >= 0.994, `${checkouts}`)
    const control = simulate({ ...load, ranks: [1, 1] }, ...adaptive())
    assert.ok(control.checkouts < 0.6, `${control.checkouts}`)
  })
})
