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
  it('TokenBucket never admits more than burst and rate allow, in any span of time', () => {
    fc.assert(
      fc.property(anyPolicy, anyPauses, (policy, pauses) => {
        const bucket = new TokenBucket(policy, 0)
        const admitted: number[] = []
        let nowMs = 0
        for (const pauseMs of pauses) {
          nowMs += pauseMs
          if (bucket.take(nowMs).isAllowed) admitted.push(nowMs)
        }
        const perMs = policy.perMinute / 60_000
        for (const [first, fromMs] of admitted.entries()) {
          for (const [more, toMs] of admitted.slice(first).entries()) {
            assert.ok(more + 1 <= policy.burst + (toMs - fromMs) * perMs + 1e-6)
          }
        }
      }),
    )
  })

  it('TokenBucket admits a whole burst at once, and says how much is left', () => {
    fc.assert(
      fc.property(anyPolicy, (policy) => {
        const bucket = new TokenBucket(policy, 0)
        for (let left = policy.burst - 1; left >= 0; left--) {
          assert.deepEqual(bucket.take(0), { isAllowed: true, remaining: left, retryAfterMs: 0 })
        }
        assert.equal(bucket.take(0).isAllowed, false)
      }),
    )
  })

  it('TokenBucket says truly when to come back: then it admits, a millisecond earlier it would not', () => {
    fc.assert(
      fc.property(anyPolicy, fc.array(fc.nat(50)), fc.boolean(), (policy, pauses, isEarly) => {
        const bucket = new TokenBucket(policy, 0)
        let nowMs = 0
        let answer = bucket.take(nowMs)
        for (let taken = 0; answer.isAllowed && taken < policy.burst + 5; taken++) {
          nowMs += (pauses[taken] ?? 0) / 100
          answer = bucket.take(nowMs)
        }
        fc.pre(!answer.isAllowed)
        assert.ok(Number.isInteger(answer.retryAfterMs) && answer.retryAfterMs >= 1)
        const waitMs = answer.retryAfterMs - (isEarly ? 1 : 0)
        assert.equal(bucket.take(nowMs + waitMs).isAllowed, !isEarly)
      }),
    )
  })

  it('TokenBucket keeps no more than its burst, however long nobody asks', () => {
    const bucket = new TokenBucket({ perMinute: 60_000, burst: 3 }, 0)
    assert.equal(bucket.take(3_600_000).remaining, 2)
  })
})
