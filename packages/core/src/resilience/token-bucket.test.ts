import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TokenBucket } from './token-bucket.ts'

const anyPolicy = fc.record({
  perMinute: fc.integer({ min: 1, max: 100_000 }),
  burst: fc.integer({ min: 1, max: 50 }),
})
const anyPauses = fc.array(fc.oneof(fc.nat(20), fc.nat(5_000)), { minLength: 1, maxLength: 120, size: 'max' })

describe('TokenBucket', () => {
  it('never admits more than burst and rate allow, in any span of time, however many are taken or given back at once', () => {
    const anySteps = fc.tuple(
      anyPauses,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      fc.nat(3),
    )
    fc.assert(
      fc.property(anyPolicy, anySteps, (policy, [pauses, wishes, unused]) => {
        const bucket = new TokenBucket(policy)
        const admitted: { atMs: number; taken: number }[] = []
        let nowMs = 0
        for (const [index, pauseMs] of pauses.entries()) {
          nowMs += pauseMs
          const { taken } = bucket.take(nowMs, wishes[index % wishes.length])
          const back = Math.min(taken, unused)
          bucket.giveBack(back)
          admitted.push({ atMs: nowMs, taken: taken - back })
        }
        const perMs = policy.perMinute / 60_000
        for (const [index, first] of admitted.entries()) {
          let sum = 0
          for (const { atMs, taken } of admitted.slice(index)) {
            sum += taken
            assert.ok(sum <= policy.burst + (atMs - first.atMs) * perMs + 1e-4)
          }
        }
      }),
    )
  })

  it('gives a whole burst at once, and no more', () => {
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 60 }), (policy, wanted) => {
        const bucket = new TokenBucket(policy)
        let left = policy.burst
        for (; left > 0; left -= Math.min(left, wanted)) {
          assert.equal(bucket.take(0, wanted).taken, Math.min(left, wanted))
        }
        assert.equal(bucket.take(0).taken, 0)
      }),
    )
  })

  it('says truly when to come back: then it admits, a millisecond earlier it would not', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(fc.nat(50)), fc.boolean(), (policy, pauses, isEarly) => {
        const bucket = new TokenBucket(policy)
        let nowMs = 0
        let grant = bucket.take(nowMs)
        for (let taken = 0; grant.taken === 1 && taken < policy.burst + 5; taken++) {
          nowMs += (pauses[taken] ?? 0) / 100
          grant = bucket.take(nowMs)
        }
        fc.pre(grant.taken === 0)
        const { retryAfterMs } = grant
        assert.ok(Number.isInteger(retryAfterMs) && retryAfterMs >= 1)
        assert.equal(bucket.take(nowMs + retryAfterMs - (isEarly ? 1 : 0)).taken, isEarly ? 0 : 1)
      }),
    )
  })

  it('keeps no more than its burst, however long nobody asks and whatever is given back', () => {
    const bucket = new TokenBucket({ perMinute: 60_000, burst: 3 })
    bucket.take(0)
    bucket.giveBack(9)
    assert.equal(bucket.take(3_600_000, 9).taken, 3)
  })

  it('is what it was when it is made again of its one number', () => {
    fc.assert(
      fc.property(anyPolicy, anyPauses, (policy, pauses) => {
        const whole = new TokenBucket(policy)
        let nowMs = 0
        let fullAtMs: number | undefined
        for (const pauseMs of pauses) {
          nowMs += pauseMs
          const again = new TokenBucket(policy, fullAtMs)
          assert.deepEqual(again.take(nowMs, 2), whole.take(nowMs, 2))
          fullAtMs = again.fullAtMs
        }
      }),
    )
  })
})
