import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { VirtualClock } from './virtual-clock.ts'

describe('VirtualClock', () => {
  it('VirtualClock fires what is due and not canceled, by time and then by creation, at its time', async () => {
    const anyWaits = fc.array(fc.record({ delayMs: fc.nat(30), isCanceled: fc.boolean() }), {
      maxLength: 12,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(anyWaits, fc.nat(30), async (waits, untilMs) => {
        const clock = new VirtualClock()
        const fired: { atMs: number; index: number }[] = []
        const timers = waits.map(({ delayMs }, index) =>
          clock.schedule(delayMs, () => fired.push({ atMs: clock.monotonicMs(), index })),
        )
        for (const [index, timer] of timers.entries()) if (waits[index]?.isCanceled) timer.cancel()
        await clock.advance(untilMs)
        const expected = waits
          .map(({ delayMs, isCanceled }, index) => ({ atMs: delayMs, index, isCanceled }))
          .filter(({ atMs, isCanceled }) => !isCanceled && atMs <= untilMs)
          .sort((a, b) => a.atMs - b.atMs || a.index - b.index)
        assert.deepEqual(
          fired,
          expected.map(({ atMs, index }) => ({ atMs, index })),
        )
        assert.equal(clock.monotonicMs(), untilMs)
        assert.equal(clock.pending, waits.filter((wait) => !wait.isCanceled).length - fired.length)
      }),
    )
  })

  it('VirtualClock fires waits that other waits set off inside the same span', async () => {
    const clock = new VirtualClock()
    const ticks: number[] = []
    const loop = (async () => {
      for (let round = 0; round < 5; round++) {
        await clock.sleep(10)
        ticks.push(clock.monotonicMs())
      }
    })()
    await clock.advance(50)
    await loop
    assert.deepEqual(ticks, [10, 20, 30, 40, 50])
  })

  it('VirtualClock.jump moves the wall clock alone', async () => {
    const clock = new VirtualClock(1_000)
    let hasFired = false
    clock.schedule(10, () => {
      hasFired = true
    })
    clock.jump(60_000)
    await clock.advance(5)
    assert.equal(clock.now(), 61_005)
    assert.equal(clock.monotonicMs(), 5)
    assert.equal(hasFired, false)
  })
})
