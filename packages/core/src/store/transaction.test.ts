import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pg from 'pg'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { seededRandom } from '../kernel/random.ts'
import { VirtualClock } from '../kernel/virtual-clock.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'
import { Connection } from './connection.ts'
import { fromDriver, isUniqueViolation, sqlFailureOf } from './pg-errors.ts'
import { CallSession } from './session.ts'
import { sql } from './sql.ts'
import type { Transaction } from './transaction.ts'

const state = (expected: string) => (error: unknown) => sqlFailureOf(error)?.sqlState === expected

describe('Session.transaction', () => {
  it('commits what work did and gives its result', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const database = test.open({ poolMax: 1 })
    const result = await database.session(testCall()).transaction(async (tx) => {
      await Promise.all([
        tx.execute(sql`insert into t values (1)`),
        tx.execute(sql`insert into t values (2)`),
      ])
      assert.deepEqual(await test.ask('select * from t'), [])
      return tx.one(sql`select count(*) as count from t`)
    })
    assert.deepEqual(result, { count: 2 })
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }, { id: 2 }])
    assert.deepEqual(database.stats(), { total: 1, idle: 1, waiting: 0 })
  })

  it('undoes everything when work throws, before it passes the error on', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const database = test.open({ poolMax: 1 })
    const failure = new Error('no')
    const work = database.session(testCall()).transaction(async (tx) => {
      await tx.execute(sql`insert into t values (1)`)
      throw failure
    })
    await assert.rejects(work, (error) => error === failure)
    assert.deepEqual(database.stats(), { total: 1, idle: 1, waiting: 0 })
    assert.deepEqual(await test.ask('select * from t'), [])
  })

  it('does not claim to have committed when work swallowed a failed statement', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const work = test
      .open()
      .session(testCall())
      .transaction(async (tx) => {
        await tx.execute(sql`insert into t values (1)`)
        await tx.execute(sql`insert into t values (1)`).catch(() => {
          // What the test is about: work that hides a failure.
        })
      })
    await assert.rejects(
      work,
      (error) => isUniqueViolation(error, 't_pkey') && !isUniqueViolation(error, 'other'),
    )
    assert.deepEqual(await test.ask('select * from t'), [])
  })

  it('cancels what work left running when it threw', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ poolMax: 1 })
    let left: Promise<unknown> = Promise.resolve()
    const work = database.session(testCall()).transaction(async (tx) => {
      left = assert.rejects(tx.one(sql`select pg_sleep(10)`), state('57014'))
      throw new Error('no')
    })
    await assert.rejects(work, /no/)
    await left
    assert.deepEqual(database.stats(), { total: 1, idle: 1, waiting: 0 })
  })

  it('needs no round trip when work runs no statement', async (t) => {
    const test = await openTestDatabase(t)
    assert.equal(
      await test
        .open()
        .session(testCall())
        .transaction(async () => 1),
      1,
    )
  })

  it('refuses statements after its end', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    let kept: Transaction | undefined
    await test
      .open()
      .session(testCall())
      .transaction(async (tx) => {
        kept = tx
        await tx.one(sql`select 1`)
      })
    await assert.rejects(kept?.execute(sql`insert into t values (1)`) as Promise<unknown>, /over already/)
    assert.deepEqual(await test.ask('select * from t'), [])
  })

  it('sets isolation, access and the time left on the server', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall(7_000))
    const settings = (tx: Transaction) =>
      tx.one<{ timeout: string }>(sql`
        select current_setting('transaction_isolation') as isolation,
               current_setting('transaction_read_only') as read_only,
               current_setting('statement_timeout') as timeout`)
    const { timeout, ...defaults } = await db.transaction(settings)
    assert.deepEqual(defaults, { isolation: 'read committed', read_only: 'off' })
    assert.ok(Number.parseInt(timeout, 10) > 6_000 && Number.parseInt(timeout, 10) <= 7_000, timeout)
    const strict = await db.transaction(settings, { isolation: 'serializable', isReadOnly: true })
    assert.deepEqual({ ...strict, timeout }, { isolation: 'serializable', read_only: 'on', timeout })
    await assert.rejects(
      db.transaction((tx) => tx.execute(sql`create table t ()`), { isReadOnly: true }),
      state('25006'),
    )
    assert.deepEqual(await db.one(sql`select current_setting('statement_timeout') as timeout`), {
      timeout: '0',
    })
  })

  it('runs work again after a serialization failure, until it succeeds', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table account (id int primary key, amount int); insert into account values (1, 0)')
    const database = test.open()
    let attempts = 0
    let readers = 0
    const add = () =>
      database.session(testCall()).transaction(
        async (tx) => {
          attempts++
          const { amount } = await tx.one<{ amount: number }>(sql`select amount from account where id = 1`)
          readers++
          // So that all three have read what two of them may not write.
          await until('all have read', () => readers >= 3)
          await tx.execute(sql`update account set amount = ${amount + 1} where id = 1`)
        },
        { isolation: 'serializable' },
      )
    await Promise.all([add(), add(), add()])
    assert.deepEqual(await test.ask('select amount from account'), [{ amount: 3 }])
    assert.ok(attempts > 3, `${attempts} attempts`)
  })

  it('runs work again after a deadlock', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)')
    const database = test.open()
    let bothHold = (): void => {}
    const met = new Promise<void>((resolve) => {
      bothHold = resolve
    })
    let holding = 0
    const cross = (first: number, second: number) =>
      database.session(testCall()).transaction(async (tx) => {
        await tx.execute(sql`update t set n = n + 1 where id = ${first}`)
        if (++holding === 2) bothHold()
        await met
        await tx.execute(sql`update t set n = n + 1 where id = ${second}`)
      })
    await Promise.all([cross(1, 2), cross(2, 1)])
    assert.equal(holding, 3)
    assert.deepEqual(await test.ask('select n from t'), [{ n: 2 }, { n: 2 }])
  })

  it('gives up after five attempts, also when work hides the conflict', async (t) => {
    const db = (await openTestDatabase(t)).open().session(testCall())
    let attempts = 0
    const work = db.transaction(async (tx) => {
      attempts++
      await tx.execute(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`).catch(() => {
        // Hidden on purpose.
      })
      throw new Error('out of stock')
    })
    await assert.rejects(work, (error) => isFlotillaError(error) && error.code === 'aborted')
    assert.equal(attempts, 5)
  })

  it('gives up early when there is no time for another attempt', async () => {
    const clock = new VirtualClock()
    let attempts = 0
    const conflict = Object.assign(new pg.DatabaseError('again', 0, 'error'), { code: '40001' })
    const session = new CallSession({
      ports: { clock, random: { ...seededRandom(1), next: () => 0.99 } },
      call: testCall(25, clock),
      hold: async () => {
        attempts++
        throw fromDriver(conflict, 'maybe')
      },
    })
    const work = assert.rejects(
      session.transaction(async () => {}),
      (error) => isFlotillaError(error) && error.code === 'aborted' && /2 times/.test(error.message),
    )
    // 9.9 ms before the second attempt; 19.8 ms before the third are more than what is left.
    await clock.advance(10)
    await work
    assert.equal(attempts, 2)
    assert.equal(clock.monotonicMs(), 10)
  })
})

describe('Transaction.afterCommit', () => {
  it('runs actions once, in order, after the commit and before the caller goes on; their failures are told, not thrown', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const lines: string[] = []
    const log = { info() {}, warn: (message: string) => void lines.push(message) }
    const seen: unknown[] = []
    const result = await test
      .open({ log })
      .session(testCall())
      .transaction(async (tx) => {
        tx.afterCommit(() => {
          throw new Error('broken')
        })
        tx.afterCommit(() => void seen.push('after'))
        await tx.execute(sql`insert into t values (1)`)
        seen.push('work')
        return 'result'
      })
    assert.equal(result, 'result')
    assert.deepEqual(seen, ['work', 'after'])
    assert.deepEqual(lines, ['what was to follow a commit failed'])
  })

  it('runs none of what was rolled back: the transaction, a savepoint, an attempt that was made again', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key deferrable initially deferred)')
    const db = test.open().session(testCall())
    const seen: string[] = []
    const thrown = db.transaction(async (tx) => {
      tx.afterCommit(() => void seen.push('thrown'))
      throw new Error('no')
    })
    await assert.rejects(thrown, /no/)
    // Deferred: it is the commit that fails.
    const refused = db.transaction(async (tx) => {
      tx.afterCommit(() => void seen.push('refused'))
      await tx.execute(sql`insert into t values (1), (1)`)
    })
    await assert.rejects(refused, isUniqueViolation)
    let attempts = 0
    await db.transaction(async (tx) => {
      const attempt = ++attempts
      tx.afterCommit(() => void seen.push(`attempt ${attempt}`))
      if (attempt === 1) {
        await tx.execute(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
      }
      const inner = tx.savepoint(async () => {
        tx.afterCommit(() => void seen.push('savepoint'))
        throw new Error('undone')
      })
      await assert.rejects(inner, /undone/)
    })
    assert.deepEqual(seen, ['attempt 2'])
  })
})

describe('Transaction.send', () => {
  it('runs in order with what is waited for, and is committed with it', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const db = test.open().session(testCall())
    await db.transaction(async (tx) => {
      tx.send(sql`insert into t values (1)`)
      assert.deepEqual(await tx.one(sql`select count(*) as count from t`), { count: 1 })
      tx.send(sql`insert into t values (2)`)
    })
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }, { id: 2 }])
  })

  it('fails the transaction with its own error, whatever follows it or hides it', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    await test.ask('insert into t values (1)')
    const db = test.open().session(testCall())
    const follows: readonly ((tx: Transaction) => Promise<unknown>)[] = [
      async () => {},
      (tx) => tx.execute(sql`insert into t values (2)`),
      (tx) => tx.execute(sql`insert into t values (2)`).catch(() => {}),
      (tx) => tx.savepoint(async () => tx.send(sql`insert into t values (2)`)),
    ]
    for (const follow of follows) {
      const work = db.transaction(async (tx) => {
        tx.send(sql`insert into t values (1)`)
        await follow(tx)
      })
      await assert.rejects(work, isUniqueViolation)
      assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }])
    }
  })

  it('fails a savepoint only, when it was sent in one', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const db = test.open().session(testCall())
    await db.transaction(async (tx) => {
      tx.send(sql`insert into t values (1)`)
      const inner = tx.savepoint(async () => tx.send(sql`insert into t values (1)`))
      await assert.rejects(inner, isUniqueViolation)
      tx.send(sql`insert into t values (2)`)
    })
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }, { id: 2 }])
  })

  it('is refused once the transaction is over, whichever way it ended', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const db = test.open().session(testCall())
    const late = (tx: Transaction) => () => tx.send(sql`insert into t values (1)`)
    const committed = await db.transaction(async (tx) => late(tx))
    assert.throws(committed, /over already/)
    let rolledBack = (): void => {}
    const failed = db.transaction(async (tx) => {
      rolledBack = late(tx)
      throw new Error('no')
    })
    await assert.rejects(failed, /no/)
    assert.throws(rolledBack, /over already/)
    assert.deepEqual(await test.ask('select * from t'), [])
  })

  it('is made good like any other when somebody else got in the way', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    let attempts = 0
    const db = test.open().session(testCall())
    await db.transaction(async (tx) => {
      if (++attempts === 1) tx.send(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
      else tx.send(sql`insert into t values (1)`)
    })
    assert.equal(attempts, 2)
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }])
  })
})

describe('Transaction.savepoint', () => {
  it('undoes only its own statements, at any depth', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int primary key)')
    const insert = (tx: Transaction, id: number) => tx.execute(sql`insert into t values (${id})`)
    await test
      .open()
      .session(testCall())
      .transaction(async (tx) => {
        await insert(tx, 1)
        const inner = tx.savepoint(async () => {
          await insert(tx, 2)
          await tx.savepoint(() => insert(tx, 3))
          await assert.rejects(
            tx.savepoint(() => insert(tx, 1)),
            isUniqueViolation,
          )
          await insert(tx, 4)
          throw new FlotillaError('aborted', 'undo 2 to 4')
        })
        await assert.rejects(inner, /undo/)
        assert.equal(await tx.savepoint(() => insert(tx, 5)), 1)
      })
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }, { id: 5 }])
  })
})

describe('Connection.run', () => {
  it('runs nothing of a statement whose opening failed', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int)')
    const connection = await Connection.open({ url: test.url, name: 'test' })
    t.after(() => connection.close())
    // A BEGIN that fails is what a stray cancel request makes of it; the insert must not commit by itself.
    const insert = {
      text: 'insert into t values (1)',
      opening: [{ text: 'begin nonsense' }, { text: 'set local statement_timeout = 5' }],
    }
    await assert.rejects(connection.run(insert), state('42601'))
    assert.deepEqual(await test.ask('select * from t'), [])
    assert.equal((await connection.run({ text: 'select 1 as one' })).rows[0]?.['one'], 1)
  })
})
