import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Random, seededRandom } from '../kernel/random.ts'
import { fullJitterMs } from './backoff.ts'

const drawing = (value: number): Random => ({ ...seededRandom(0), next: () => value })

describe('fullJitterMs', () => {
  it('fullJitterMs draws from 0 to the doubled base, and never beyond the cap, however many retries', () => {
    const anyPolicy = fc.record({
      baseMs: fc.integer({ min: 1, max: 1_000 }),
      capMs: fc.integer({ min: 1, max: 60_000 }),
    })
    const anyDraw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(anyPolicy, fc.nat(2_000), anyDraw, (policy, retry, draw) => {
        const waitMs = fullJitterMs(drawing(draw), retry, policy)
        const boundMs = Math.min(policy.capMs, policy.baseMs * 2 ** retry)
        assert.equal(waitMs, draw * boundMs)
        assert.ok(waitMs >= 0 && waitMs < boundMs)
      }),
    )
  })

  it('fullJitterMs counts retries from 0', () => {
    const policy = { baseMs: 25, capMs: 1_000 }
    const bounds = [0, 1, 2, 5, 6].map((retry) => fullJitterMs(drawing(0.5), retry, policy) * 2)
    assert.deepEqual(bounds, [25, 50, 100, 800, 1_000])
  })
})
