import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isoTime, parseIsoTime, systemClock } from './clock.ts'
import { VirtualClock } from './virtual-clock.ts'

describe('isoTime', () => {
  it('isoTime is read back by parseIsoTime', () => {
    const years = { min: Date.UTC(0, 0), max: Date.UTC(9999, 11, 31) }
    fc.assert(fc.property(fc.integer(years), (ms) => parseIsoTime(isoTime(ms)) === ms))
  })
})

describe('parseIsoTime', () => {
  it('parseIsoTime reads dates, offsets and parts of a second', () => {
    assert.equal(parseIsoTime('2026-11-20'), Date.UTC(2026, 10, 20))
    assert.equal(parseIsoTime('2026-11-20T10:00:00Z'), Date.UTC(2026, 10, 20, 10))
    assert.equal(parseIsoTime('2026-11-20T10:00:00.25+02:00'), Date.UTC(2026, 10, 20, 8, 0, 0, 250))
  })

  it('parseIsoTime gives NaN for anything else, also for what means another time on another machine', () => {
    for (const text of ['', 'now', '1', '20 Nov 2026', '2026-11-20T10:00:00', '2026-13-01T00:00:00Z']) {
      assert.ok(Number.isNaN(parseIsoTime(text)), text)
    }
  })
})

describe('Clock.sleep', () => {
  it('Clock.sleep rejects with the reason when the signal aborts, and leaves no wait behind', async () => {
    const clock = new VirtualClock()
    const reason = new Error('enough')
    await assert.rejects(clock.sleep(10, AbortSignal.abort(reason)), reason)
    const controller = new AbortController()
    const slept = clock.sleep(10, controller.signal)
    controller.abort(reason)
    await assert.rejects(slept, reason)
    assert.equal(clock.pending, 0)
  })

  it('Clock.sleep ends in time when the signal never aborts', async () => {
    const clock = new VirtualClock()
    const slept = clock.sleep(10, new AbortController().signal).then(() => clock.monotonicMs())
    await clock.advance(20)
    assert.equal(await slept, 10)
  })
})

describe('systemClock', () => {
  it('systemClock goes forward, and fires not before its time', async () => {
    const startMs = systemClock.monotonicMs()
    await systemClock.sleep(2)
    // Timers of the platform count whole milliseconds and may fire up to one early.
    assert.ok(systemClock.monotonicMs() - startMs >= 1)
    assert.ok(Math.abs(systemClock.now() - Date.now()) < 1_000)
  })

  it('systemClock does not fire what was canceled', async () => {
    let hasFired = false
    const timer = systemClock.schedule(0, () => {
      hasFired = true
    })
    timer.cancel()
    await systemClock.sleep(3)
    timer.cancel()
    assert.equal(hasFired, false)
  })
})
