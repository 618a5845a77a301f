import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Budget } from './budget.ts'
import { Hedging } from './hedge.ts'

const known = { p50Ms: 10, p95Ms: 40, p99Ms: 60, p999Ms: 100 }
const rich = (): Budget => new Budget({ ratio: 0, floorPerSec: 1_000 })

describe('Hedging', () => {
  it('Hedging waits for what 95 of 100 calls take, five milliseconds at least; without early hedges for 999 of 1,000', () => {
    const hedging = new Hedging(rich())
    assert.equal(hedging.earlyMs(known, 0), 40)
    assert.equal(hedging.earlyMs({ ...known, p95Ms: 0.5 }, 0), 5)
    assert.equal(hedging.lateMs(known), 100)
    assert.equal(hedging.lateMs({ ...known, p999Ms: Number.POSITIVE_INFINITY }), Number.POSITIVE_INFINITY)
    hedging.configure(false)
    assert.equal(hedging.earlyMs(known, 0), Number.POSITIVE_INFINITY)
  })

  it('Hedging allows one early hedge for twenty calls, however many ask', () => {
    const anySteps = fc.array(fc.record({ passMs: fc.nat(400), calls: fc.nat(60) }), {
      minLength: 1,
      maxLength: 40,
      size: 'max',
    })
    fc.assert(
      fc.property(anySteps, (steps) => {
        const hedging = new Hedging(rich())
        const calls: number[] = []
        const hedges: number[] = []
        let nowMs = 0
        for (const step of steps) {
          nowMs += step.passMs
          for (let call = 0; call < step.calls; call++) {
            hedging.earlyMs(known, nowMs)
            calls.push(nowMs)
          }
          const within = (times: readonly number[]): number =>
            times.filter((ms) => ms > nowMs - 10_000).length
          while (hedging.tryEarly(nowMs)) {
            hedges.push(nowMs)
            assert.ok(within(hedges) * 20 <= within(calls))
          }
        }
        assert.ok(nowMs > 9_000 || hedges.length === Math.floor(calls.length / 20))
      }),
    )
  })

  it('Hedging draws on the budget for retries, early and late', () => {
    const retries = new Budget({ ratio: 0, floorPerSec: 0.2 })
    const hedging = new Hedging(retries)
    for (let call = 0; call < 1_000; call++) hedging.earlyMs(known, 0)
    assert.equal(hedging.tryEarly(0), true)
    assert.equal(hedging.tryLate(0), true)
    assert.equal(hedging.tryEarly(0), false)
    assert.equal(hedging.tryLate(0), false)
    assert.equal(retries.tryWithdraw(0), false)
  })
})
