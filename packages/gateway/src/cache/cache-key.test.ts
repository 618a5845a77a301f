import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anyone } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { readInput } from '@flotilla/core/rest'
import { Type } from '@flotilla/core/schema'
import fc from 'fast-check'
import { cacheKey } from './cache-key.ts'

const text = Type.Optional(Type.Array(Type.String()))
const { operations } = defineContract({
  name: 'shelves',
  version: 1,
  summary: 'Shelves.',
  operations: {
    one: query({
      summary: 'One.',
      access: anyone,
      http: 'GET /{row}/{place}',
      input: Type.Object({ row: Type.String(), place: Type.String(), a: text, b: text, 'ü&=': text }),
      output: Type.Object({}),
    }),
  },
})
const { one } = operations

/** Nothing that the gateway refuses in a target, which is what the separator relies on. */
const word = fc
  .string({ unit: 'grapheme', maxLength: 4 })
  .filter((value) => !value.includes('\u0000') && !/\p{Surrogate}/u.test(value))
const field = fc.tuple(fc.constantFrom('a', 'b', 'ü&='), word)
const asked = fc.record({ row: word, place: word, fields: fc.array(field, { maxLength: 5 }) })

function searchOf(fields: readonly (readonly [string, string])[]): string {
  return new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])).toString()
}

function keyOf({ row, place, fields }: { row: string; place: string; fields: [string, string][] }): string {
  return cacheKey(one, { row, place }, searchOf(fields))
}

function inputOf({
  row,
  place,
  fields,
}: {
  row: string
  place: string
  fields: [string, string][]
}): unknown {
  const request = { ifMatch: undefined, prefer: undefined, body: undefined }
  return readInput(one, { parameters: { row, place }, search: searchOf(fields), ...request })
}

describe('cacheKey', () => {
  it('is equal for requests that read as the same input, and for no others', () => {
    const isSame = (x: unknown, y: unknown): boolean => {
      try {
        assert.deepEqual(x, y)
        return true
      } catch {
        return false
      }
    }
    const changed = fc.tuple(asked, asked, fc.boolean()).map(
      ([x, y, isNear]) =>
        [
          x,
          // Half of the pairs differ in little.
          isNear ? { ...x, fields: [...x.fields].reverse() } : y,
        ] as const,
    )
    fc.assert(
      fc.property(changed, ([x, y]) => {
        assert.equal(keyOf(x) === keyOf(y), isSame(inputOf(x), inputOf(y)))
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes nothing that can be asked for its own separator', () => {
    for (let code = 1; code < 256; code++) {
      const char = String.fromCharCode(code)
      const [one1, one2] = [`a${char}b`, `b${char}c`]
      assert.notEqual(
        cacheKey(one, { row: one1, place: 'c' }, ''),
        cacheKey(one, { row: 'a', place: one2 }, ''),
      )
    }
  })

  it('does not look at how a value is written', () => {
    const key = (search: string): string => cacheKey(one, { row: '1', place: '2' }, search)
    assert.equal(key('a=x'), key('%61=%78'))
    assert.equal(key('a=x&b=y'), key('b=y&a=x'))
    assert.notEqual(key('a=x&a=y'), key('a=y&a=x'), 'the order of one list may mean something')
    assert.equal(key('a'), key('a='))
    assert.equal(key('a=x'), key('?a=x'), 'as it is read')
    assert.notEqual(key(''), key('a='))
    assert.equal(new Set(['a=b%00', 'a=b&%00=', 'a=b'].map(key)).size, 3)
  })
})
