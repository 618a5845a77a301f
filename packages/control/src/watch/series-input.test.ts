import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { byOf, matchersOf } from './series-input.ts'

describe('matchersOf', () => {
  it('reads conditions, of several values as well, and with signs in them', () => {
    assert.deepEqual(matchersOf('service=orders, code!=ok|not_found,le==1'), [
      { label: 'service', is: '=', values: ['orders'] },
      { label: 'code', is: '!=', values: ['ok', 'not_found'] },
      { label: 'le', is: '=', values: ['=1'] },
    ])
    assert.deepEqual(matchersOf('code='), [{ label: 'code', is: '=', values: [''] }])
    for (const none of [undefined, '', ' , ']) assert.deepEqual(matchersOf(none), [])
  })

  it('names what it cannot read', () => {
    for (const wrong of ['service', '=x', '1a=x', 'a~b', 'a b=c'])
      assert.throws(() => matchersOf(`a=b,${wrong}`), {
        code: 'invalid_argument',
        message: `'${wrong}' is not label=value or label!=value.`,
      })
  })
})

describe('byOf', () => {
  it('tells nothing said from nothing wanted', () => {
    assert.equal(byOf(undefined), undefined)
    assert.deepEqual(byOf(''), [])
    assert.deepEqual(byOf('service, code'), ['service', 'code'])
  })
})
