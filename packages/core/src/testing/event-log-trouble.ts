/**
 * What event logs must do when things happen at the same time, or go wrong.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { PARTITIONS } from '../events/envelope.ts'
import type { EventLog } from '../events/log.ts'
import { systemClock } from '../kernel/clock.ts'
import { type Random, randomInteger, seededRandom } from '../kernel/random.ts'
import {
  appendUntilDone,
  assertGrowing,
  type Cleaning,
  type EventLogFixture,
  everythingIn,
  follow,
  idsOf,
  isOf,
  type Open,
  type TestSources,
  test,
  testEvent,
} from './event-log-fixture.ts'

/** Followers that come while appenders append. */
async function race(t: Cleaning, fixture: EventLogFixture, source: string, random: Random): Promise<void> {
  const logs = [await fixture.open(), await fixture.open()]
  const logOf = (index: number): EventLog => logs[index % logs.length] as EventLog
  const appended: string[] = []
  const appender = async (index: number): Promise<void> => {
    for (let round = 0; round < 12; round++) {
      const events = Array.from({ length: 1 + randomInteger(random, 5) }, () =>
        testEvent(source, { key: `key-${randomInteger(random, 20)}` }),
      )
      await logOf(index).append(source, 0, events)
      appended.push(...events.map(({ id }) => id))
    }
  }
  const appending = Promise.all(Array.from({ length: 8 }, (_, index) => appender(index)))
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition)
  const followers = Array.from({ length: 6 }, (_, index) => {
    const wanted = partitions.filter((partition) => index < 2 || partition % 3 === index % 3)
    const positions = Object.fromEntries(wanted.map((partition) => [partition, 0]))
    return { wanted, follower: follow(t, logOf(index), { positions, limit: 1 + randomInteger(random, 50) }) }
  })
  await appending
  const { position } = await logOf(0).head()
  await Promise.all(followers.map(({ follower }) => follower.reaches(position)))
  const all = await everythingIn(logOf(1))
  assert.deepEqual([...idsOf(all)].sort(), appended.sort())
  assertGrowing(all)
  for (const { wanted, follower } of followers) {
    assert.deepEqual(idsOf(follower.seen), idsOf(all.filter(isOf(wanted))))
    await follower.stop()
  }
}

/** Registers the tests of what happens when things happen at the same time, or go wrong. */
export function testTrouble(sources: TestSources, open: Open): void {
  for (let seed = 1; seed <= 4; seed++) {
    test(`tells every follower everything in order, whoever appends at the same time and where (seed ${seed})`, async (t) =>
      race(t, await open(t), sources[0], seededRandom(seed)))
  }
  testBreaking(sources, open)
  testForgetting(sources, open)
}

function testBreaking([source]: TestSources, open: Open): void {
  test('loses nothing when connections break', async (t) => {
    const fixture = await open(t)
    const [log, second] = [await fixture.open(), await fixture.open()]
    const followers = [follow(t, log), follow(t, second)]
    const acknowledged: string[] = []
    let isOver = false
    const appender = async (index: number): Promise<void> => {
      const its = index % 2 === 0 ? log : second
      for (let n = 0; !isOver; n++) {
        const event = testEvent(source, { key: `key-${index}`, data: n })
        await appendUntilDone(its, source, [event])
        acknowledged.push(event.id)
      }
    }
    const appending = Promise.all([0, 1, 2, 3].map(appender))
    for (let round = 0; round < 8; round++) {
      await fixture.breakConnections()
      await systemClock.sleep(40)
    }
    isOver = true
    await appending
    const { position } = await log.head()
    const all = await everythingIn(log)
    assertGrowing(all)
    const kept = new Set(idsOf(all))
    assert.ok(acknowledged.length > 0)
    assert.ok(acknowledged.every((id) => kept.has(id)))
    // The first copies of a producer's events are in its order.
    for (let index = 0; index < 4; index++) {
      const numbers = all
        .filter(({ event }) => event.key === `key-${index}`)
        .map(({ event }) => Number(event.data))
      assert.deepEqual(
        [...new Set(numbers)],
        [...new Set(numbers)].toSorted((a, b) => a - b),
      )
    }
    for (const follower of followers) {
      await follower.reaches(position)
      assert.deepEqual(idsOf(follower.seen), idsOf(all))
    }
  })
}

function testForgetting([source]: TestSources, open: Open): void {
  test('tells a follower that it comes too late for what is forgotten', async (t) => {
    const fixture = await open(t)
    const log = await fixture.open()
    const old = Array.from({ length: 20 }, () => testEvent(source))
    await log.append(source, 0, old)
    const before = await log.head()
    assert.equal(before.oldest, before.position - 19)
    await fixture.forget()
    assert.deepEqual(await log.head(), { position: before.position, oldest: before.position + 1 })
    const fresh = testEvent(source)
    const other = await fixture.open()
    await other.append(source, 0, [fresh])
    const { position } = await other.head()
    for (const from of [0, before.oldest]) {
      const follower = follow(t, other, { from })
      await follower.reaches(position)
      assert.deepEqual(follower.ids.slice(-1), [fresh.id])
      // One that had them in its memory may tell them still.
      if (follower.seen.length === 1) assert.equal(follower.forgottenUpTo, before.position)
    }
    const upToDate = follow(t, other, { from: before.position })
    await upToDate.reaches(position)
    assert.deepEqual([upToDate.ids, upToDate.forgottenUpTo], [[fresh.id], undefined])
  })
}
