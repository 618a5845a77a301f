import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import { LoopGuard } from './loop-guard.ts'

/** A guard, and what it is told: a window with so much delay. */
function setUp() {
  const guard = new LoopGuard(seededRandom(1))
  let nowMs = 0
  guard.observe(0, nowMs)
  const windows = (count: number, delayMs: number): void => {
    for (let index = 0; index < count; index++) {
      nowMs += 250
      guard.observe(0, nowMs - 125)
      guard.observe(delayMs, nowMs)
    }
  }
  /** Share of a class that is refused. */
  const refused = (rank: number): number => {
    let count = 0
    for (let index = 0; index < 1_000; index++) if (guard.sheds(rank)) count++
    return count / 1_000
  }
  return { guard, windows, refused }
}

describe('LoopGuard', () => {
  it('LoopGuard refuses nothing for a moment of delay, or for as much delay as is allowed', () => {
    const { guard, windows } = setUp()
    windows(1, 0)
    windows(3, 500)
    assert.equal(guard.level, 0)
    windows(1, 50)
    windows(3, 2_000)
    windows(100, 50)
    assert.equal(guard.level, 0)
  })

  it('LoopGuard refuses class after class while the delay lasts, the most important never, and never all of the next', () => {
    const { windows, refused } = setUp()
    windows(1, 0)
    windows(4, 51)
    assert.deepEqual([refused(2), refused(1), refused(0)], [0, 0, 0])
    assert.ok(Math.abs(refused(3) - 0.5) < 0.1)
    windows(2, 51)
    assert.deepEqual([refused(3), refused(1), refused(0)], [1, 0, 0])
    assert.ok(Math.abs(refused(2) - 0.5) < 0.1)
    windows(20, 200)
    assert.deepEqual(
      [refused(3), refused(2), refused(1)],
      [1, 1, 0],
      'late, but not too late for what matters',
    )
    windows(1, 201)
    assert.deepEqual([refused(3), refused(2), refused(0)], [1, 1, 0])
    assert.ok(Math.abs(refused(1) - 0.25) < 0.1)
    windows(2, 200)
    assert.equal(refused(1), 0)
    windows(100, 1_000)
    assert.ok(refused(1) > 0.9 && refused(1) < 1, `${refused(1)}`)
    assert.equal(refused(0), 0)
  })

  it('LoopGuard lets everything in again within ten seconds', () => {
    const { guard, windows } = setUp()
    windows(100, 1_000)
    windows(40, 0)
    assert.equal(guard.level, 0)
  })

  it('LoopGuard finds the share of calls that a process can answer', () => {
    // Calls come at ten times of what it can answer; more than that makes the loop late.
    const { windows, refused } = setUp()
    const admitted: number[] = []
    for (let window = 0; window < 400; window++) {
      const share = 1 - refused(1)
      if (window >= 100) admitted.push(Math.min(1, share * 10))
      windows(1, share * 10 > 1 ? 250 : 5)
    }
    const mean = admitted.reduce((sum, share) => sum + share, 0) / admitted.length
    assert.ok(mean > 0.85, `${mean}`)
  })

  it('LoopGuard refuses a class only after all of those below, whatever it is told', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ delayMs: fc.nat(200), passMs: fc.nat(1_000) })), (delays) => {
        // Chance that refuses whatever may be refused.
        const guard = new LoopGuard({ next: () => 0 })
        const certain = new LoopGuard({ next: () => 0.999_999 })
        let nowMs = 0
        for (const { delayMs, passMs } of delays) {
          nowMs += passMs
          guard.observe(delayMs, nowMs)
          certain.observe(delayMs, nowMs)
          assert.ok(guard.level >= 0 && guard.level <= 2.95)
          assert.equal(guard.sheds(0), false)
          assert.equal(certain.sheds(1), false)
          for (const rank of [1, 2]) if (guard.sheds(rank)) assert.ok(certain.sheds(rank + 1))
        }
      }),
    )
  })
})
