import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { Terminal, table } from './terminal.ts'

describe('table', () => {
  it('begins every cell of a column at the same place', () => {
    const cell = fc.stringMatching(/^[a-z]{1,9}$/)
    const rows = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }))
    fc.assert(
      fc.property(rows, (made) => {
        const lines = table(made)
        let from = 0
        for (const column of made[0]?.keys() ?? []) {
          for (const [index, row] of made.entries())
            assert.ok(lines[index]?.slice(from).startsWith(row[column] as string))
          from += Math.max(...made.map((row) => (row[column] as string).length)) + 2
        }
        assert.ok(lines.every((text) => text === text.trimEnd()))
      }),
    )
  })

  it('takes rows of different lengths, and none', () => {
    assert.deepEqual(table([['a', 'b'], ['long'], []]), ['a     b', 'long', ''])
    assert.deepEqual(table([]), [])
  })
})

describe('Terminal', () => {
  it('colours only where there are colours', () => {
    const [plain, coloured] = [false, true].map((hasColour) => new Terminal({ isJson: false, hasColour }))
    assert.equal(plain?.style('red', 'text'), 'text')
    assert.equal(stripVTControlCharacters(coloured?.style('red', 'text') ?? ''), 'text')
  })
})
