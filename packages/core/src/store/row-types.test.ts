import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFlotillaError } from '../kernel/error.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { type SqlValue, sql } from './sql.ts'

describe('row types', () => {
  it('arrive as JSON can hold them', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall())
    const row = await db.one(sql`
      select 9007199254740991::bigint as big, 1.10::numeric as price, 1.5::float8 as ratio, true as yes,
             '2026-11-20 11:00:00.123999+01'::timestamptz as at, '2026-11-20 10:00:00+00'::timestamptz as whole,
             'infinity'::timestamptz as never, '2026-11-20'::date as day, '1 day'::interval as span,
             '2026-11-20 10:00'::timestamp as local, '{"a": [1]}'::jsonb as document, null::bigint as nothing,
             '\\x01ff'::bytea as bytes`)
    assert.deepEqual(row, {
      big: 9007199254740991,
      price: '1.10',
      ratio: 1.5,
      yes: true,
      at: '2026-11-20T10:00:00.123Z',
      whole: '2026-11-20T10:00:00.000Z',
      never: 'infinity',
      day: '2026-11-20',
      span: '1 day',
      local: '2026-11-20 10:00:00',
      document: { a: [1] },
      nothing: null,
      bytes: Buffer.from([1, 255]),
    })
  })

  it('arrive in arrays as they do alone', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall())
    const row = await db.one(sql`
      select '{{1,2},{3,null}}'::bigint[] as big, '{1.10,2}'::numeric[] as prices, '{}'::bigint[] as empty,
             '{2026-11-20 10:00:00+00,null}'::timestamptz[] as at, '{"a\\"b","NULL",null}'::text[] as texts,
             array['{"a": 1}'::jsonb] as documents, '{2026-11-20}'::date[] as days`)
    assert.deepEqual(row, {
      big: [
        [1, 2],
        [3, null],
      ],
      prices: ['1.10', '2'],
      empty: [],
      at: ['2026-11-20T10:00:00.000Z', null],
      texts: ['a"b', 'NULL', null],
      documents: [{ a: 1 }],
      days: ['2026-11-20'],
    })
  })

  it('refuse to round', async (t) => {
    const db = (await openTestDatabase(t)).open({ poolMax: 1 }).session(testCall())
    await assert.rejects(
      db.one(sql`select 9007199254740992::bigint as big`),
      (error: unknown) => isFlotillaError(error) && error.code === 'internal',
    )
    assert.deepEqual(await db.one(sql`select 1 as fine`), { fine: 1 })
  })

  it('come back as they were sent', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall())
    const documents: SqlValue = sql.json([{ 'a"\\': ["'", null, 'ü€'] }])
    const texts = ['a"b', 'c\\d', '', ' ', 'NULL', '{}', ',', 'ü€\n']
    const row = await db.one(sql`
      select ${documents}::jsonb as documents, ${texts}::text[] as texts, ${[1, null, 3]}::int[] as numbers,
             ${new Uint8Array([0, 255])}::bytea as bytes, ${[new Uint8Array([0, 255])]}::bytea[] as many,
             ${'2026-11-20T10:00:00.123Z'}::timestamptz as at, ${123n}::bigint as big`)
    assert.deepEqual(row, {
      documents: [{ 'a"\\': ["'", null, 'ü€'] }],
      texts,
      numbers: [1, null, 3],
      bytes: Buffer.from([0, 255]),
      many: [Buffer.from([0, 255])],
      at: '2026-11-20T10:00:00.123Z',
      big: 123,
    })
  })
})
