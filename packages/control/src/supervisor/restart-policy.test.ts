import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '@flotilla/core/random'
import fc from 'fast-check'
import { RestartPolicy } from './restart-policy.ts'

/** Ends at increasing times, and for how long the process was ready before each. */
const anyPast = fc.array(
  fc.record({ gapMs: fc.integer({ min: 0, max: 100_000 }), readyMs: fc.integer({ min: 0, max: 60_000 }) }),
  { minLength: 1, maxLength: 60 },
)

describe('RestartPolicy', () => {
  it('waits 0, then 0.1 s doubling to 15 s or what it is told, of which jitter takes at most half', () => {
    const anyMax = fc.option(fc.integer({ min: 100, max: 60_000 }), { nil: undefined })
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 50 }), anyMax, (seed, ends, maxMs) => {
        const policy = new RestartPolicy(seededRandom(seed), maxMs)
        for (let end = 1; end <= ends; end++) {
          const waitMs = policy.ended(end * 1_000, 0)
          const limitMs = end === 1 ? 0 : Math.min(maxMs ?? 15_000, 100 * 2 ** (end - 2))
          assert.ok(waitMs >= limitMs / 2 && waitMs <= limitMs, `end ${end}: ${waitMs} of ${limitMs}`)
        }
      }),
    )
  })

  it('spreads what crashed together', () => {
    const waits = Array.from({ length: 100 }, (_, seed) => {
      const policy = new RestartPolicy(seededRandom(seed))
      let waitMs = 0
      for (let end = 0; end < 20; end++) waitMs = policy.ended(end, 0)
      return waitMs
    })
    assert.ok(Math.max(...waits) - Math.min(...waits) > 6_000)
  })

  it('forgives one that was ready for 30 s, and only that', () => {
    fc.assert(
      fc.property(anyPast, fc.integer({ min: 0, max: 60_000 }), (past, readyMs) => {
        const policy = new RestartPolicy(seededRandom(1))
        let nowMs = 0
        for (const end of past) {
          nowMs += end.gapMs
          policy.ended(nowMs, end.readyMs)
        }
        assert.equal(policy.ended(nowMs, readyMs) === 0, readyMs >= 30_000)
      }),
    )
  })

  it('sees a loop exactly when five ends lie within three minutes, ready in between or not', () => {
    fc.assert(
      fc.property(anyPast, fc.integer({ min: 0, max: 200_000 }), (past, laterMs) => {
        const policy = new RestartPolicy(seededRandom(1))
        const ends: number[] = []
        for (const { gapMs, readyMs } of past) {
          ends.push((ends.at(-1) ?? 0) + gapMs)
          policy.ended(ends.at(-1) as number, readyMs)
        }
        const nowMs = (ends.at(-1) as number) + laterMs
        assert.equal(policy.isLooping(nowMs), ends.filter((ms) => nowMs - ms < 180_000).length >= 5)
      }),
    )
  })
})
