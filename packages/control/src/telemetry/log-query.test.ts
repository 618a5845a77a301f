import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import fc from 'fast-check'
import { parseLogQuery } from './log-query.ts'

const positionOf = (query: string): number | undefined => {
  try {
    parseLogQuery(query)
    return undefined
  } catch (error) {
    assert.ok(isFlotillaError(error) && error.reason === 'query_invalid')
    const { position } = error.data as { position: number }
    assert.match(error.message, new RegExp(`at character ${position + 1}\\)`))
    return position
  }
}

describe('parseLogQuery', () => {
  it('reads words, phrases, fields, levels and columns', () => {
    assert.deepEqual(
      parseLogQuery(
        '  Declined "two \\"W\\"\nords" orderId=O-1 error.code!="not found" level>=warn trace!=ab',
      ),
      [
        { is: 'text', text: 'declined' },
        { is: 'text', text: 'two "w" ords' },
        { is: 'field', field: 'orderid', value: 'o-1', isNot: false },
        { is: 'field', field: 'error.code', value: 'not found', isNot: true },
        { is: 'level', comparison: '>=', level: 'warn' },
        { is: 'column', column: 'trace', value: 'ab', isNot: true },
      ],
    )
    assert.deepEqual(parseLogQuery(''), [])
    assert.deepEqual(parseLogQuery('/orders?x (a)=b'), [
      { is: 'text', text: '/orders?x' },
      { is: 'text', text: '(a)=b' },
    ])
  })

  it('says at which character what is wrong', () => {
    assert.equal(positionOf('a "open'), 2)
    assert.equal(positionOf('orderId='), 8)
    assert.equal(positionOf('x level=loud'), 8)
    assert.equal(positionOf('a status>=500'), 8)
    assert.equal(positionOf('x '.repeat(21)), 40)
    assert.equal(positionOf('x'.repeat(1_001)), 1_000)
  })

  it('reads or refuses whatever is typed', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (query) => void positionOf(query)))
  })

  it('reads any value in quotation marks as it is', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const quoted = value.replace(/["\\]/g, '\\$&')
        const text = value.replaceAll('\n', ' ').toLowerCase()
        assert.deepEqual(parseLogQuery(`a="${quoted}"`), [
          { is: 'field', field: 'a', value: text, isNot: false },
        ])
      }),
    )
  })
})
