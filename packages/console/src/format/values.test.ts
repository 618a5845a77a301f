import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { leavesOf, previewOf, queryTerm, valueBlock, valueText, withTerm } from './values.ts'

describe('queryTerm', () => {
  it('quotes where it has to', () => {
    assert.equal(queryTerm('order_id', 'o-17'), 'order_id=o-17')
    assert.equal(queryTerm('message', 'a "b" c'), 'message="a \\"b\\" c"')
    assert.equal(queryTerm('count', 3), 'count=3')
  })
})

describe('withTerm', () => {
  it('adds once, whatever stands there', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z =]{0,20}$/),
        fc.stringMatching(/^[a-z]+=[a-z]+$/),
        (query, term) => {
          const once = withTerm(query, term)
          assert.equal(withTerm(once, term), once)
          assert.ok(once.includes(term))
        },
      ),
    )
  })
})

describe('leavesOf', () => {
  it('names fields within fields by their path', () => {
    assert.deepEqual(leavesOf({ a: 1, error: { code: 'x', at: { line: 3 } }, none: undefined, list: [1] }), [
      ['a', 1],
      ['error.code', 'x'],
      ['error.at.line', 3],
      ['list', [1]],
    ])
  })
})

describe('previewOf', () => {
  it('takes whole fields as long as there is room', () => {
    const fields = { method: 'GET', status: 200, path: '/api/v1/products' }
    assert.equal(previewOf(fields, 100), 'method=GET status=200 path=/api/v1/products')
    assert.equal(previewOf(fields, 25), 'method=GET status=200 …')
    assert.equal(previewOf(fields, 5), 'metho …')
    assert.equal(previewOf({}, 5), '')
  })

  it('has what is the line’s own first', () => {
    const fields = { version: '1', request_id: 'r', order_id: 'o-17' }
    assert.equal(previewOf(fields, 25), 'order_id=o-17 version=1 …')
  })
})

describe('valueText', () => {
  it('leaves text alone', () => {
    assert.equal(valueText('a'), 'a')
    assert.equal(valueText({ a: 1 }), '{"a":1}')
    assert.equal(valueText(undefined), 'undefined')
    assert.equal(valueBlock({ a: 1 }), '{\n  "a": 1\n}')
  })
})
