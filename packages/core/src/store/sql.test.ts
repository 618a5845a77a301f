import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isFlotillaError } from '../kernel/error.ts'
import { type Sql, type SqlValue, sql } from './sql.ts'

const isInternal = (error: unknown): boolean => isFlotillaError(error) && error.code === 'internal'

describe('sql', () => {
  it('keeps values out of the text', () => {
    const query = sql`select * from product where id = ${"'; drop table product; --"} and price < ${5}`
    assert.equal(query.text, 'select * from product where id = $1 and price < $2')
    assert.deepEqual(query.values, ["'; drop table product; --", '5'])
  })

  it('numbers values through nested pieces, however deep', () => {
    const both = sql`${sql`a = ${1}`} and ${sql`b = ${sql`lower(${'B'})`}`}`
    const query = sql`select ${'x'} where ${both} limit ${10}`
    assert.equal(query.text, 'select $1 where a = $2 and b = lower($3) limit $4')
    assert.deepEqual(query.values, ['x', '1', 'B', '10'])
  })

  it('names a template by its place in the program', () => {
    const at = (id: number): Sql => sql`select ${id}`
    const elsewhere = sql`select ${1}`
    assert.equal(at(1).name, at(2).name)
    assert.notEqual(at(1).name, elsewhere.name)
  })

  it('names one with pieces by the places of all, so that a name never has two texts', () => {
    const [one, two] = [(value: number) => sql`a = ${value}`, () => sql`b`]
    const at = (first: Sql | number, second: Sql | number): Sql => sql`select ${first}, ${second}`
    const all = [
      at(1, 2),
      at(one(1), 2),
      at(1, one(2)),
      at(two(), one(1)),
      at(one(1), one(1)),
      at(sql.empty, 1),
    ]
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length)
    assert.ok(all.every(({ name }) => name !== undefined))
    const again = at(one(5), 7)
    assert.deepEqual([again.name, again.text], [all[1]?.name, 'select a = $1, $2'])
    assert.deepEqual(again.values, ['5', '7'])
  })

  it('does not name what is put together at run time, nor too many of a kind', () => {
    const at = (piece: Sql): Sql => sql`select ${piece}`
    assert.equal(at(sql.join([sql`1`])).name, undefined)
    assert.equal(at(sql.identifier('a')).name, undefined)
    assert.equal(at(at(sql.identifier('a'))).name, undefined)
    // Each call of `eval` is a place of its own.
    const piece = (): Sql => new Function('sql', 'return sql`1`')(sql) as Sql
    const names = Array.from({ length: 40 }, () => at(piece()).name)
    assert.equal(new Set(names.filter(Boolean)).size, 32)
  })

  it('encodes every kind of value', () => {
    const values: readonly SqlValue[] = [
      1.5,
      12n,
      true,
      null,
      'a',
      new Uint8Array([1, 2]),
      sql.json([1, { a: null }]),
    ]
    assert.deepEqual(sql`${values[0] as SqlValue}${values[1] as SqlValue}`.values, ['1.5', '12'])
    assert.deepEqual(
      values.map((value) => sql`${value}`.values[0]),
      ['1.5', '12', 'true', null, 'a', Buffer.from([1, 2]), '[1,{"a":null}]'],
    )
  })

  it('writes arrays as PostgreSQL reads them', () => {
    const items: SqlValue = ['a"b', 'c\\d', null, 'NULL', [1, 2], new Uint8Array([255])]
    assert.equal(sql`${items}`.values[0], '{"a\\"b","c\\\\d",NULL,"NULL",{"1","2"},"\\\\xff"}')
    assert.equal(sql`${[]}`.values[0], '{}')
  })

  it('refuses what SQL has no word for', () => {
    for (const value of [undefined, new Date(0), { a: 1 }, () => 1, Symbol('s')]) {
      assert.throws(() => sql`select ${value as never}`, isInternal, String(value))
      assert.throws(() => sql`select ${[value] as never}`, isInternal)
    }
    assert.throws(() => sql.json(undefined), isInternal)
  })

  it('refuses more values than the protocol can count', () => {
    const many = Array.from({ length: 65_536 }, () => sql`${1}`)
    assert.equal(sql.join(many.slice(1)).values.length, 65_535)
    assert.throws(() => sql.join(many), isInternal)
  })
})

describe('sql.join', () => {
  it('puts the separator between the pieces', () => {
    assert.equal(sql.join([sql`a = ${1}`, sql`b = ${2}`], sql` and `).text, 'a = $1 and b = $2')
    assert.equal(sql.join([sql`${1}`]).text, '$1')
    assert.equal(sql.join([]).text, '')
  })

  it('leaves the pieces of any statement in order', () => {
    const piece = fc.array(fc.string()).map((values) => sql.join(values.map((value) => sql`f(${value})`)))
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const joined = sql.join(pieces, sql`; `)
        assert.deepEqual(
          joined.values,
          pieces.flatMap((one) => one.values),
        )
        let number = 0
        assert.equal(
          joined.text,
          pieces.map((one) => one.text.replaceAll(/\$\d+/g, () => `$${++number}`)).join('; '),
        )
      }),
    )
  })
})

describe('sql.identifier', () => {
  it('quotes names and their quotes', () => {
    assert.equal(sql.identifier('flotilla', 'a"b').text, '"flotilla"."a""b"')
  })

  it('refuses names PostgreSQL would change', () => {
    for (const name of ['', 'a\0b', 'x'.repeat(64), 'ä'.repeat(32)]) {
      assert.throws(() => sql.identifier(name), isInternal)
    }
  })
})
