import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import fc from 'fast-check'
import { RateLimit } from './rate-limit.ts'

describe('RateLimit', () => {
  it('lets no key have more than its burst and what came back since', async () => {
    const steps = fc.array(fc.record({ key: fc.constantFrom('a', 'b'), waitMs: fc.nat(5_000) }), {
      maxLength: 200,
    })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), steps, async (perMinute, all) => {
        const clock = new VirtualClock()
        const limit = new RateLimit('test', { perMinute, burst: perMinute }, clock)
        const taken: Record<string, number> = { a: 0, b: 0 }
        for (const { key, waitMs } of all) {
          await clock.advance(waitMs)
          const { isAllowed, remaining } = limit.take(key)
          if (isAllowed) taken[key] = (taken[key] ?? 0) + 1
          assert.ok(remaining >= 0 && remaining < perMinute)
          assert.ok((taken[key] ?? 0) <= perMinute + (clock.monotonicMs() / 60_000) * perMinute + 1e-6)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('lets who waits as told in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 1_000 }), async (perMinute) => {
        const clock = new VirtualClock()
        const limit = new RateLimit('test', { perMinute, burst: perMinute }, clock)
        for (let index = 0; index < perMinute; index++) assert.ok(limit.take('a').isAllowed)
        const { isAllowed, retryAfterMs } = limit.take('a')
        assert.equal(isAllowed, false)
        assert.ok(limit.take('b').isAllowed)
        await clock.advance(retryAfterMs)
        assert.ok(limit.take('a').isAllowed)
      }),
      { numRuns: 25 },
    )
  })

  it('tells of itself in the RateLimit fields', () => {
    const limit = new RateLimit('free', { perMinute: 2, burst: 2 }, new VirtualClock())
    assert.equal(limit.policyField, '"free";q=2;w=60')
    assert.equal(limit.field(limit.take('a')), '"free";r=1;t=0')
    limit.take('a')
    assert.equal(limit.field(limit.take('a')), '"free";r=0;t=30')
  })
})
