import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seriesAnswer } from './series-answer.ts'

const labels = { service: 'orders' }
const textOf = (points: [number, number | null][]): string =>
  seriesAnswer({ items: [{ labels, points }], exemplars: [] }, 'where').text.split('\n')[1] ?? ''

describe('seriesAnswer', () => {
  it('has values without times where steps are even, with null where one is missing', () => {
    assert.deepEqual(
      JSON.parse(
        textOf([
          [1_000, 4],
          [2_000, 1 / 3],
          [4_000, null],
          [5_000, 9],
        ]),
      ),
      {
        labels,
        min: 0.33333,
        max: 9,
        last: 9,
        fromMs: 1_000,
        everyMs: 1_000,
        values: [4, 0.33333, null, null, 9],
      },
    )
  })

  it('has a time for each value where steps are not even', () => {
    const points: [number, number][] = [
      [1_000, 1],
      [1_003, 2],
      [1_005, 3],
    ]
    assert.deepEqual(JSON.parse(textOf(points)), { labels, min: 1, max: 3, last: 3, points })
  })

  it('tells of one point, of none, and of traces', () => {
    assert.deepEqual(JSON.parse(textOf([[1_000, 7]])), {
      labels,
      min: 7,
      max: 7,
      last: 7,
      fromMs: 1_000,
      values: [7],
    })
    assert.deepEqual(JSON.parse(textOf([])), { labels, values: [] })
    const { text } = seriesAnswer({ items: [], exemplars: [{ atMs: 1, value: 0.5, traceId: 'ab' }] }, 'where')
    assert.match(text, /^series \(0\).*\ntraces that show it .*\n\{"atMs":1,"value":0.5,"traceId":"ab"\}$/)
  })
})
