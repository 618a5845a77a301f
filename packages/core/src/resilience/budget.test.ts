import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Budget, type BudgetPolicy } from './budget.ts'

const WINDOW_MS = 10_000
const anyPolicy: fc.Arbitrary<BudgetPolicy> = fc.record({
  ratio: fc.constantFrom(0, 0.1, 0.2, 0.5, 1),
  floorPerSec: fc.constantFrom(0, 0.1, 1, 2),
})
/** A stretch of traffic: time passes, some calls are made, then retries are asked for as long as there are any. */
const anyTraffic = fc.array(
  fc.record({
    passMs: fc.oneof(fc.nat(300), fc.nat(12_000)),
    calls: fc.nat(40),
    retriesAsked: fc.nat(40),
  }),
  { maxLength: 40, size: 'max' },
)

const within = (times: readonly number[], fromMs: number, toMs: number): number =>
  times.filter((ms) => ms > fromMs && ms <= toMs).length

describe('Budget', () => {
  it('Budget grants no retry beyond what ratio and floor allow in the ten seconds that end with it', () => {
    fc.assert(
      fc.property(anyPolicy, fc.nat(100_000), anyTraffic, (policy, startMs, traffic) => {
        const budget = new Budget(policy)
        const calls: number[] = []
        const retries: number[] = []
        let nowMs = startMs
        for (const { passMs, calls: count, retriesAsked } of traffic) {
          nowMs += passMs
          for (let call = 0; call < count; call++) {
            budget.deposit(nowMs)
            calls.push(nowMs)
          }
          const fromMs = nowMs - WINDOW_MS
          const allowed = Math.max(within(calls, fromMs, nowMs) * policy.ratio, policy.floorPerSec * 10)
          for (let asked = 0; asked < retriesAsked && budget.tryWithdraw(nowMs); asked++) {
            retries.push(nowMs)
            assert.ok(within(retries, fromMs, nowMs) <= allowed + 1e-9)
          }
        }
      }),
    )
  })

  it('Budget refuses none that the last nine seconds of calls pay for', () => {
    fc.assert(
      fc.property(anyPolicy, fc.nat(100_000), anyTraffic, (policy, startMs, traffic) => {
        const budget = new Budget(policy)
        const calls: number[] = []
        const retries: number[] = []
        let nowMs = startMs
        for (const { passMs, calls: count } of traffic) {
          nowMs += passMs
          for (let call = 0; call < count; call++) {
            budget.deposit(nowMs)
            calls.push(nowMs)
          }
          const paid = Math.max(within(calls, nowMs - 9_000, nowMs) * policy.ratio, policy.floorPerSec * 10)
          const isPaid = within(retries, nowMs - 11_000, nowMs) + 1 <= paid
          const isGranted = budget.tryWithdraw(nowMs)
          assert.ok(isGranted || !isPaid)
          if (isGranted) retries.push(nowMs)
        }
      }),
    )
  })

  it('Budget lets a caller of few calls retry by its floor, and one of many by its ratio', () => {
    const grants = (budget: Budget, nowMs: number): number => {
      let granted = 0
      while (granted < 1_000 && budget.tryWithdraw(nowMs)) granted++
      return granted
    }
    const quiet = new Budget({ ratio: 0.1, floorPerSec: 1 })
    assert.equal(grants(quiet, 0), 10)
    assert.equal(grants(quiet, 9_999), 0)
    assert.equal(grants(quiet, 20_000), 10)

    const busy = new Budget({ ratio: 0.1, floorPerSec: 0 })
    for (let call = 0; call < 500; call++) busy.deposit(0)
    assert.equal(grants(busy, 0), 50)
    assert.equal(grants(busy, 30_000), 0)
  })
})
