import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { Closing } from '@flotilla/core/closing'
import type { Envelope } from '@flotilla/core/envelope'
import { FlotillaError } from '@flotilla/core/error'
import type { Batch, EventLog, FollowOptions, LoggedEvent } from '@flotilla/core/event-log'
import { type Random, randomInteger, seededRandom } from '@flotilla/core/random'
import { sql } from '@flotilla/core/sql'
import { type TestConsumer, TestConsumers } from '@flotilla/core/test-consumers'
import { until } from '@flotilla/core/until'
import { openLogs } from '../testing/test-logs.ts'
import type { PostgresLog } from './postgres-log.ts'

type Body = (consumers: TestConsumers, log: PostgresLog, again: () => Promise<PostgresLog>) => Promise<void>

/** A test whose parts end in reverse order. */
function test(name: string, body: Body): void {
  it(name, async (t) => {
    const closing = new Closing(systemClock, 30_000)
    t.after(() => closing.close())
    const cleaning = { after: (cleanUp: () => Promise<void>) => closing.defer('part', cleanUp) }
    const again = await openLogs(cleaning)
    const log = await again()
    await body(await TestConsumers.open(cleaning, log), log, again)
  })
}

/** A log that is away now and then, and after some batches tells once more what it told before. */
function tellingTwice(log: EventLog, random: Random, afterAppend: () => Promise<void>): EventLog {
  return {
    head: () => log.head(),
    async append(source, fencing, events) {
      if (random.next() < 0.1) throw new FlotillaError('unavailable', 'The log is away.', { executed: 'no' })
      await log.append(source, fencing, events)
      await afterAppend()
    },
    async *follow(options: FollowOptions, signal: AbortSignal): AsyncGenerator<Batch> {
      const past: LoggedEvent[] = []
      for await (const batch of log.follow(options, signal)) {
        past.push(...batch.events)
        yield { ...batch, events: [...batch.events, ...batch.events.filter(() => random.next() < 0.2)] }
        if (past.length > 0 && random.next() < 0.2) {
          const again = Array.from(
            { length: 5 },
            () => past[randomInteger(random, past.length)] as LoggedEvent,
          )
          yield { events: again, upTo: batch.upTo }
        }
      }
    },
  }
}

/** A log that nobody can follow while it is away. */
function comingAndGoing(log: EventLog, away: { readonly isAway: boolean; asked: number }): EventLog {
  return {
    append: (source, fencing, events) => log.append(source, fencing, events),
    head: () => log.head(),
    async *follow(options, signal) {
      away.asked++
      if (away.isAway) throw new FlotillaError('unavailable', 'The log is away.')
      for await (const batch of log.follow(options, signal)) {
        if (away.isAway) throw new FlotillaError('unavailable', 'The log has gone.')
        yield batch
      }
    },
  }
}

/** A log whose first events stay on their way until they may go on. */
function holding(log: EventLog) {
  let goOn = (): void => {}
  const mayGoOn = new Promise<void>((resolve) => {
    goOn = resolve
  })
  let [isHolding, isOver] = [false, false]
  const held: EventLog = {
    append: (source, fencing, events) => log.append(source, fencing, events),
    head: () => log.head(),
    async *follow(options, signal) {
      for await (const batch of log.follow(options, signal)) {
        if (batch.events.length === 0) {
          yield batch
          continue
        }
        isHolding = true
        await mayGoOn
        try {
          yield batch
        } finally {
          isOver = true
        }
      }
    },
  }
  return { log: held, goOn: () => goOn(), holds: () => isHolding, hasEnded: () => isOver }
}

async function everyPartitionIsOwned(consumers: TestConsumers, by: readonly TestConsumer[]): Promise<void> {
  const fair = Math.ceil(8 / by.length)
  await until(`${by.length} share the partitions`, async () => {
    const rows = await consumers.test.ask<{ owner: string; count: string }>(
      `select owner, count(*) from flotilla.subscription where owner is not null group by owner`,
    )
    const counts = by.map(({ worker }) => Number(rows.find(({ owner }) => owner === worker.id)?.count ?? 0))
    return counts.every((count) => count <= fair) && counts.reduce((sum, count) => sum + count, 0) === 8
  })
}

const undo = (): Promise<void> => Promise.reject(new Error('undone'))
const keyOf = (number: number): string => `key-${number}`

describe('consumers of the event log', () => {
  for (let seed = 1; seed <= 3; seed++) {
    test(`do everything once and in order, whoever crashes and whatever comes twice (seed ${seed})`, async (consumers, log) => {
      const random = seededRandom(seed)
      const live: TestConsumer[] = []
      const start = async (): Promise<void> => {
        let name = ''
        // The relay is cut off between the log's acknowledgement and the deletion.
        const cutOff = async (): Promise<void> => {
          if (random.next() > 0.1) return
          const kill = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1`
          await consumers.test.ask(kill, [name])
        }
        const consumer = await consumers.start({ log: tellingTwice(log, random, cutOff) })
        name = consumer.instance
        live.push(consumer)
      }
      await start()
      await start()
      const publishing = Array.from({ length: 4 }, async (_, publisher) => {
        for (let n = 0; n < 60; n++) {
          const key = keyOf(randomInteger(random, 12))
          const after = random.next() < 0.1 ? undo : async () => {}
          // One that vanished, or whose connection is cut, publishes nothing: another note.
          await (live[(publisher + n) % live.length] as TestConsumer).publish(key, { after }).catch(() => {})
        }
      })
      for (let round = 0; round < 3; round++) {
        await systemClock.sleep(150)
        await start()
        await live.shift()?.vanish()
      }
      await Promise.all(publishing)
      await consumers.drained()
      // What comes twice would come now.
      await live[0]?.close()
      live.shift()
      await consumers.drained()
      assert.deepEqual(await consumers.applied(), await consumers.published())
    })
  }

  test('share the partitions, take over from one that vanished, and make room for one that comes', async (consumers) => {
    const [one, two] = [await consumers.start(), await consumers.start()]
    await everyPartitionIsOwned(consumers, [one, two])
    const three = await consumers.start()
    await everyPartitionIsOwned(consumers, [one, two, three])
    for (let n = 0; n < 30; n++) await three.publish(keyOf(n % 10))
    await two.vanish()
    await everyPartitionIsOwned(consumers, [one, three])
    for (let n = 0; n < 30; n++) await one.publish(keyOf(n % 10))
    await three.close()
    await everyPartitionIsOwned(consumers, [one])
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), await consumers.published())
  })

  test('share among those who take part: an instance that knows nothing of the group does not count', async (consumers) => {
    await consumers.start({ group: 'another' })
    const one = await consumers.start()
    await until('it has all partitions', async () => {
      const owned = `select from flotilla.subscription where group_name = 'desk' and owner = $1`
      return (await consumers.test.ask(owned, [one.worker.id])).length === 8
    })
  })

  test('refuse the transaction of one that was stopped while another took over', async (consumers, log) => {
    const [first, second] = [holding(log), holding(log)]
    const zombie = await consumers.start({ log: first.log })
    await zombie.publish('a')
    await until('it has the event in its hands', () => first.holds())
    // Its lease is over, as of one whose process is stopped.
    await zombie.worker.close()
    const heir = await consumers.start({ log: second.log })
    await until('the other one has it too', () => second.holds())
    first.goOn()
    await until('the first one gave up', () => first.hasEnded())
    assert.deepEqual(await consumers.applied(), new Map())
    second.goOn()
    await heir.publish('a')
    await consumers.drained()
    await zombie.close()
    assert.deepEqual(await consumers.applied(), await consumers.published())
    const done = await consumers.test.ask('select distinct instance from applied')
    assert.deepEqual(done, [{ instance: heir.instance }])
  })

  test('see nothing of what was published in a transaction that was undone', async (consumers) => {
    const one = await consumers.start()
    await assert.rejects(one.publish('a', { after: undo }), /undone/)
    await one.publish('a')
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), new Map([['a', [1]]]))
  })

  test('come to everything that is kept in a new group', async (consumers) => {
    const one = await consumers.start()
    for (let n = 0; n < 40; n++) await one.publish(keyOf(n % 7))
    await consumers.drained()
    await consumers.start({ group: 'later' })
    await consumers.drained(20_000, 'later')
    assert.deepEqual(await consumers.applied('later'), await consumers.published())
  })

  test('say loudly that they missed events which the log had forgotten', async (consumers, log, again) => {
    const one = await consumers.start()
    await one.publish('a')
    await consumers.drained()
    await one.close()
    const publisher = await consumers.start({ group: 'another' })
    for (let n = 0; n < 5; n++) await publisher.publish('a')
    await consumers.drained(20_000, 'another')
    while ((await log.prune(0)) > 0) {
      // There is more.
    }
    // Without the log's memory of what is new.
    const late = await consumers.start({ log: await again() })
    await until('it says so', () => late.told.missed === 1)
    assert.ok(late.lines.some(({ level, message }) => level === 'error' && message.includes('missed events')))
    const missed = await consumers.test.ask(
      `select from flotilla.subscription where group_name = 'desk' and missed_up_to is not null`,
    )
    assert.equal(missed.length, 8)
    await late.publish('a')
    await until('it goes on', async () => (await consumers.applied()).get('a')?.at(-1) === 7)
    assert.deepEqual((await consumers.applied()).get('a'), [1, 7])
  })

  test('tell that they cannot go on when that has lasted, and when they can', async (consumers, log) => {
    const away = { isAway: true, asked: 0 }
    const one = await consumers.start({ log: comingAndGoing(log, away) })
    const told = () => one.lines.map(({ level, message }) => `${level} ${message}`)
    await one.publish('a')
    await until('it was asked in vain', () => away.asked >= 2)
    away.isAway = false
    await consumers.drained()
    assert.deepEqual(told(), [])
    away.isAway = true
    await one.publish('b')
    await until('it is told', () => told().length === 1)
    away.isAway = false
    await until('it goes on', () => told().length === 2)
    assert.deepEqual(told(), ['warn group desk cannot go on; trying again', 'info group desk goes on'])
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), await consumers.published())
  })

  test('tell how far they are behind', async (consumers) => {
    const one = await consumers.start()
    await one.publish('a')
    await consumers.drained()
    await until('the lag is known', () => one.told.lag === 0)
  })

  test('run a reaction again that a concurrent change got in the way of', async (consumers) => {
    let isFirst = true
    const one = await consumers.start({
      async react(_: Envelope, tx) {
        if (!isFirst) return
        isFirst = false
        await tx.execute(sql`do $$ begin raise sqlstate '40001'; end $$`)
      },
    })
    await one.publish('a')
    await consumers.drained()
    assert.deepEqual(await consumers.applied(), new Map([['a', [1]]]))
    assert.deepEqual([one.told.handled, one.told.parked], [1, 0])
  })
})
