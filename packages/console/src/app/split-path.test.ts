import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { splitPath } from './split-path.ts'

describe('splitPath', () => {
  it('finds page and thing again, whatever the thing is called', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
        assert.deepEqual(splitPath(`/sagas/${encodeURIComponent(name)}`), { page: '/sagas', rest: name })
      }),
    )
    assert.deepEqual(splitPath('/'), { page: '/', rest: undefined })
    assert.deepEqual(splitPath('/logs'), { page: '/logs', rest: undefined })
    assert.deepEqual(splitPath('/logs/%'), { page: '/logs', rest: '%' })
  })
})
