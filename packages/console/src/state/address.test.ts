import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  changed,
  elsewhere,
  hrefOf,
  momentsOf,
  type Place,
  parsePlace,
  parseRange,
  parseRefreshS,
  rangeBetween,
} from './address.ts'

const places: fc.Arbitrary<Place> = fc
  .record({
    path: fc.stringMatching(/^(?:\/[a-z0-9-]{1,8}){1,3}$/),
    params: fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.string({ minLength: 1, maxLength: 12 })),
  })
  .map(({ path, params }) => ({ path, params: { ...params } }))

function read(href: string): Place {
  const [path = '', search = ''] = href.split(/\?(.*)/s)
  return parsePlace(path, search)
}

describe('hrefOf', () => {
  it('is read back as the same place', () => {
    fc.assert(
      fc.property(places, (place) => {
        assert.deepEqual(read(hrefOf(place)), place)
      }),
    )
  })

  it('is the same for the same state, whatever came first', () => {
    assert.equal(hrefOf({ path: '/logs', params: { q: 'a b', a: '1' } }), '/console/logs?a=1&q=a+b')
    assert.equal(hrefOf({ path: '/logs', params: { a: '1', q: 'a b' } }), '/console/logs?a=1&q=a+b')
    assert.equal(hrefOf(parsePlace('/console/', '')), '/console/')
    assert.deepEqual(parsePlace('/console', ''), parsePlace('/console/', ''))
  })
})

describe('changed', () => {
  it('sets and takes away', () => {
    const place = { path: '/logs', params: { q: 'a', range: '1h' } }
    assert.deepEqual(changed(place, { q: undefined, live: '1' }).params, { range: '1h', live: '1' })
  })
})

describe('elsewhere', () => {
  it('takes time and refreshing along, and nothing else', () => {
    const place = { path: '/logs', params: { q: 'a', range: '1h', refresh: '0' } }
    assert.deepEqual(elsewhere(place, '/traces', { service: 'orders' }), {
      path: '/traces',
      params: { range: '1h', refresh: '0', service: 'orders' },
    })
  })
})

describe('parseRange', () => {
  it('knows names and moments, and takes 15 minutes for anything else', () => {
    assert.deepEqual(momentsOf(parseRange('1h'), 4_000_000), { fromMs: 400_000, toMs: 4_000_000 })
    assert.deepEqual(parseRange('10-20'), { fromMs: 10, toMs: 20 })
    for (const text of [undefined, '20-10', 'toString', '1', '-']) {
      assert.deepEqual(parseRange(text), { lastMs: 900_000 })
    }
  })

  it('reads back what rangeBetween wrote, with nothing cut off', () => {
    const moments = fc.double({ min: 0, max: 2e12, noNaN: true })
    fc.assert(
      fc.property(moments, moments, (a, b) => {
        const range = parseRange(rangeBetween(Math.min(a, b), Math.max(a, b)))
        assert.ok('fromMs' in range && range.fromMs <= Math.min(a, b) && range.toMs >= Math.max(a, b))
      }),
    )
  })
})

describe('parseRefreshS', () => {
  it('takes what is offered', () => {
    assert.deepEqual(['0', '2', '60', '3', 'x', undefined].map(parseRefreshS), [0, 2, 60, 5, 5, 5])
  })
})
