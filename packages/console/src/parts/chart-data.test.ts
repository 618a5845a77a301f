import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { columnsOf, type Line, lastOf, lineInWords, lonePlaces } from './chart-data.ts'

const lines: fc.Arbitrary<Line[]> = fc.array(
  fc.record({
    label: fc.string(),
    points: fc
      .uniqueArray(fc.tuple(fc.nat(50), fc.option(fc.nat(9))), { selector: ([at]) => at })
      .map((points) => points.sort(([a], [b]) => a - b)),
  }),
  { maxLength: 4 },
)

describe('columnsOf', () => {
  it('has every point at its moment, and moments once and in order', () => {
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 60 }), (its, gapMs) => {
        const [moments, ...columns] = columnsOf(its, gapMs)
        assert.deepEqual(
          moments,
          [...new Set(moments)].sort((a, b) => a - b),
        )
        for (const [index, { points }] of its.entries()) {
          assert.equal(columns[index]?.length, moments.length)
          for (const [at, value] of points) assert.equal(columns[index]?.[moments.indexOf(at / 1_000)], value)
          const known = columns[index]?.filter((value) => typeof value === 'number')
          assert.equal(known?.length, points.filter(([, value]) => value !== null).length)
        }
      }),
    )
  })

  it('joins points that are near, and no others', () => {
    const one = {
      label: 'a',
      points: [
        [0, 1],
        [10, 2],
        [50, 3],
      ] as const,
    }
    const other = {
      label: 'b',
      points: [
        [5, 7],
        [10, 8],
      ] as const,
    }
    assert.deepEqual(columnsOf([one, other], 20), [
      [0, 0.005, 0.01, 0.03, 0.05],
      [1, undefined, 2, null, 3],
      [null, 7, 8, null, null],
    ])
  })
})

describe('lonePlaces', () => {
  it('finds values without a neighbour', () => {
    assert.deepEqual(lonePlaces([1, null, 2, undefined, 3, null, 4, undefined]), [0, 6])
    assert.deepEqual(lonePlaces([null, 1, undefined, null]), [1])
    assert.deepEqual(lonePlaces([]), [])
  })
})

describe('lineInWords', () => {
  it('says the last, the least and the most', () => {
    const points = [
      [1, 5],
      [2, null],
      [3, 2],
      [4, null],
    ] as const
    assert.equal(lineInWords({ label: 'rate', points }, String), 'rate: last 2, from 2 to 5')
    assert.equal(lineInWords({ label: 'rate', points: [] }, String), 'rate: no data')
    assert.equal(lastOf(points), 2)
    assert.equal(lastOf([]), undefined)
  })
})
