import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { Connection } from './connection.ts'
import { Hold } from './hold.ts'
import { isUniqueViolation, sqlFailureOf } from './pg-errors.ts'
import { sql } from './sql.ts'
import { OpenTransaction } from './transaction.ts'

/** A transaction, and what goes out on its connection: the last statement of each round trip. */
async function openTransaction(t: TestContext, test: TestDatabase) {
  const connection = await Connection.open({ url: test.url, name: 'test' })
  t.after(() => connection.close())
  const trips: string[] = []
  const run = connection.run.bind(connection)
  connection.run = (statement) => {
    trips.push(statement.text)
    return run(statement)
  }
  const hold = new Hold({ clock: systemClock, call: testCall(), connection, giveBack: () => {} })
  return { tx: new OpenTransaction(hold, {}), trips, hold, connection }
}

describe('A round trip', () => {
  it('is all that a transaction takes of which nobody waits for a part', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const { tx, trips, hold } = await openTransaction(t, test)
    tx.send(sql`insert into t values (1)`)
    tx.send(sql`insert into t values (2)`)
    await tx.commit()
    await hold.release()
    assert.deepEqual(trips, ['commit'])
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }, { id: 2 }])
  })

  it('drops the rows of what nobody waits for, and gives those of the last one', async (t) => {
    const test = await openTestDatabase(t)
    const { tx, hold } = await openTransaction(t, test)
    for (let number = 0; number < 5; number++)
      tx.send(sql`select 'dropped' as text, ${number}::int as number`)
    tx.send(sql.empty)
    assert.deepEqual(await tx.many(sql`select n from generate_series(1, 3) as n`), [
      { n: 1 },
      { n: 2 },
      { n: 3 },
    ])
    await hold.release()
  })

  it('takes along no more than 64 statements that nobody waits for', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const { tx, trips, hold } = await openTransaction(t, test)
    for (let id = 0; id < 150; id++) tx.send(sql`insert into t values (${id})`)
    await tx.commit()
    await hold.release()
    assert.equal(trips.length, 3)
    assert.equal((await test.ask('select * from t')).length, 150)
  })

  it('fails with the statement that is to blame, and none after it runs', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const session = test.open({ poolMax: 1 }).session(testCall())
    for (const isWaited of [true, false]) {
      const work = session.transaction(async (tx) => {
        tx.send(sql`insert into t values (1)`)
        tx.send(sql`insert into t select 1 from generate_series(1, 1)`)
        tx.send(sql`insert into t values (2)`)
        if (isWaited) await tx.execute(sql`insert into t values (3)`)
      })
      await assert.rejects(work, (error) => {
        assert.match(sqlFailureOf(error)?.statement ?? '', /generate_series/)
        return isUniqueViolation(error)
      })
    }
    assert.deepEqual(await test.ask('select * from t'), [])
    // All of it can be sent again on the same connection, prepared or not.
    await session.transaction(async (tx) => {
      for (let id = 4; id < 8; id++) tx.send(sql`insert into t values (${id})`)
    })
    assert.equal((await test.ask('select * from t')).length, 4)
  })

  it('tells of what failed first, though others went out behind it', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const work = test
      .open()
      .session(testCall())
      .transaction(async (tx) => {
        tx.execute(sql`insert into t values (1), (1)`).catch(() => {
          // Nobody asks what came of it.
        })
        tx.send(sql`insert into t values (2)`)
      })
    await assert.rejects(work, isUniqueViolation)
    assert.deepEqual(await test.ask('select * from t'), [])
  })

  it('carries values of any size and kind', async (t) => {
    const test = await openTestDatabase(t)
    const session = test.open().session(testCall())
    const long = 'ü€😀'.repeat(200_000)
    const row = await session.one(
      sql`select ${long}::text as long, ${null}::text as none, ${''}::text as empty, ${new Uint8Array([0, 255])}::bytea as bytes`,
    )
    assert.deepEqual(row, { long, none: null, empty: '', bytes: Buffer.from([0, 255]) })
    assert.deepEqual(await session.one(sql`select ${'after'}::text as text`), { text: 'after' })
  })
})
