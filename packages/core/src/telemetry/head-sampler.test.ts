import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { HeadSampler } from './head-sampler.ts'

describe('HeadSampler', () => {
  it('chooses the first ones of each second, and a share of those beyond', async () => {
    const clock = new VirtualClock()
    const sampler = new HeadSampler(clock, seededRandom(1), { perSecond: 10, ratio: 0.1 })
    for (let second = 0; second < 3; second++) {
      const chosen = Array.from({ length: 10_010 }, sampler.choose)
      assert.ok(chosen.slice(0, 10).every((one) => one))
      const beyond = chosen.slice(10).filter((one) => one).length
      assert.ok(beyond > 900 && beyond < 1_100, `${beyond} of 10,000`)
      await clock.advance(1_000)
    }
  })

  it('chooses none where none are wanted', () => {
    const sampler = new HeadSampler(new VirtualClock(), seededRandom(1), { perSecond: 0, ratio: 0 })
    assert.ok(Array.from({ length: 100 }, sampler.choose).every((one) => !one))
  })
})
