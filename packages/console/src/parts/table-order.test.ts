import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseOrder, sorted } from './table-order.ts'

describe('sorted', () => {
  it('keeps every row, in order, and equal ones as they stood', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat())), fc.boolean(), (rows, isDescending) => {
        const result = sorted(rows, ([value]) => value, isDescending)
        assert.deepEqual(new Set(result), new Set(rows))
        for (const [index, row] of result.entries()) {
          const next = result[index + 1]
          if (next === undefined) continue
          const distance = isDescending ? row[0] - next[0] : next[0] - row[0]
          assert.ok(distance > 0 || (distance === 0 && rows.indexOf(row) <= rows.lastIndexOf(next)))
        }
      }),
    )
  })
})

describe('parseOrder', () => {
  it('reads both directions', () => {
    assert.deepEqual(parseOrder('-p95'), { title: 'p95', isDescending: true })
    assert.deepEqual(parseOrder('name'), { title: 'name', isDescending: false })
    assert.equal(parseOrder('-'), undefined)
    assert.equal(parseOrder(undefined), undefined)
  })
})
