import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readTemplate, valueIn } from './path-template.ts'

describe('readTemplate', () => {
  const read = (template: string, path: string): unknown => {
    const its = readTemplate(template)
    const values = its?.bindings.map((binding) => [binding.field, valueIn(binding, path)]) ?? []
    return [its?.path, Object.fromEntries(values)]
  }

  it('reads fields', () => {
    assert.deepEqual(read('/v1/{id}', '/v1/a%20b'), ['/v1/{any}', { id: 'a b' }])
    assert.deepEqual(read('/v1/{a.b_c}/x/{d}', '/v1/1/x/2'), ['/v1/{any}/x/{any}', { 'a.b_c': '1', d: '2' }])
    assert.deepEqual(read('/v1/*/x', '/v1/1/x'), ['/v1/{any}/x', {}])
  })

  it('reads fields of several parts', () => {
    const path = '/v1/shelves/1/books/2'
    assert.deepEqual(read('/v1/{name=shelves/*/books/*}', path), [
      '/v1/shelves/{any}/books/{any}',
      { name: 'shelves/1/books/2' },
    ])
    assert.deepEqual(read('/v1/{name=**}', path), ['/v1/**', { name: 'shelves/1/books/2' }])
    assert.deepEqual(read('/v1/{name=shelves/**}', path), ['/v1/shelves/**', { name: 'shelves/1/books/2' }])
  })

  it('reads verbs', () => {
    assert.deepEqual(read('/v1/{id}:cancel', '/v1/a:b:cancel'), ['/v1/{any}:cancel', { id: 'a:b' }])
    assert.deepEqual(read('/v1/{a}/{b=x/*}:go', '/v1/1/x/2:go'), [
      '/v1/{any}/x/{any}:go',
      { a: '1', b: 'x/2' },
    ])
    assert.deepEqual(read('/v1/all:go', '/v1/all:go'), ['/v1/all:go', {}])
  })

  for (const bad of [
    '',
    'v1',
    '/v1/{',
    '/v1/{}',
    '/v1/{a b}',
    '/**/x',
    '/{a=**}/x',
    '/{a=**}:go',
    '/a/{b={c}}',
    '/a*b',
  ])
    it(`does not take '${bad}'`, () => assert.equal(readTemplate(bad), undefined))
})
