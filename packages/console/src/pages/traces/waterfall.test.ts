import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { marksOf, rowsOf, timePerService, visibleRows, type WaterfallSpan } from './waterfall.ts'

/** Any spans at all: with causes that are missing, themselves, or in a circle. */
const spans: fc.Arbitrary<WaterfallSpan[]> = fc.uniqueArray(
  fc.record(
    {
      spanId: fc.constantFrom(...'abcdefgh'),
      parentId: fc.constantFrom(...'abcdefghx'),
      service: fc.constantFrom('orders', 'cart'),
      startMs: fc.nat(50),
      durationMs: fc.nat(50),
    },
    { requiredKeys: ['spanId', 'service', 'startMs', 'durationMs'] },
  ),
  { selector: ({ spanId }) => spanId },
)

describe('rowsOf', () => {
  it('has every span once', () => {
    fc.assert(
      fc.property(spans, (its) => {
        const rows = rowsOf(its)
        assert.equal(rows.length, its.length)
        assert.deepEqual(new Set(rows.map(({ span }) => span)), new Set(its))
      }),
    )
  })

  it('has what a span caused right below it, one deeper', () => {
    fc.assert(
      fc.property(spans, (its) => {
        const rows = rowsOf(its)
        for (const [index, { depth, below, span }] of rows.entries()) {
          const inside = rows.slice(index + 1, index + 1 + below)
          assert.equal(inside.length, below)
          assert.ok(inside.every((row) => row.depth > depth))
          assert.ok((rows[index + 1 + below]?.depth ?? 0) <= depth)
          for (const row of inside.filter((one) => one.depth === depth + 1)) {
            assert.equal(row.span.parentId, span.spanId)
          }
        }
      }),
    )
  })
})

describe('visibleRows', () => {
  it('hides what is below collapsed spans and nothing else', () => {
    fc.assert(
      fc.property(spans, fc.subarray([...'abcdefgh']), (its, ids) => {
        const rows = rowsOf(its)
        const collapsed = new Set(ids)
        const hidden = new Set(
          rows.flatMap(({ span, below }, index) =>
            collapsed.has(span.spanId) ? rows.slice(index + 1, index + 1 + below) : [],
          ),
        )
        assert.deepEqual(
          visibleRows(rows, collapsed),
          rows.filter((row) => !hidden.has(row)),
        )
      }),
    )
  })
})

describe('timePerService', () => {
  it('counts time once, where it was spent', () => {
    const times = timePerService([
      { spanId: 'a', service: 'gateway', startMs: 0, durationMs: 100 },
      { spanId: 'b', parentId: 'a', service: 'orders', startMs: 10, durationMs: 60 },
      { spanId: 'c', parentId: 'a', service: 'cart', startMs: 50, durationMs: 40 },
    ])
    assert.deepEqual(times, [
      { service: 'orders', spans: 1, ownMs: 60 },
      { service: 'cart', spans: 1, ownMs: 40 },
      { service: 'gateway', spans: 1, ownMs: 20 },
    ])
  })

  it('is never less than nothing', () => {
    fc.assert(
      fc.property(spans, (its) => {
        for (const { ownMs } of timePerService(its)) assert.ok(ownMs >= -1e-9)
      }),
    )
  })
})

describe('marksOf', () => {
  it('are round, few, and not past the end', () => {
    assert.deepEqual(marksOf(730, 5), [0, 200, 400, 600])
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 10 }),
        (wholeMs, most) => {
          const marks = marksOf(wholeMs, most)
          assert.ok(marks.length <= most + 1)
          assert.ok((marks.at(-1) ?? 0) <= wholeMs)
        },
      ),
    )
    assert.deepEqual(marksOf(0, 5), [0])
  })
})
