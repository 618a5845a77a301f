import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { sqlLines } from './sql-text.ts'

describe('sqlLines', () => {
  it('breaks at clauses', () => {
    assert.equal(
      sqlLines("select a, b  from t left join u on u.id = t.id where a = 'x from y' order by b limit 3"),
      "select a, b\nfrom t\nleft join u on u.id = t.id\nwhere a = 'x from y'\norder by b\nlimit 3",
    )
    assert.equal(
      sqlLines('select 1 from t where id in (select id from u) for update skip locked'),
      'select 1\nfrom t\nwhere id in (select id from u)\nfor update skip locked',
    )
    assert.equal(
      sqlLines('insert into t (a) values ($1) on conflict (a) do update set a = 1 returning a'),
      'insert into t (a)\nvalues ($1)\non conflict (a) do\nupdate\nset a = 1\nreturning a',
    )
  })

  it('changes white space alone', () => {
    const word = fc.constantFrom(
      'select',
      'from',
      'where',
      'a',
      "'x y'",
      '(',
      ')',
      ',',
      'join',
      'order',
      'by',
      'left',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        const bare = (text: string): string => text.replace(/\s+/g, '')
        assert.equal(bare(sqlLines(words.join(' '))), bare(words.join(' ')))
      }),
    )
  })
})
