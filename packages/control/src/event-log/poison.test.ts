import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import type { Envelope } from '@flotilla/core/envelope'
import { redriveParked } from '@flotilla/core/parked-admin'
import { sql } from '@flotilla/core/sql'
import { testCall } from '@flotilla/core/test-call'
import { type React, type TestConsumer, TestConsumers } from '@flotilla/core/test-consumers'
import { until } from '@flotilla/core/until'
import { openLogs } from '../testing/test-logs.ts'
import type { PostgresLog } from './postgres-log.ts'

function test(name: string, body: (consumers: TestConsumers, log: PostgresLog) => Promise<void>): void {
  it(name, async (t) => {
    const closing = new Closing(systemClock, 30_000)
    t.after(() => closing.close())
    const cleaning = { after: (cleanUp: () => Promise<void>) => closing.defer('part', cleanUp) }
    const log = await (await openLogs(cleaning))()
    await body(await TestConsumers.open(cleaning, log), log)
  })
}

const isNote = ({ data }: Envelope, key: string, number: number): boolean => {
  const note = data as { key: string; number: number }
  return note.key === key && note.number === number
}

interface Parked {
  readonly key: string
  readonly state: string
  readonly attempts: number
}

const parkedOf = ({ test: database }: TestConsumers): Promise<Parked[]> =>
  database.ask<Parked>('select key, state, attempts from flotilla.parked order by id')

/** So that tries need not be waited for. */
const hurry = ({ test: database }: TestConsumers): Promise<unknown> =>
  database.ask(`update flotilla.parked set next_at = now() where state = 'retrying'`)

/** Publishes notes of several keys while nobody listens; the first of `poisoned` among them. */
async function publishBatch(consumers: TestConsumers, count: number): Promise<void> {
  const publisher = await consumers.start({ group: 'another' })
  for (let n = 0; n < count; n++) await publisher.publish(`key-${n % 20}`)
  await consumers.drained(20_000, 'another')
  await publisher.close()
}

async function untilDead(consumers: TestConsumers, one: TestConsumer): Promise<void> {
  await until('it is dead', async () => {
    await hurry(consumers)
    return one.told.dead === 1
  })
}

describe('an event that cannot be handled', () => {
  test('is parked, its key waits in order, the others go on; dead after five attempts, it is driven again', async (consumers) => {
    let [isPoison, attempts] = [true, 0]
    const react: React = (told) => {
      if (!isNote(told, 'bad', 1)) return
      attempts++
      if (isPoison) throw new Error('It is poison.')
    }
    const one = await consumers.start({ react })
    await one.publish('bad')
    await until('it is parked', () => one.told.parked === 1)
    for (let n = 0; n < 3; n++) await one.publish('bad')
    await one.publish('good')
    const startMs = systemClock.monotonicMs()
    await until('the other key is handled', async () => (await consumers.applied()).has('good'))
    assert.ok(systemClock.monotonicMs() - startMs < 5_000)
    await until('three wait', async () => (await parkedOf(consumers)).length === 4)
    await untilDead(consumers, one)
    assert.equal(attempts, 5)
    assert.ok(one.lines.some(({ level }) => level === 'error'))
    const states = (await parkedOf(consumers)).map(({ state }) => state)
    assert.deepEqual(states, ['dead', 'waiting', 'waiting', 'waiting'])
    isPoison = false
    const session = one.database.session(testCall())
    assert.equal((await redriveParked(session, 'all')).length, 1)
    await one.publish('bad')
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), await consumers.published())
    assert.deepEqual(await parkedOf(consumers), [])
  })

  test('is found among the events of a batch, though another one shows what it did', async (consumers) => {
    await publishBatch(consumers, 150)
    let reactions = 0
    const one = await consumers.start({
      async react(told, tx) {
        reactions++
        // It keeps to itself that the transaction is doomed.
        if (isNote(told, 'key-3', 4)) await tx.execute(sql`select 1 / 0`).catch(() => {})
      },
    })
    // 150 notes of 20 keys: 8 of key-3, the fourth of which fails.
    await until('all others are handled', () => one.told.handled === 145)
    await until('five are parked', async () => (await parkedOf(consumers)).length === 5)
    const parked = await parkedOf(consumers)
    assert.deepEqual(
      parked.map(({ key }) => key),
      parked.map(() => 'key-3'),
    )
    assert.equal(one.told.parked, 1)
    assert.ok(reactions < 2 * 150 + 50, `${reactions} reactions`)
  })

  test('is parked too when it breaks the connection, each time', async (consumers) => {
    await publishBatch(consumers, 30)
    const one = await consumers.start({
      async react(told, tx) {
        if (isNote(told, 'key-5', 1)) await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`)
      },
    })
    await until(
      'it is parked, and the others are handled',
      () => one.told.parked === 1 && one.told.handled === 28,
    )
    const waiting = (await parkedOf(consumers)).map(({ key }) => key)
    assert.deepEqual(waiting, ['key-5', 'key-5'])
  })

  test('fails by a constraint that is looked at in the end, and is parked', async (consumers) => {
    await consumers.test.ask('create table lonely (key text unique deferrable initially deferred)')
    const one = await consumers.start({
      react: async (told, tx) => {
        if (isNote(told, 'a', 1) || isNote(told, 'b', 1))
          await tx.execute(sql`insert into lonely values ('x')`)
      },
    })
    await one.publish('a')
    await one.publish('b')
    await one.publish('c')
    await until('c is handled, and b is parked', () => one.told.parked === 1 && one.told.handled === 2)
    assert.deepEqual(
      (await parkedOf(consumers)).map(({ key }) => key),
      ['b'],
    )
  })
})
