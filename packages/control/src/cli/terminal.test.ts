import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { harmless, Terminal, table } from './terminal.ts'

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

  it('shows what would steer a terminal, and keeps its own styles', () => {
    const terminal = new Terminal({ isJson: false, hasColour: true })
    for (const style of ['bold', 'dim', 'red', 'green', 'yellow', 'cyan'] as const) {
      const styled = terminal.style(style, 'text\tand\nmore')
      assert.equal(harmless(styled), styled)
    }
    const meant = '\x1b]0;title\x07 \x1b[2J \x1b[8m \x9b1A a\rb \u202egpj'
    assert.equal(
      harmless(meant),
      '\\u001b]0;title\\u0007 \\u001b[2J \\u001b[8m \\u009b1A a\\u000db \\u202egpj',
    )
  })
})
