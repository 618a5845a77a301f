import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PeakEwma } from './peak-ewma.ts'

const DECAY_MS = 10_000
const PENALTY_MS = 1_000
const anyLatencyMs = fc.double({ min: 0.01, max: 5_000, noNaN: true })
const isNear = (actual: number, expected: number): void =>
  assert.ok(Math.abs(actual - expected) <= 1e-9 * Math.max(1, expected), `${actual}, not ${expected}`)

/** One call that began and ended. */
function measured(latencyMs: number, nowMs = 0, hasFailed = false): PeakEwma {
  const ewma = new PeakEwma()
  ewma.begin()
  ewma.end(nowMs, latencyMs, hasFailed)
  return ewma
}

describe('PeakEwma', () => {
  it('PeakEwma expects the work of every pending call, and less of it the longer nobody measured', () => {
    fc.assert(
      fc.property(anyLatencyMs, fc.nat(20), fc.nat(60_000), (latencyMs, pending, idleMs) => {
        const ewma = measured(latencyMs)
        for (let call = 0; call < pending; call++) ewma.begin()
        assert.equal(ewma.pending, pending)
        isNear(ewma.load(idleMs), latencyMs * (pending + 1) * Math.exp(-idleMs / DECAY_MS))
      }),
    )
  })

  it('PeakEwma jumps up at once and comes down by the time that passes', () => {
    fc.assert(
      fc.property(anyLatencyMs, anyLatencyMs, fc.nat(60_000), (one, other, laterMs) => {
        const ewma = measured(one)
        ewma.begin()
        ewma.end(laterMs, other, false)
        const weight = Math.exp(-laterMs / DECAY_MS)
        isNear(ewma.load(laterMs), other >= one ? other : one * weight + other * (1 - weight))
      }),
    )
  })

  it('PeakEwma takes a failure for slow, however fast it came', () => {
    fc.assert(
      fc.property(anyLatencyMs, anyLatencyMs, (before, latencyMs) => {
        const ewma = measured(before)
        ewma.begin()
        ewma.end(0, latencyMs, true)
        isNear(ewma.load(0), Math.max(before, latencyMs, PENALTY_MS))
      }),
    )
  })

  it('PeakEwma invites one call to an instance it does not know, and no second before the first has answered', () => {
    const ewma = new PeakEwma()
    assert.equal(ewma.load(0), 0)
    ewma.begin()
    assert.ok(ewma.load(0) >= PENALTY_MS)
    ewma.end(0, 2, false)
    assert.equal(ewma.load(0), 2)
  })
})
