import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import { systemClock } from '@flotilla/core/clock'
import { defineContract } from '@flotilla/core/contract'
import { isFlotillaError } from '@flotilla/core/error'
import { testEventLog } from '@flotilla/core/event-log-conformance'
import { eventLog } from '@flotilla/core/event-log-contract'
import { testEvent } from '@flotilla/core/event-log-fixture'
import { positionsAt, TestFollower } from '@flotilla/core/event-log-follower'
import { migrate } from '@flotilla/core/migrate'
import { RemoteEventLog } from '@flotilla/core/remote-event-log'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { defineService } from '@flotilla/core/service'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase, type TestDatabase } from '@flotilla/core/test-database'
import { until } from '@flotilla/core/until'
import { registryService } from '../directory/service.ts'
import { eventLogService } from './service.ts'

/** Two that publish. */
const publishers = ['orders', 'stock'].map((name) =>
  defineService({
    contract: defineContract({ name, version: 1, summary: '', operations: {} }),
    open: () => ({}),
  }),
)
const app = defineApp({
  name: 'test',
  folder: '',
  services: {
    registry: async () => registryService,
    events: async () => eventLogService,
    ...Object.fromEntries(publishers.map((service) => [service.contract.name, async () => service])),
  },
})
const admin = { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'enterprise' }
const HOUR_MS = 3_600_000

/** The log as a service sees it that runs elsewhere. */
function remoteLog({ call }: TestApp, service: string): RemoteEventLog {
  return new RemoteEventLog((cancellation) => call(eventLog, { service, cancellation, timeoutMs: HOUR_MS }))
}

testEventLog('events over frames', ['orders', 'stock'], async (t) => {
  const opened = await openTestApp(t, { app, placement: 'frames' })
  const database = opened.databases.get('events') as TestDatabase
  const logs = { orders: remoteLog(opened, 'orders'), stock: remoteLog(opened, 'stock') }
  return {
    open: async () => ({
      append: (source, fencing, events) => logs[source as 'orders'].append(source, fencing, events),
      follow: (options, signal) => logs.orders.follow(options, signal),
      head: () => logs.orders.head(),
    }),
    async breakConnections() {
      await database.ask(`select count(pg_terminate_backend(pid)) from pg_stat_activity
        where pid <> pg_backend_pid() and application_name = 'events'`)
    },
    async forget() {
      await database.ask(`with gone as (delete from event returning position)
        update log_floor set position = (select max(position) from gone)`)
    },
  }
})

describe('events', () => {
  const open = (t: TestContext): Promise<TestApp> => openTestApp(t, { app, placement: 'frames' })
  const refusal = (reason: string) => (error: unknown) => isFlotillaError(error) && error.reason === reason

  it('takes from a service its own events only, and none on behalf of a user', async (t) => {
    const { call } = await open(t)
    const events = [testEvent('orders')]
    const orders = call(eventLog, { service: 'orders' })
    await orders.append({ fencing: 0, events })
    await orders.append({ source: 'orders', fencing: 0, events })
    const stock = call(eventLog, { service: 'stock' })
    await assert.rejects(stock.append({ fencing: 0, events }), refusal('not_yours'))
    await assert.rejects(stock.append({ source: 'orders', fencing: 0, events }), refusal('not_yours'))
    const forAdmin = call(eventLog, { service: 'orders', user: admin })
    await assert.rejects(forAdmin.append({ fencing: 0, events }), refusal('not_yours'))
    assert.equal((await forAdmin.head()).position, 2)
  })

  it('is searched by topic, key, position and id', async (t) => {
    const { call } = await open(t)
    const [orders, stock] = ['orders', 'stock'].map((service) => call(eventLog, { service }))
    const made = ['a', 'b', 'a'].map((key, n) =>
      testEvent('orders', {
        key,
        type: n === 2 ? 'orders.placed' : 'orders.paid',
        time: `2026-11-2${n}T00:00:00.000Z`,
      }),
    )
    await orders?.append({ fencing: 0, events: made })
    await stock?.append({ fencing: 0, events: [testEvent('stock', { key: 'a' }), testEvent('stock')] })
    const read = async (wish: Parameters<NonNullable<typeof orders>['read']>[0]) =>
      (await orders?.read(wish))?.items.map(({ position }) => position)
    assert.deepEqual(await read({}), [5, 4, 3, 2, 1])
    assert.deepEqual(await read({ topic: 'orders.*', limit: 2 }), [3, 2])
    assert.deepEqual(await read({ topic: '*', before: 3 }), [2, 1])
    assert.deepEqual(await read({ topic: 'orders.paid', after: 1 }), [2])
    assert.deepEqual(await read({ key: 'a' }), [4, 3, 1])
    assert.deepEqual(await read({ key: 'a', after: 0, limit: 2 }), [1, 3])
    assert.deepEqual(await read({ key: 'a', topic: 'stock.*' }), [4])
    const found = await orders?.find({ id: made[1]?.id as string })
    assert.deepEqual(found?.items, [{ position: 2, partition: found?.items[0]?.partition, event: made[1] }])
    assert.deepEqual((await orders?.find({ id: 'nothing' }))?.items, [])
    assert.deepEqual((await orders?.topics())?.items, [
      { topic: 'orders.paid', position: 2, time: '2026-11-21T00:00:00.000Z' },
      { topic: 'orders.placed', position: 3, time: '2026-11-22T00:00:00.000Z' },
      { topic: 'stock.happened', position: 5, time: '2026-11-20T10:00:00.000Z' },
    ])
  })

  it('does not wait for followers when it closes', async (t) => {
    const opened = await open(t)
    const follower = new TestFollower(remoteLog(opened, 'orders'))
    await follower.reaches(0)
    const local = opened.call(eventLog, { service: 'orders', timeoutMs: HOUR_MS })
    const stream = local.follow({ topics: ['*'], positions: positionsAt(0) })[Symbol.asyncIterator]()
    await stream.next()
    const database = opened.databases.get('events') as TestDatabase
    const listening = `select from pg_stat_activity where query like 'listen%'`
    await until('it listens', async () => (await database.ask(listening)).length > 0)
    const startMs = systemClock.monotonicMs()
    await opened.hostOf('events').close()
    assert.ok(systemClock.monotonicMs() - startMs < 10_000)
    await until('it listens no more', async () => (await database.ask(listening)).length === 0)
    await follower.stop().catch(() => {
      // There is nobody left to follow.
    })
  })

  it('shows how much there is', async (t) => {
    const opened = await open(t)
    const follower = new TestFollower(remoteLog(opened, 'orders'))
    t.after(() => follower.stop())
    await opened
      .call(eventLog, { service: 'orders' })
      .append({ fencing: 0, events: [testEvent('orders'), testEvent('orders')] })
    await follower.reaches(2)
    const { metrics } = opened.hostOf('events')
    const text = metrics.toPrometheus()
    for (const line of ['appended_total 2', 'commits_total 1', 'head 2', 'followers 1'])
      assert.ok(text.includes(`flotilla_events_${line}\n`), line)
    await follower.stop()
    await until('it has left', () => metrics.toPrometheus().includes('flotilla_events_followers 0\n'))
  })

  it('has the schema that schema.sql says', async (t) => {
    const { url, open: openDatabase } = await openTestDatabase(t)
    await migrate(url, [{ name: 'events', folder: eventLogService.database?.migrations as URL }])
    const text = await dumpSchema(openDatabase().session(testCall()), ['public'])
    const file = new URL('../../src/event-log/schema.sql', import.meta.url)
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})
