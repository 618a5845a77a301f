import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { LoopGuard } from '../resilience/loop-guard.ts'
import { Histogram } from '../telemetry/metrics.ts'
import { LoopWatch } from './loop-watch.ts'

describe('LoopWatch', () => {
  it('LoopWatch looks while there are calls, and rests after', async () => {
    const clock = new VirtualClock()
    const delays = new Histogram()
    const watch = new LoopWatch(clock, new LoopGuard(seededRandom(1)), delays)
    await clock.advance(10_000)
    assert.equal(delays.count, 0)
    watch.admits(1, clock.monotonicMs())
    await clock.advance(60_000)
    assert.equal(delays.count, 20)
    watch.admits(1, clock.monotonicMs())
    watch.close()
    watch.admits(1, clock.monotonicMs())
    await clock.advance(60_000)
    assert.equal(delays.count, 20)
  })

  it('LoopWatch tells the guard of a loop that is late, until nothing is refused any more', async () => {
    const clock = new VirtualClock()
    const guard = new LoopGuard(seededRandom(1))
    const delays = new Histogram()
    // Everything that is due comes so late.
    let lateMs = 250
    const late = {
      monotonicMs: () => clock.monotonicMs(),
      schedule: (delayMs: number, action: () => void) => clock.schedule(delayMs + lateMs, action),
    }
    const watch = new LoopWatch(late, guard, delays)
    for (let second = 0; second < 5; second++) {
      watch.admits(1, clock.monotonicMs())
      await clock.advance(1_000)
    }
    assert.ok(guard.level > 2, `${guard.level}`)
    assert.ok(delays.quantileMs(0.5) >= 250)
    lateMs = 0
    await clock.advance(20_000)
    assert.equal(guard.level, 0)
    const { count } = delays
    await clock.advance(20_000)
    assert.equal(delays.count, count, 'it rests')
  })
})
