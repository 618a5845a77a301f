import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { bytes, count, duration, measured, plural, rate, share, short } from './figures.ts'

describe('duration', () => {
  it('chooses the unit', () => {
    assert.deepEqual([0, 0.042, 3.2, 18, 250.4, 999.6, 1_250, 61_000, 7_500_000, 90_000_000].map(duration), [
      '0 ms',
      '0.042 ms',
      '3.2 ms',
      '18 ms',
      '250 ms',
      '1 s',
      '1.25 s',
      '1 min 1 s',
      '2 h 5 min',
      '1 d 1 h',
    ])
  })

  it('says that it is not known', () => {
    assert.equal(duration(null), '–')
    assert.equal(duration(Number.NaN), '–')
  })
})

describe('short', () => {
  it('is near the number, and short', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.01, max: 999, noNaN: true }), (value) => {
        const text = short(value)
        assert.ok(text.length <= 5, text)
        assert.ok(Math.abs(Number(text) - value) <= Math.max(0.000_51, value * 0.06), `${value} ${text}`)
      }),
    )
  })
})

describe('share', () => {
  it('says 0 for none and 100 for all alone', () => {
    assert.deepEqual([0.997, 0.007_94, 0.062].map(share), ['99.7 %', '0.79 %', '6.2 %'])
    assert.deepEqual([0, 0.000_01, 0.05, 0.999_9, 1].map(share), [
      '0 %',
      '<0.01 %',
      '5 %',
      '>99.9 %',
      '100 %',
    ])
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1 - 1e-9, noNaN: true }), (value) => {
        assert.ok(!['0 %', '100 %'].includes(share(value)))
      }),
    )
  })
})

describe('other figures', () => {
  it('carry their units', () => {
    assert.deepEqual([0, 0.05, 0.5, 1_200].map(rate), ['0/s', '3/min', '0.5/s', '1\u202f200/s'])
    assert.deepEqual([0, 999, 1_500, 123_456_789].map(bytes), ['0 B', '999 B', '1.5 kB', '123 MB'])
    assert.equal(count(1_234_567), '1\u202f234\u202f567')
    assert.deepEqual(
      [plural(1, 'thing'), plural(2, 'thing'), plural(0, 'query', 'queries')],
      ['1 thing', '2 things', '0 queries'],
    )
  })

  it('take the unit of a metric from its name', () => {
    assert.equal(measured('operation_duration_ms', 12), '12 ms')
    assert.equal(measured('http_seconds', 0.012), '12 ms')
    assert.equal(measured('heap_bytes', 2_000_000), '2 MB')
    assert.equal(measured('loop_busy_ratio', 0.5), '50 %')
    assert.equal(measured('orders_total', 12), '12')
  })
})
