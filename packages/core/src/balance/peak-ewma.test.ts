import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import { PeakEwma, pickOfTwo } from './peak-ewma.ts'

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

describe('pickOfTwo', () => {
  it('pickOfTwo picks nobody of none and the only one of one', () => {
    assert.equal(pickOfTwo([], seededRandom(1), 0), undefined)
    const only = { ewma: measured(1_000) }
    assert.equal(pickOfTwo([only], seededRandom(1), 0), only)
  })

  it('pickOfTwo never picks the worst, and picks each of the others sometimes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyLatencyMs, { minLength: 2, maxLength: 6 }),
        fc.integer(),
        (latencies, seed) => {
          const candidates = latencies.map((latencyMs) => ({ ewma: measured(latencyMs), latencyMs }))
          const random = seededRandom(seed)
          const picked = new Set(
            Array.from({ length: 500 }, () => pickOfTwo(candidates, random, 0)?.latencyMs as number),
          )
          const sorted = latencies.toSorted((a, b) => a - b)
          assert.deepEqual(
            [...picked].toSorted((a, b) => a - b),
            sorted.slice(0, -1),
          )
        },
      ),
    )
  })

  /** Sends one call every 10 ms to two instances and counts where they went. */
  function shares(behaviours: readonly { latencyMs: number; hasFailed: boolean }[]): number[] {
    const instances = behaviours.map((behaviour) => ({ ewma: new PeakEwma(), behaviour, calls: 0 }))
    const random = seededRandom(7)
    for (let nowMs = 0; nowMs < 20_000; nowMs += 10) {
      const instance = pickOfTwo(instances, random, nowMs)
      assert.ok(instance)
      instance.calls++
      instance.ewma.begin()
      instance.ewma.end(nowMs, instance.behaviour.latencyMs, instance.behaviour.hasFailed)
    }
    const total = instances.reduce((sum, { calls }) => sum + calls, 0)
    return instances.map(({ calls }) => calls / total)
  }

  it('pickOfTwo prefers the faster of two', () => {
    const [fast = 0] = shares([
      { latencyMs: 2, hasFailed: false },
      { latencyMs: 20, hasFailed: false },
    ])
    assert.ok(fast > 0.9, `${fast}`)
  })

  it('pickOfTwo avoids the one that fails fast', () => {
    const [failing = 1] = shares([
      { latencyMs: 1, hasFailed: true },
      { latencyMs: 50, hasFailed: false },
    ])
    assert.ok(failing < 0.05, `${failing}`)
  })
})
