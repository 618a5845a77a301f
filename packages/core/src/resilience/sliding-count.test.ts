import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { SlidingCount } from './sliding-count.ts'

describe('SlidingCount', () => {
  it('SlidingCount knows what happened in this second and in those before it, and nothing older', () => {
    const anyPauses = fc.array(fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(40_000)), {
      maxLength: 100,
      size: 'max',
    })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.nat(100_000), anyPauses, (seconds, startMs, pauses) => {
        const count = new SlidingCount(seconds)
        const times: number[] = []
        let nowMs = startMs
        for (const [index, pauseMs] of pauses.entries()) {
          nowMs += pauseMs
          const current = Math.floor(nowMs / 1_000)
          const expected = times.filter((ms) => Math.floor(ms / 1_000) > current - seconds).length
          assert.equal(count.total(nowMs), expected)
          if (index % 3 === 2) continue
          count.add(nowMs)
          times.push(nowMs)
        }
        count.clear()
        assert.equal(count.total(nowMs), 0)
      }),
    )
  })
})
