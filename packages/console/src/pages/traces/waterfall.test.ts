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
  it('gives each moment to the deepest of what was waited for, also after the end of what caused it', () => {
    const beside = { parentId: 'a', service: 'watch', startMs: 0, durationMs: 99, isCritical: false }
    const times = timePerService([
      { spanId: 'a', service: 'gateway', startMs: 0, durationMs: 100, isCritical: true },
      { spanId: 'b', parentId: 'a', service: 'orders', startMs: 10, durationMs: 5, isCritical: true },
      { spanId: 'c', parentId: 'b', service: 'payments', startMs: 12, durationMs: 60, isCritical: true },
      // By its machine's clock it began before it was caused.
      { spanId: 'd', parentId: 'c', service: 'provider', startMs: 11, durationMs: 59, isCritical: true },
      { spanId: 'e', ...beside },
      { spanId: 'f', ...beside, parentId: 'e' },
    ])
    assert.deepEqual(times, [
      { service: 'provider', spans: 1, ownMs: 59 },
      { service: 'gateway', spans: 1, ownMs: 38 },
      { service: 'payments', spans: 1, ownMs: 2 },
      { service: 'orders', spans: 1, ownMs: 1 },
      { service: 'watch', spans: 2, ownMs: 0 },
    ])
  })

  it('adds up to the time in which anything was waited for', () => {
    fc.assert(
      fc.property(spans, fc.func(fc.boolean()), (its, isCritical) => {
        const all = its.map((span) => ({ ...span, isCritical: isCritical(span.spanId) }))
        const times = timePerService(all)
        const path = all.filter((span) => span.isCritical)
        const isBusy = (ms: number): boolean =>
          path.some(({ startMs, durationMs }) => startMs <= ms && ms < startMs + durationMs)
        const busyMs = Array.from({ length: 100 }, (_, ms) => ms).filter(isBusy).length
        assert.equal(
          times.reduce((sum, { ownMs }) => sum + ownMs, 0),
          busyMs,
        )
        assert.equal(
          times.reduce((sum, { spans: count }) => sum + count, 0),
          all.length,
        )
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
