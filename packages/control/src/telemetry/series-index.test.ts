import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bucketQuantile } from './bucket-quantile.ts'
import type { StoredSample } from './rows.ts'
import { SeriesIndex } from './series-index.ts'

const sample = (timeMs: number, value: number, more: Partial<StoredSample> = {}): StoredSample => ({
  timeMs,
  name: 'x_total',
  labels: { a: '1' },
  type: 'counter',
  value,
  ...more,
})

describe('SeriesIndex', () => {
  it('adds up what is counted over any number of restarts', () => {
    const lives = fc.array(fc.array(fc.nat(100), { minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(lives, (all) => {
        const index = new SeriesIndex(10)
        let timeMs = 0
        let told = 0
        let truth = 0
        let last: number | undefined
        for (const steps of all) {
          let value = 0
          for (const step of steps) {
            value += step
            // A new life that has counted as much already when it is first seen is no restart for anybody who looks from outside.
            const seen = last === undefined ? 0 : value >= last ? value - last : value
            truth += seen
            told += index.take(sample(timeMs++, value))?.increase ?? Number.NaN
            last = value
          }
        }
        assert.equal(told, truth)
      }),
    )
  })

  it('counts a new series from its beginning where that is known and no long ago', () => {
    const first = (more: Partial<StoredSample>): number | undefined =>
      new SeriesIndex(10).take(sample(1e6, 5, more))?.increase
    assert.deepEqual(
      [
        first({}),
        first({ sinceMs: 1e6 - 5_000 }),
        first({ sinceMs: 1e5 }),
        first({ increase: 2 }),
        first({ type: 'gauge', sinceMs: 1e6 }),
      ],
      [0, 5, 0, 2, 0],
    )
  })

  it('knows a series by its labels, in whatever order, and one that comes late changes nothing', () => {
    const index = new SeriesIndex(10)
    const one = index.take(sample(10, 5, { labels: { a: '1', b: '2' } }))
    const same = index.take(sample(20, 7, { labels: { b: '2', a: '1' } }))
    assert.equal(one?.series.id, same?.series.id)
    assert.equal(same?.increase, 2)
    const labels = { a: '1', b: '2' }
    assert.equal(index.take(sample(15, 6, { labels }))?.increase, 0)
    assert.equal(index.take(sample(30, 9, { labels }))?.increase, 2)
    assert.notEqual(index.take(sample(10, 5, { labels: { a: '1', b: '' } }))?.series.id, one?.series.id)
  })

  it('finds series by labels, where an absent one is empty, and forgets', () => {
    const index = new SeriesIndex(3)
    for (const labels of [{ a: '1' }, { a: '2' }, { b: '1' }] as Record<string, string>[])
      index.take(sample(1, 1, { labels }))
    assert.equal(index.take(sample(1, 1, { labels: { c: '1' } })), undefined)
    const find = (is: '=' | '!=', ...values: string[]): number[] =>
      index.find('x_total', [{ label: 'a', is, values }]).map(({ id }) => id)
    assert.deepEqual([find('=', '1', '2'), find('!=', '1'), find('=', '')], [[1, 2], [2, 3], [3]])
    assert.deepEqual(index.keepOnly(new Set([2])), [1, 3])
    assert.deepEqual([find('!=', 'x'), index.count], [[2], 1])
    assert.equal(index.take(sample(1, 1, { labels: { c: '1' } }))?.isNew, true)
  })
})

describe('bucketQuantile', () => {
  it('is in the bucket where the true quantile is', () => {
    const bounds = [0.1, 0.5, 1, 2, Number.POSITIVE_INFINITY]
    const observations = fc.array(fc.double({ min: 0.001, max: 3, noNaN: true }), {
      minLength: 1,
      maxLength: 50,
    })
    fc.assert(
      fc.property(observations, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const buckets = bounds.map((bound): [number, number] => [
          bound,
          all.filter((one) => one <= bound).length,
        ])
        const sorted = all.toSorted((a, b) => a - b)
        const truth = sorted[Math.max(0, Math.ceil(share * all.length) - 1)] as number
        const told = bucketQuantile(buckets, share) as number
        const upper = bounds.findIndex((bound) => truth <= bound)
        assert.ok(told >= (bounds[upper - 1] ?? 0) - 1e-9, `${told} for ${truth}`)
        assert.ok(told <= Math.min(bounds[upper] as number, 2) + 1e-9, `${told} for ${truth}`)
      }),
    )
  })

  it('of nothing is undefined, and above the last bound is that bound', () => {
    assert.equal(bucketQuantile([[1, 0]], 0.5), undefined)
    assert.equal(bucketQuantile([], 0.5), undefined)
    assert.equal(
      bucketQuantile(
        [
          [1, 1],
          [Number.POSITIVE_INFINITY, 10],
        ],
        0.9,
      ),
      1,
    )
  })
})
