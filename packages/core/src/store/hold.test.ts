import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { seededRandom } from '../kernel/random.ts'
import { openTcpProxy, type ProxyLink } from '../testing/tcp-proxy.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'
import { sql } from './sql.ts'

/** Far less than the statement would take. */
const STOPPED_MS = 5_000

async function failureOf(work: Promise<unknown>): Promise<FlotillaError> {
  const error = await work.then(
    () => assert.fail('It should have failed.'),
    (caught: unknown) => caught,
  )
  assert.ok(isFlotillaError(error), String(error))
  return error
}

/** How many statements like `pattern` the server is working on. */
async function running(test: TestDatabase, pattern: string): Promise<number> {
  const rows = await test.ask(
    `select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like $1`,
    [pattern],
  )
  return rows.length
}

/** A proxy that keeps every cancel request until told to let it through. */
async function openCancelTrap(t: TestContext, url: string) {
  const CANCEL_CODE = 80877102
  const caught: (() => void)[] = []
  const proxied = await openTcpProxy(t, url, {
    onClientData: (chunk, { server }) => {
      const isCancel = chunk.length === 16 && chunk.readInt32BE(4) === CANCEL_CODE
      if (isCancel) caught.push(() => server.write(chunk))
      else server.write(chunk)
    },
  })
  return { url: proxied, caught }
}

describe('Hold', () => {
  it('stops a statement on the server when the deadline passes, and uses the connection again', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ poolMax: 1 })
    const pidOf = sql`select pg_backend_pid() as pid`
    const before = await database.session(testCall()).one(pidOf)
    const fromMs = systemClock.monotonicMs()
    const error = await failureOf(database.session(testCall(100)).one(sql`select pg_sleep(10)`))
    const tookMs = systemClock.monotonicMs() - fromMs
    assert.equal(error.code, 'deadline_exceeded')
    assert.ok(tookMs >= 99 && tookMs < STOPPED_MS, `${tookMs} ms`)
    await until(
      'the server has stopped',
      async () => (await running(test, '%pg_sleep(10)%')) === 0,
      STOPPED_MS,
    )
    assert.deepEqual(await database.session(testCall()).one(pidOf), before)
  })

  it('stops a statement when the call is canceled, with the error of the call', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ poolMax: 1 })
    const call = testCall()
    const statement = database.session(call).one(sql`select pg_sleep(10)`)
    await until('it runs', async () => (await running(test, '%pg_sleep(10)%')) === 1)
    const reason = new FlotillaError('canceled', 'The caller gave up.')
    call.cancellation.cancel(reason)
    assert.equal(await failureOf(statement), reason)
    await until(
      'the server has stopped',
      async () => (await running(test, '%pg_sleep(10)%')) === 0,
      STOPPED_MS,
    )
    assert.equal(await failureOf(database.session(call).one(sql`select 1`)), reason)
  })

  it('sends nothing once the deadline has passed', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open()
    await database.warm()
    const error = await failureOf(database.session(testCall(0)).execute(sql`create table t ()`))
    assert.equal(error.code, 'deadline_exceeded')
    assert.equal(error.executed, 'no')
    assert.deepEqual(await test.ask(`select to_regclass('t') as t`), [{ t: null }])
  })

  it('keeps the connection until the cancel request is delivered, so that it cannot hit the next call', async (t) => {
    const test = await openTestDatabase(t)
    const trap = await openCancelTrap(t, test.url)
    const database = test.open({ url: trap.url, poolMax: 1 })
    await database.warm()

    const first = database.session(testCall(50)).one(sql`select pg_sleep(0.15) as first`)
    assert.equal((await failureOf(first)).code, 'deadline_exceeded')
    const second = database
      .session(testCall())
      .one<{ second: string }>(sql`select 'fine' as second, pg_sleep(0.2)::text`)
    await until('the request is on its way', () => trap.caught.length === 1)
    await until('the first statement is over', async () => (await running(test, '%as first%')) === 0)
    // Time enough for the second to start, which it must not.
    await systemClock.sleep(50)
    assert.equal(await running(test, '%as second%'), 0)
    trap.caught[0]?.()
    assert.equal((await second).second, 'fine')
  })

  it('breaks off a connection whose cancel request nobody takes', async (t) => {
    const test = await openTestDatabase(t)
    const trap = await openCancelTrap(t, test.url)
    const database = test.open({ url: trap.url, poolMax: 1 })
    const { pid } = await database
      .session(testCall())
      .one<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    await failureOf(database.session(testCall(50)).one(sql`select pg_sleep(30)`))
    const next = await database.session(testCall()).one<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    assert.notEqual(next.pid, pid)
    await until('the server has noticed', async () => (await running(test, '%pg_sleep(30)%')) === 0)
  })

  it('breaks off a connection whose cancel request may still be under way, though its statement is over', async (t) => {
    const test = await openTestDatabase(t)
    const trap = await openCancelTrap(t, test.url)
    const database = test.open({ url: trap.url, poolMax: 1 })
    const pidOf = sql`select pg_backend_pid() as pid`
    const before = await database.session(testCall()).one(pidOf)
    await failureOf(database.session(testCall(50)).one(sql`select pg_sleep(0.1)`))
    const next = database.session(testCall()).one(sql`select pg_backend_pid() as pid, pg_sleep(0.1)::text`)
    assert.notDeepEqual(await next, { ...(before as object), pg_sleep: '' })
    assert.equal(trap.caught.length, 1)
  })

  it('never harms a call in time, whatever happens to those that are late', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ poolMax: 3 })
    const random = seededRandom(7)
    let late = 0
    // Deadlines around the duration of the statement, so that cancel requests race with its end.
    const lateCalls = async (): Promise<void> => {
      for (let round = 0; round < 150; round++) {
        const call = testCall(1 + random.next() * 6)
        await database
          .session(call)
          .one(sql`select pg_sleep(${random.next() * 0.006})`)
          .catch((error: unknown) => {
            assert.ok(isFlotillaError(error) && error.code === 'deadline_exceeded', String(error))
            late++
          })
      }
    }
    const goodCalls = async (): Promise<void> => {
      for (let round = 0; round < 400; round++) {
        const db = database.session(testCall())
        assert.deepEqual(await db.one(sql`select ${round}::int as round, pg_sleep(0.001)::text`), {
          round,
          pg_sleep: '',
        })
      }
    }
    await Promise.all([lateCalls(), lateCalls(), goodCalls(), goodCalls()])
    assert.ok(late > 50, `${late} were late`)
    assert.ok(database.stats().total <= 3)
  })

  it('lets go of locks at the deadline, even when the work hangs elsewhere', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open()
    await test.ask('create table t (id int); insert into t values (1)')
    const hanging = database.session(testCall(100)).transaction(async (tx) => {
      await tx.execute(sql`update t set id = 2`)
      await new Promise(() => {})
    })
    assert.equal((await failureOf(hanging)).code, 'deadline_exceeded')
    assert.deepEqual(await test.ask('update t set id = id + 10 returning id'), [{ id: 11 }])
    await until('the connection is back', () => database.stats().idle === 1)
  })

  it('refuses statements of work that goes on after its transaction was stopped', async (t) => {
    const test = await openTestDatabase(t)
    const database = test.open({ poolMax: 1 })
    await test.ask('create table t (id int)')
    const call = testCall()
    let afterwards: Promise<unknown> | undefined
    const work = database.session(call).transaction(async (tx) => {
      await tx.execute(sql`insert into t values (1)`)
      call.cancellation.cancel(new FlotillaError('canceled', 'enough'))
      afterwards = tx.execute(sql`insert into t values (2)`)
      await afterwards
    })
    assert.equal((await failureOf(work)).message, 'enough')
    assert.equal((await failureOf(afterwards as Promise<unknown>)).message, 'enough')
    await until('the connection is back', () => database.stats().idle === 1)
    assert.deepEqual(await test.ask('select * from t'), [])
  })
})

describe('Hold.commit', () => {
  /** COMMIT takes `seconds`, by a trigger that runs then. */
  const slowCommit = (seconds: number): string => `
    create table t (id int);
    create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(${seconds}); return null; end $$;
    create constraint trigger slow after insert on t deferrable initially deferred for each row execute function slow()`

  it('is not disturbed by a deadline or a cancellation while it is on its way', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask(slowCommit(2))
    const database = test.open()
    const call = testCall(2_000)
    const work = database.session(call).transaction(async (tx) => {
      await tx.execute(sql`insert into t values (1)`)
      await systemClock.sleep(200)
    })
    await until('the commit runs', async () => (await running(test, 'commit')) === 1)
    call.cancellation.cancel(new FlotillaError('canceled', 'too late for that'))
    await work
    assert.ok(systemClock.monotonicMs() > call.deadlineMs)
    assert.deepEqual(await test.ask('select * from t'), [{ id: 1 }])
  })

  it('is given up a second after the deadline, as of unknown outcome', async (t) => {
    const test = await openTestDatabase(t)
    const stalled: ProxyLink[] = []
    const url = await openTcpProxy(t, test.url, {
      onClientData: (chunk, link) => {
        if (chunk.includes('commit\0')) stalled.push(link)
        else link.server.write(chunk)
      },
    })
    await test.ask('create table t (id int)')
    const database = test.open({ url })
    const fromMs = systemClock.monotonicMs()
    const error = await failureOf(
      database.session(testCall(200)).transaction((tx) => tx.execute(sql`insert into t values (1)`)),
    )
    assert.equal(error.code, 'unavailable')
    assert.equal(error.executed, 'maybe')
    assert.ok(systemClock.monotonicMs() - fromMs < 3_000)
    assert.equal(stalled.length, 1)
    assert.equal(database.stats().total, 0)
  })

  for (const isForwarded of [true, false]) {
    it(`says maybe when the connection is lost ${isForwarded ? 'after' : 'before'} the server commits`, async (t) => {
      const test = await openTestDatabase(t)
      await test.ask('create table t (id int)')
      const cutting = new Set<ProxyLink>()
      const url = await openTcpProxy(t, test.url, {
        onClientData: (chunk, link) => {
          if (!chunk.includes('commit\0')) link.server.write(chunk)
          else if (isForwarded) {
            cutting.add(link)
            link.server.write(chunk)
          } else link.client.destroy()
        },
        onServerData: (chunk, link) => {
          if (cutting.has(link)) link.client.destroy()
          else link.client.write(chunk)
        },
      })
      const database = test.open({ url })
      const work = database.session(testCall()).transaction((tx) => tx.execute(sql`insert into t values (1)`))
      const error = await failureOf(work)
      assert.equal(error.code, 'unavailable')
      assert.equal(error.executed, 'maybe')
      assert.match(error.message, /not known/)
      assert.deepEqual(await test.ask('select * from t'), isForwarded ? [{ id: 1 }] : [])
      assert.deepEqual(await database.session(testCall()).one(sql`select 1 as on`), { on: 1 })
    })
  }

  it('says maybe when the server is shut down in the middle of it', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask(slowCommit(5))
    const db = test.open().session(testCall())
    const failure = failureOf(db.transaction((tx) => tx.execute(sql`insert into t values (1)`)))
    await until('the commit runs', async () => (await running(test, 'commit')) === 1)
    await test.ask(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'commit'`)
    const error = await failure
    assert.equal(error.code, 'unavailable')
    assert.match(error.message, /not known/)
  })

  it('passes on what the server objects to, as nothing done', async (t) => {
    const test = await openTestDatabase(t)
    await test.ask('create table t (id int unique deferrable initially deferred)')
    const database = test.open({ poolMax: 1 })
    const work = database
      .session(testCall())
      .transaction((tx) => tx.execute(sql`insert into t values (1), (1)`))
    assert.equal((await failureOf(work)).code, 'already_exists')
    assert.deepEqual(database.stats(), { total: 1, idle: 1, waiting: 0 })
  })
})
