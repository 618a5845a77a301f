import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Bucket, barsOf, bucketsBetween, filled, histogramInWords, linesIn } from './histogram.ts'

const buckets: fc.Arbitrary<Bucket[]> = fc.array(
  fc.record({
    atMs: fc.nat(),
    levels: fc
      .dictionary(fc.constantFrom('error', 'warn', 'info', 'odd'), fc.nat(100))
      .map((levels) => ({ ...levels })),
  }),
  { maxLength: 10 },
)

describe('barsOf', () => {
  it('stacks parts without gaps, in proportion, the worst at the bottom', () => {
    fc.assert(
      fc.property(buckets, (its) => {
        const highest = Math.max(1, ...its.map(linesIn))
        for (const [index, parts] of barsOf(its).entries()) {
          const bucket = its[index]
          assert.ok(bucket)
          const top = parts.reduce((from, part) => {
            assert.ok(Math.abs(part.from - from) < 1e-9)
            return from + part.share
          }, 0)
          assert.ok(Math.abs(top - linesIn(bucket) / highest) < 1e-9)
          const errors = parts.findIndex(({ level }) => level === 'error')
          assert.ok(errors <= 0)
        }
      }),
    )
  })
})

describe('filled', () => {
  it('has every while of the range, those with lines as they were', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(50)),
        fc.integer({ min: 1, max: 500 }),
        fc.nat(99),
        (steps, stepMs, early) => {
          const known = steps
            .sort((a, b) => a - b)
            .map((step) => ({ atMs: step * stepMs, levels: { info: 1 } }))
          const fromMs = (known[0]?.atMs ?? 0) + early
          const all = filled(known, stepMs, { fromMs, toMs: 51 * stepMs })
          for (const bucket of known) assert.ok(all.includes(bucket))
          for (const [index, { atMs }] of all.entries())
            assert.equal(atMs, (all[0]?.atMs ?? 0) + index * stepMs)
          assert.ok(all.length === 0 || (all[0]?.atMs ?? 0) <= fromMs)
        },
      ),
    )
  })
})

describe('histogramInWords', () => {
  it('says all', () => {
    assert.equal(
      histogramInWords([
        { atMs: 0, levels: { info: 5, error: 1 } },
        { atMs: 1, levels: { info: 2, warn: 0 } },
      ]),
      '8 lines: 1 error, 7 info',
    )
    assert.equal(histogramInWords([]), '0 lines')
  })
})

describe('bucketsBetween', () => {
  it('takes at least one, and none that is not there', () => {
    assert.deepEqual(bucketsBetween(0.51, 0.52, 10), [5, 5])
    assert.deepEqual(bucketsBetween(0.9, 0.1, 10), [1, 9])
    assert.deepEqual(bucketsBetween(-1, 2, 10), [0, 9])
  })
})
