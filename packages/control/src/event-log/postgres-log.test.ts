import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import type { Database } from '@flotilla/core/database'
import { FlotillaError } from '@flotilla/core/error'
import { testEventLog } from '@flotilla/core/event-log-conformance'
import { testEvent } from '@flotilla/core/event-log-fixture'
import { TestFollower } from '@flotilla/core/event-log-follower'
import { migrate } from '@flotilla/core/migrate'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase, type TestDatabase } from '@flotilla/core/test-database'
import { until } from '@flotilla/core/until'
import { PostgresLog, type PostgresLogOptions } from './postgres-log.ts'
import { eventLogService } from './service.ts'

interface Cleaning {
  after(cleanUp: () => Promise<void>): void
}

async function openDatabase(t: Cleaning): Promise<TestDatabase> {
  const database = await openTestDatabase(t)
  const folder = eventLogService.database?.migrations as URL
  await migrate(database.url, [{ name: 'events', folder }])
  return database
}

let instances = 0

/** Another instance, with connections of its own. */
async function openLog(
  t: Cleaning,
  test: TestDatabase,
  more: Partial<PostgresLogOptions> = {},
): Promise<PostgresLog> {
  const database: Database = test.open({ poolMax: 4 })
  const log = await PostgresLog.open({
    use: (work) => work(database.session(testCall())),
    listen: (channel, onNotify) => database.listen(channel, onNotify),
    clock: systemClock,
    log: { warn() {} },
    instance: `instance-${++instances}`,
    // Small, so that followers fall out of it.
    ring: { eventsMax: 50, bytesMax: 1_000_000 },
    ...more,
  })
  t.after(async () => log.close())
  return log
}

const breakAll = `select count(pg_terminate_backend(pid)) from pg_stat_activity
  where pid <> pg_backend_pid() and application_name = 'test'`

testEventLog('PostgresLog', ['orders', 'stock'], async (t) => {
  const test = await openDatabase(t)
  const opened: PostgresLog[] = []
  return {
    async open() {
      const log = await openLog(t, test)
      opened.push(log)
      return log
    },
    async breakConnections() {
      await test.ask(breakAll)
    },
    async forget() {
      while ((await opened[0]?.prune(0)) !== 0);
    },
  }
})

/** Waits until so many wait for a lock. */
function waiting(test: TestDatabase, count: number): Promise<void> {
  const locks = 'select from pg_locks where not granted'
  return until(`${count} wait for a lock`, async () => {
    return (await test.ask(locks)).length >= count
  })
}

describe('PostgresLog', () => {
  it('is told by the database of what other instances append', async (t) => {
    const test = await openDatabase(t)
    const [one, other] = [await openLog(t, test), await openLog(t, test)]
    await until('both listen', async () => {
      const asked = `select from pg_stat_activity where query like 'listen%'`
      return (await test.ask(asked)).length === 2
    })
    const stop = new AbortController()
    t.after(async () => stop.abort())
    const wanted = { topics: ['*'], positions: { 0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0 } }
    const batches = other.follow(wanted, stop.signal)[Symbol.asyncIterator]()
    await batches.next()
    const waitsMs: number[] = []
    for (let round = 0; round < 5; round++) {
      const startMs = systemClock.monotonicMs()
      await one.append('orders', 0, [testEvent('orders')])
      await batches.next()
      waitsMs.push(systemClock.monotonicMs() - startMs)
    }
    // Without it they would learn at the next look, half a second later on average.
    assert.ok((waitsMs.toSorted((a, b) => a - b)[2] as number) < 300, `${waitsMs}`)
  })

  it('tells what it has appended itself as others read it', async (t) => {
    const test = await openDatabase(t)
    const [one, other] = [await openLog(t, test), await openLog(t, test)]
    const near = new TestFollower(one)
    await near.reaches(0)
    const data = { text: 'ü "quoted" \\ {1,2}', none: undefined, number: Number.NaN, list: [1, [null]] }
    await one.append('orders', 0, [
      testEvent('orders', { data, time: '2026-11-20T12:00:00.123456+02:00' }),
      testEvent('orders', { data: null }),
    ])
    const far = new TestFollower(other)
    for (const follower of [near, far]) await follower.reaches(2)
    assert.deepEqual(near.seen, far.seen)
    assert.equal(near.seen[0]?.event.time, '2026-11-20T10:00:00.123Z')
    for (const follower of [near, far]) await follower.stop()
  })

  it('misses nothing that another instance has appended in between, and need not be woken for that', async (t) => {
    const test = await openDatabase(t)
    const deaf = { listen: () => undefined }
    const logs = [await openLog(t, test, deaf), await openLog(t, test, deaf)] as const
    const followers = logs.map((log) => new TestFollower(log))
    for (let round = 0; round < 20; round++)
      await (logs[round % 3 === 0 ? 0 : 1] as PostgresLog).append('orders', 0, [testEvent('orders')])
    for (const follower of followers) {
      await follower.reaches(20)
      assert.deepEqual(
        follower.seen.map(({ position }) => position),
        Array.from({ length: 20 }, (_, index) => index + 1),
      )
      await follower.stop()
    }
  })

  it('lets no append pass one that has its positions already', async (t) => {
    const test = await openDatabase(t)
    const [one, other] = [await openLog(t, test), await openLog(t, test)]
    const follower = new TestFollower(other)
    await test.ask(`create function stand_still() returns trigger language plpgsql as
        'begin perform pg_advisory_xact_lock(1); return new; end';
      create trigger stand_still before insert on event for each row when (new.key = 'slow') execute function stand_still();
      select pg_advisory_lock(1)`)
    const slow = one.append('orders', 0, [testEvent('orders', { key: 'slow' })])
    await waiting(test, 1)
    const fast = other.append('stock', 0, [testEvent('stock', { key: 'fast' })])
    await Promise.race([fast, waiting(test, 2)])
    await follower.reaches((await other.head()).position)
    await test.ask('select pg_advisory_unlock(1)')
    await Promise.all([slow, fast])
    await follower.reaches((await other.head()).position)
    assert.deepEqual(
      follower.seen.map(({ event }) => event.key),
      ['slow', 'fast'],
    )
    await follower.stop()
  })

  it('refuses a producer that was replaced while it waited for its turn', async (t) => {
    const test = await openDatabase(t)
    const [one, other] = [await openLog(t, test), await openLog(t, test)]
    await test.ask('begin')
    await test.ask('select position from log_head for update')
    const later = one.append('orders', 2, [testEvent('orders', { key: 'later' })])
    await waiting(test, 1)
    const replaced = other.append('orders', 1, [testEvent('orders', { key: 'replaced' })])
    const refused = assert.rejects(replaced, { reason: 'fenced' })
    await waiting(test, 2)
    await test.ask('commit')
    await later
    await refused
    assert.deepEqual(await test.ask('select key from event'), [{ key: 'later' }])
  })

  it('forgets what is old, and a bounded number at a time', async (t) => {
    const test = await openDatabase(t)
    const log = await openLog(t, test)
    for (let round = 0; round < 3; round++)
      await log.append(
        'orders',
        0,
        Array.from({ length: 10 }, () => testEvent('orders')),
      )
    await test.ask(`update event set appended_at = now() - interval '3 days' where position <= 12`)
    // Out of order by a little, as transactions are: what is before something old is old.
    await test.ask(`update event set appended_at = now() where position = 11`)
    assert.equal(await log.prune(4 * 86_400_000), 0)
    assert.equal(await log.prune(2 * 86_400_000), 12)
    assert.equal(await log.prune(2 * 86_400_000), 0)
    assert.deepEqual(await log.head(), { position: 30, oldest: 13 })
  })

  it('ends followers when it closes', async (t) => {
    const log = await openLog(t, await openDatabase(t))
    const batches = log.follow({ topics: ['*'], positions: { 0: 0 } }, new AbortController().signal)
    const told: number[] = []
    const following = (async () => {
      for await (const { upTo } of batches) told.push(upTo)
    })()
    await until('it follows', () => told.length === 1)
    log.close()
    await following
  })

  it('gives no signs of life while nobody can look', async (t) => {
    const test = await openDatabase(t)
    const database = test.open({ poolMax: 4 })
    let isAway = false
    const log = await openLog(t, test, {
      use: (work) =>
        isAway
          ? Promise.reject(new FlotillaError('unavailable', 'Away.'))
          : work(database.session(testCall())),
    })
    const stop = new AbortController()
    t.after(async () => stop.abort())
    const wish = { topics: ['orders.happened'], positions: { 0: 0 }, heartbeatMs: 50 }
    const following = (async () => {
      for await (const { isEnd } of log.follow(wish, stop.signal)) {
        assert.equal(isEnd, true)
        isAway = true
      }
    })()
    await assert.rejects(following, { code: 'unavailable' })
  })

  it('fails the append that is wrong, not those in the same transaction', async (t) => {
    const test = await openDatabase(t)
    const log = await openLog(t, test)
    await test.ask(`alter table event add constraint no_bad_luck check (key <> 'bad')`)
    const keys = ['first', 'good', 'bad', 'fine']
    const outcomes = await Promise.allSettled(
      keys.map((key) => log.append('orders', 0, [testEvent('orders', { key })])),
    )
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await test.ask('select position, key from event order by 1'), [
      { position: '1', key: 'first' },
      { position: '2', key: 'good' },
      { position: '3', key: 'fine' },
    ])
  })
})
