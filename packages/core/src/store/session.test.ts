import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import type { Code } from '../kernel/code.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { sqlFailureOf } from './pg-errors.ts'
import type { Queries } from './queries.ts'
import { type Sql, sql } from './sql.ts'

const withCode = (code: Code) => (error: unknown) => isFlotillaError(error) && error.code === code

describe('Session', () => {
  it('many, maybe, one and execute give what they say', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall())
    const numbers = await db.many(sql`select n from generate_series(1, ${3}::int) n`)
    assert.deepEqual(numbers, [{ n: 1 }, { n: 2 }, { n: 3 }])
    assert.equal(await db.maybe(sql`select 1 where false`), undefined)
    assert.deepEqual(await db.maybe(sql`select ${'a'} as a`), { a: 'a' })
    assert.deepEqual(await db.one(sql`select 1 as a`), { a: 1 })
    await assert.rejects(db.one(sql`select 1 where false`), withCode('internal'))
    await assert.rejects(db.one(sql`select generate_series(1, 2)`), withCode('internal'))
    await assert.rejects(db.maybe(sql`select generate_series(1, 2)`), withCode('internal'))
    await db.execute(sql`create table t (id int)`)
    assert.equal(await db.execute(sql`insert into t select generate_series(1, 5)`), 5)
    assert.equal(await db.execute(sql`delete from t where id > ${3}`), 2)
  })

  it('lets more calls wait for a connection than a service lets in at once', async (t) => {
    const database = (await openTestDatabase(t)).open({ poolMax: 2 })
    const all = Array.from({ length: 400 }, () => database.session(testCall()).one(sql`select 1 as a`))
    assert.equal((await Promise.all(all)).length, 400)
  })

  it('one connection has the settings that protect the server', async (t) => {
    const db = (await openTestDatabase(t)).open({ name: 'cart' }).session(testCall())
    const setting = async (name: string): Promise<unknown> =>
      (await db.one<{ value: string }>(sql`select current_setting(${name}) as value`)).value
    assert.equal(await setting('application_name'), 'cart')
    assert.equal(await setting('client_connection_check_interval'), '1s')
    assert.equal(await setting('idle_in_transaction_session_timeout'), '15s')
    assert.equal(await setting('TimeZone'), 'UTC')
  })

  it('prepares a statement once for a connection', async (t) => {
    const db = (await openTestDatabase(t)).open({ poolMax: 1 }).session(testCall())
    const lookUp = (id: number) => db.one(sql`select ${id}::int as id`)
    for (const id of [1, 2, 3]) assert.deepEqual(await lookUp(id), { id })
    const runs = await db.many(sql`
      select generic_plans + custom_plans as runs from pg_prepared_statements
      where statement like ${'select $1::int as id'} ${sql.empty}`)
    assert.deepEqual(runs, [{ runs: 3 }])
  })

  it('can run a statement whose first attempt failed, at parsing or later', async (t) => {
    const db = (await openTestDatabase(t)).open({ poolMax: 1 }).session(testCall())
    const fromTable = () => db.many(sql`select id from late`)
    await assert.rejects(fromTable(), (error) => sqlFailureOf(error)?.sqlState === '42P01')
    await db.execute(sql`create table late (id int)`)
    assert.deepEqual(await fromTable(), [])
    const divide = (by: number) => db.one(sql`select 6 / ${by}::int as quotient`)
    await assert.rejects(divide(0), (error) => sqlFailureOf(error)?.sqlState === '22012')
    assert.deepEqual(await divide(2), { quotient: 3 })
    assert.deepEqual(await divide(3), { quotient: 2 })
  })

  it('goes on with prepared statements whose table was migrated meanwhile', async (t) => {
    const test = await openTestDatabase(t)
    const db = test.open({ poolMax: 1 }).session(testCall())
    await test.ask('create table product (id int); insert into product values (1)')
    const all = (on: Queries) => on.many(sql`select * from product`)
    assert.deepEqual(await all(db), [{ id: 1 }])
    await test.ask("alter table product add name text not null default 'x'")
    assert.deepEqual(await all(db), [{ id: 1, name: 'x' }])
    await test.ask('alter table product add price int not null default 5')
    assert.deepEqual(await db.transaction((tx) => all(tx)), [{ id: 1, name: 'x', price: 5 }])
  })

  it('tells no row data to the caller, nor to the log', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall())
    await db.execute(sql`create table account (email text primary key, age int check (age > 0), pin int)`)
    const insert = (email: string, age: number | string): Sql =>
      sql`insert into account (email, age) values (${email}, ${age}) ${sql.empty}`
    await db.execute(insert('s3cret@x.test', 1))
    const failures = [
      insert('s3cret@x.test', 1),
      insert('other', -77),
      insert('another', 's3cret'),
      sql`do $$ begin raise exception '%', 's3' || 'cret'; end $$`,
    ]
    for (const failure of failures) {
      const error = await db.execute(failure).catch((caught: unknown) => caught)
      assert.ok(isFlotillaError(error))
      const written = JSON.stringify([
        error.toBody(),
        error.stack,
        error.cause,
        (error.cause as Error).message,
      ])
      assert.doesNotMatch(written, /s3cret|-77/)
    }
  })
})

describe('Database', () => {
  it('connects at the first use, or when warmed', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open()
    const session = database.session(testCall())
    assert.equal(database.stats().total, 0)
    await database.warm()
    assert.deepEqual(database.stats(), { total: 1, idle: 1, waiting: 0 })
    await session.one(sql`select 1`)
    assert.equal(database.stats().total, 1)
  })

  it('waits for a server that is not there until the deadline, with one warning', async (t) => {
    const test = await openTestDatabase(t)
    const url = new URL(test.url)
    url.port = '1'
    const warnings: string[] = []
    const log = { info: () => {}, warn: (message: string) => warnings.push(message) }
    const database = test.open({ url: url.href, log })
    const error = await database
      .session(testCall(400))
      .one(sql`select 1`)
      .catch((caught: unknown) => caught)
    assert.ok(isFlotillaError(error))
    assert.equal(error.code, 'deadline_exceeded')
    assert.equal(error.executed, 'no')
    assert.ok(isFlotillaError(error.cause) && error.cause.code === 'unavailable')
    assert.deepEqual(warnings, ['cannot connect to the database'])
  })

  it('says at once what will not pass', async (t) => {
    const test = await openTestDatabase(t)
    const wrongName = new URL(test.url)
    wrongName.pathname = '/no_such_database'
    const wrongPassword = new URL(test.url)
    wrongPassword.username = 'no_such_role'
    wrongPassword.password = 'wrong'
    for (const [url, sqlState] of [
      [wrongName, /^3D000/],
      [wrongPassword, /^28/],
    ] as const) {
      const fromMs = systemClock.monotonicMs()
      const session = test.open({ url: url.href }).session(testCall(60_000))
      await assert.rejects(session.one(sql`select 1`), (error) =>
        sqlState.test(sqlFailureOf(error)?.sqlState ?? ''),
      )
      assert.ok(systemClock.monotonicMs() - fromMs < 10_000)
    }
  })

  it('does not repeat a wrong URL, which holds a password', async (t) => {
    const database = (await openTestDatabase(t)).open({ url: 'postgres//me:s3cret@host/db' })
    await assert.rejects(database.warm(), (error: unknown) => {
      assert.ok(isFlotillaError(error))
      assert.equal(error.code, 'invalid_argument')
      assert.doesNotMatch(JSON.stringify([error.toBody(), error.cause, error.stack]), /s3cret/)
      return true
    })
  })

  it('replaces connections that the server has ended', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ name: 'victim' })
    const db = database.session(testCall())
    const { pid } = await db.one<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    await test.ask('select pg_terminate_backend($1, 5000)', [pid])
    const next = await db.one<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    assert.notEqual(next.pid, pid)
    assert.equal(database.stats().total, 1)
  })

  it('close lets what runs end and refuses the rest', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ name: 'closing' })
    const running = database.session(testCall()).one(sql`select 'done' as state, pg_sleep(0.1)::text`)
    await database.warm()
    const closed = database.close()
    await assert.rejects(database.warm(), withCode('unavailable'))
    assert.deepEqual(await running, { state: 'done', pg_sleep: '' })
    await closed
    assert.deepEqual(database.stats(), { total: 0, idle: 0, waiting: 0 })
  })
})
