import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import fc from 'fast-check'
import { RecentSamples } from './recent-samples.ts'
import type { StoredSample } from './rows.ts'
import { openTelemetryStore, type TelemetryStore } from './telemetry-store.ts'

const BEGIN_MS = Math.floor((Date.now() - 300_000) / 60_000) * 60_000
const SERVICES = ['orders', 'cart', 'search']
/** As `RecentSamples` has it. */
const BLOCK = 4_096
const SIZE = 64 * BLOCK
const BOUNDS = ['0.1', '0.5', '+Inf']

function open(folder: string): Promise<TelemetryStore> {
  return openTelemetryStore({ folder, clock: systemClock, log: { warn() {} } })
}

/** No two at the same time: those have no order. */
const samples = fc.uniqueArray(
  fc.record({
    afterMs: fc.nat(120_000),
    service: fc.constantFrom(...SERVICES),
    le: fc.constantFrom(...BOUNDS),
    name: fc.constantFrom('calls_total', 'took_seconds_bucket', 'waiting'),
    value: fc.nat(50),
  }),
  { minLength: 1, maxLength: 200, selector: ({ afterMs }) => afterMs },
)

const query = fc.record({
  fromMs: fc.nat(60_000).map((ms) => BEGIN_MS + ms),
  lastsMs: fc.integer({ min: 1, max: 120_000 }),
  stepMs: fc.constantFrom(undefined, 1_000, 7_000, 60_000),
  what: fc.constantFrom(
    { name: 'calls_total', as: 'rate' as const },
    { name: 'took_seconds', as: 'quantile' as const, quantiles: [0, 0.5, 0.99] },
    { name: 'waiting', as: 'value' as const },
  ),
  by: fc.constantFrom(undefined, [], ['service']),
  merge: fc.constantFrom('sum' as const, 'avg' as const, 'min' as const, 'max' as const),
})

type Drawn = typeof samples extends fc.Arbitrary<(infer One)[]> ? One : never

function sampleOf({ afterMs, service, le, name, value }: Drawn): StoredSample {
  return {
    timeMs: BEGIN_MS + afterMs,
    name,
    labels: name.endsWith('_bucket') ? { service, le } : { service },
    type: name === 'waiting' ? 'gauge' : 'counter',
    value,
  }
}

describe('recentPoints', () => {
  it('are what the file answers when it was closed and opened again', async () => {
    const runs = fc.asyncProperty(
      samples,
      fc.array(query, { minLength: 20, maxLength: 20 }),
      async (drawn, queries) => {
        const folder = mkdtempSync(join(tmpdir(), 'flotilla-telemetry-'))
        let store = await open(folder)
        try {
          store.appendSamples(drawn.map(sampleOf))
          const ask = (): Promise<unknown> =>
            Promise.all(
              queries.map(({ fromMs, lastsMs, what, ...rest }) =>
                store.series({ fromMs, toMs: fromMs + lastsMs, ...rest, ...what }),
              ),
            )
          // Nothing is written yet.
          const recent = await ask()
          await store.close()
          store = await open(folder)
          assert.deepEqual(recent, await ask())
        } finally {
          await store.close()
          rmSync(folder, { recursive: true })
        }
      },
    )
    await fc.assert(runs, { numRuns: 20, endOnFailure: true })
  })
})

describe('RecentSamples', () => {
  it('answers for times of which nothing is forgotten', () => {
    const recent = new RecentSamples()
    assert.ok(recent.covers(1))
    recent.forgotten(1_000)
    assert.deepEqual([recent.covers(1_000), recent.covers(1_001)], [false, true])
    const countFrom = (fromUs: number): number => {
      let count = 0
      recent.each({ fromUs, toUs: Number.POSITIVE_INFINITY }, () => void count++)
      return count
    }
    for (let us = 2_000; us < 2_000 + SIZE; us++) recent.add(us, 1, us, 0)
    assert.ok(recent.covers(1_001))
    assert.equal(countFrom(1_001), SIZE)
    // The oldest block is given up as soon as something is written over it.
    recent.add(2_000 + SIZE, 1, 0, 0)
    assert.deepEqual([recent.covers(2_000 + BLOCK - 1), recent.covers(2_000 + BLOCK)], [false, true])
    assert.equal(countFrom(2_000 + BLOCK), SIZE - BLOCK + 1)
    for (let us = 2_001 + SIZE; us < 2_000 + 3 * SIZE; us++) recent.add(us, 1, us, 0)
    assert.deepEqual([recent.covers(2_000 + 2 * SIZE - 1), recent.covers(2_000 + 2 * SIZE)], [false, true])
    assert.equal(countFrom(2_000 + 2 * SIZE), SIZE)
    assert.equal(countFrom(2_000 + 3 * SIZE - 10), 10)
  })
})
