/** Connections that break at one exact moment, and ones that break all the time. */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { openTcpProxy, type ProxyLink } from '../testing/tcp-proxy.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'
import type { Database } from './database.ts'
import { sql } from './sql.ts'

function breakOff({ client, server }: ProxyLink): void {
  client.resetAndDestroy()
  server.destroy()
}

/** A proxy that breaks a connection off instead of passing on an answer with `answer` in it, `count` times. */
async function openAnswerTrap(t: TestContext, url: string, answer: string, count = 1) {
  let left = count
  return openTcpProxy(t, url, {
    onServerData: (chunk, link) => {
      if (left > 0 && chunk.includes(answer)) {
        left--
        breakOff(link)
      } else link.client.write(chunk)
    },
  })
}

const isLossOfUnknownEffect = (error: unknown): boolean =>
  isFlotillaError(error) && error.code === 'unavailable' && error.executed === 'maybe'

describe('Session on a connection that breaks before the answer', () => {
  it('reads again', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ url: await openAnswerTrap(t, test.url, 'SELECT 3', 2) })
    const read = database.session(testCall()).many(sql`select n from generate_series(1, ${3}::int) n`)
    assert.deepEqual(await read, [{ n: 1 }, { n: 2 }, { n: 3 }])
    await until('nothing is lent', () => database.stats().idle === database.stats().total)
    // What was read again ran in a transaction, which must be over.
    await database.session(testCall()).execute(sql`create table t (id int)`)
    assert.deepEqual(await test.ask('select * from t'), [])
  })

  it('gives up on a read that breaks every connection', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ url: await openAnswerTrap(t, test.url, 'SELECT 3', 5) })
    const read = () => database.session(testCall()).many(sql`select generate_series(1, 3) as n`)
    await assert.rejects(read(), isLossOfUnknownEffect)
    assert.equal((await read()).length, 3)
  })

  it('does not write again, however the write is put', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask(`create table t (id int); create sequence ids;
      create function add() returns int language sql as 'insert into t values (1) returning id'`)
    const writes = [
      [sql`insert into t values (1)`, 'INSERT 0 1'],
      [sql`with added as (insert into t values (1) returning id) select id from added`, 'SELECT 1'],
      [sql`select add() as id`, 'SELECT 1'],
    ] as const
    for (const [write, answer] of writes) {
      await test.ask('truncate t')
      const database = test.open({ url: await openAnswerTrap(t, test.url, answer) })
      await assert.rejects(database.session(testCall()).execute(write), isLossOfUnknownEffect)
      assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }], write.text)
    }
    const database = test.open({ url: await openAnswerTrap(t, test.url, 'SELECT 1') })
    await assert.rejects(
      database.session(testCall()).one(sql`select nextval('ids') as id`),
      isLossOfUnknownEffect,
    )
    assert.deepEqual(await test.ask('select last_value from ids'), [{ last_value: '1' }])
  })

  it('never says of a write that it did not run because its repeat did not', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    let isDown = false
    const url = await openTcpProxy(t, test.url, {
      onClientData: (chunk, link) => (isDown ? breakOff(link) : link.server.write(chunk)),
      onServerData: (chunk, link) => {
        isDown ||= chunk.includes('SELECT 1')
        if (isDown) breakOff(link)
        else link.client.write(chunk)
      },
    })
    const write = sql`with added as (insert into t values (1) returning id) select id from added`
    await assert.rejects(test.open({ url }).session(testCall(600)).execute(write), isLossOfUnknownEffect)
    assert.equal((await test.ask('select * from t')).length, 1)
  })

  it('lends nobody a connection on which the server has said goodbye', async (t) => {
    const test = await openTestDatabase(t)
    const url = await openTcpProxy(t, test.url, {
      onServerData: (chunk, { client, server }) => {
        // The goodbye arrives, the end of the stream does not.
        if (chunk.includes('57P01')) server.removeAllListeners('end').removeAllListeners('close')
        client.write(chunk)
      },
    })
    const read = test
      .open({ url, poolMax: 1 })
      .session(testCall())
      .one(sql`select pg_sleep(0.2)::text as slept`)
    const sleeper = `select pg_terminate_backend(pid) from pg_stat_activity
      where state = 'active' and query like '%as slept'`
    await until('it is ended', async () => (await test.ask(sleeper)).length === 1)
    assert.deepEqual(await read, { slept: '' })
  })

  it('runs a transaction again that was not committed, whatever its work makes of the loss', async (t) => {
    const hide = (): void => {}
    const rename = (): never => assert.fail('out of stock')
    for (const reaction of [undefined, hide, rename]) {
      const test = await openTestDatabase(t)
      await test.ask('create table t (id int)')
      const url = await openAnswerTrap(t, test.url, 'INSERT 0 1')
      let runs = 0
      await test
        .open({ url })
        .session(testCall())
        .transaction(async (tx) => {
          runs++
          await tx.one(sql`select 1`)
          await tx.execute(sql`insert into t values (1)`).catch(reaction)
        })
      assert.equal(runs, 2)
      assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }])
    }
  })

  it('runs a transaction again whose connection was gone before COMMIT was sent', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const links: ProxyLink[] = []
    const url = await openTcpProxy(t, test.url, {
      onServerData: (chunk, link) => {
        if (!links.includes(link)) links.push(link)
        link.client.write(chunk)
      },
    })
    let runs = 0
    const database = test.open({ url })
    await database.session(testCall()).transaction(async (tx) => {
      await tx.execute(sql`insert into t values (1)`)
      if (++runs > 1) return
      const [link] = links as [ProxyLink]
      breakOff(link)
      await until('it is gone', () => link.client.destroyed && link.server.destroyed)
      // The socket's other end is in this process too, and hears of it a moment later.
      await systemClock.sleep(50)
    })
    assert.equal(runs, 2)
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }])
  })

  it('does not run a transaction again whose COMMIT was sent', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    let runs = 0
    const work = test
      .open({ url: await openAnswerTrap(t, test.url, 'COMMIT') })
      .session(testCall())
      .transaction(async (tx) => {
        runs++
        await tx.execute(sql`insert into t values (1)`)
      })
    await assert.rejects(work, isLossOfUnknownEffect)
    assert.equal(runs, 1)
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }])
  })
})

/** Ends backends of `database` one after the other, until `isOver`; gives how many. */
async function endBackends(test: TestDatabase, isOver: () => boolean): Promise<number> {
  let count = 0
  while (!isOver()) {
    const ended = await test.ask(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'victim' order by random() limit 1`,
    )
    count += ended.length
    await systemClock.sleep(5)
  }
  return count
}

/** Runs `work` over and over, `width` times side by side, until it was done `total` times. */
async function repeat(width: number, total: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    for (let index = next++; index < total; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: width }, lane))
}

describe('Database whose backends are ended', () => {
  it('fails no read', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key); insert into t select generate_series(1, 100)')
    const database = test.open({ name: 'victim' })
    await database.warm()
    const failures: string[] = []
    let isOver = false
    const ended = endBackends(test, () => isOver)
    await repeat(50, 5_000, async (index) => {
      const id = 1 + (index % 100)
      await database
        .session(testCall())
        .one(sql`select id from t where id = ${id}`)
        .catch((error: unknown) => failures.push(String((error as Error).cause ?? error)))
    })
    isOver = true
    t.diagnostic(`5000 reads, ${await ended} backends ended`)
    assert.ok((await ended) > 10, `${await ended} backends ended`)
    assert.deepEqual([...new Set(failures)], [])
  })

  it('doubles no write and loses none that it acknowledged', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask(
      'create table t (id int); create table counter (n int not null); insert into counter values (0)',
    )
    const database = test.open({ name: 'victim' })
    await database.warm()
    const [done, unknown, others] = [new Set<number>(), new Set<number>(), new Set<number>()]
    let isOver = false
    const ended = endBackends(test, () => isOver)
    await repeat(20, 1_000, async (index) => {
      try {
        await write(database, index)
        done.add(index)
      } catch (error) {
        if (!isFlotillaError(error)) throw error
        ;(error.executed === 'maybe' ? unknown : others).add(index)
      }
    })
    isOver = true
    t.diagnostic(`${done.size} acknowledged, ${unknown.size} unknown, ${await ended} backends ended`)
    const stored = (await test.ask<{ id: number }>('select id from t')).map(({ id }) => id)
    const distinct = new Set(stored)
    assert.equal(stored.length, distinct.size, 'none is there twice')
    assert.deepEqual(
      [...done].filter((id) => !distinct.has(id)),
      [],
      'what was acknowledged is there',
    )
    assert.deepEqual(
      stored.filter((id) => others.has(id)),
      [],
      'what is said not to have run has not',
    )
    const inTransactions = stored.filter((id) => id % 2 === 0).length
    assert.deepEqual(await test.ask('select n from counter'), [{ n: inTransactions }])
    assert.ok((await ended) > 10, `${await ended} backends ended`)
  })
})

/** The even ones in a transaction that counts as well, the odd ones by themselves. */
async function write(database: Database, index: number): Promise<void> {
  const session = database.session(testCall())
  if (index % 2 === 1) {
    await session.execute(sql`insert into t values (${index})`)
    return
  }
  await session.transaction(async (tx) => {
    await tx.execute(sql`insert into t values (${index})`)
    await tx.execute(sql`update counter set n = n + 1`)
  })
}

describe('Database whose server is away', () => {
  it('serves reads within their deadline once it is back', async (t) => {
    const test = await openTestDatabase(t)
    let isDown = false
    const links = new Set<ProxyLink>()
    const url = await openTcpProxy(t, test.url, {
      onClientData: (chunk, link) => {
        links.add(link)
        if (isDown) breakOff(link)
        else link.server.write(chunk)
      },
    })
    const lines: string[] = []
    const note = (message: string): number => lines.push(message)
    const database = test.open({ url, log: { info: note, warn: note } })
    const read = (): Promise<unknown> => database.session(testCall(4_000)).one(sql`select 1 as one`)
    await Promise.all(Array.from({ length: 50 }, read))
    isDown = true
    for (const link of links) breakOff(link)
    const reads = Array.from({ length: 500 }, read)
    await systemClock.sleep(1_000)
    isDown = false
    assert.equal((await Promise.all(reads)).length, 500)
    assert.deepEqual(lines, ['cannot connect to the database', 'connected to the database again'])
  })
})
