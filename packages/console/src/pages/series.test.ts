import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { labelText, linesOf, sumOf } from './series.ts'

const series = [
  {
    labels: { code: 'ok' },
    points: [
      [1, 4],
      [2, null],
      [3, 6],
    ] as [number, number | null][],
  },
  {
    labels: { code: 'internal' },
    points: [
      [1, 1],
      [2, null],
      [3, null],
      [4, 7],
    ] as [number, number | null][],
  },
]

describe('sumOf', () => {
  it('adds up what is known', () => {
    assert.deepEqual(sumOf(series), [
      [1, 5],
      [2, null],
      [3, 6],
      [4, 7],
    ])
    assert.deepEqual(
      sumOf(series, ({ code }) => code !== 'ok'),
      [
        [1, 1],
        [2, null],
        [3, null],
        [4, 7],
      ],
    )
    assert.deepEqual(sumOf([]), [])
  })
})

describe('linesOf', () => {
  it('takes the highest first', () => {
    assert.deepEqual(
      linesOf(series, 1).map(({ label }) => label),
      ['code internal'],
    )
    assert.equal(labelText({}), 'all')
  })
})
