/**
 * What every event log must do, as tests: the promises of `events/log.ts`, one by one.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { DATA_BYTES_MAX, type Envelope, partitionOf } from '../events/envelope.ts'
import { APPEND_EVENTS_MAX } from '../events/log.ts'
import {
  assertGrowing,
  everythingIn,
  follow,
  idsOf,
  newId,
  type Open,
  refusal,
  type TestSources,
  test,
  testEvent,
} from './event-log-fixture.ts'
import { positionsAt, TestFollower } from './event-log-follower.ts'
import { testTrouble } from './event-log-trouble.ts'

/** Registers the tests for the log that `open` makes. */
export function testEventLog(name: string, sources: TestSources, open: Open): void {
  describe(`${name} as an event log`, () => {
    testAppending(sources, open)
    testRefusing(sources, open)
    testFollowing(sources, open)
    testKeepingUp(sources, open)
    testTrouble(sources, open)
  })
}

function testAppending([source]: TestSources, open: Open): void {
  test('keeps what it acknowledged, as it was', async (t) => {
    const fixture = await open(t)
    const data = { text: 'ü "quoted" \\ \n {1,2}', list: [1, null, { deep: [] }], none: null }
    const events = [
      testEvent(source, { data, key: 'a,"b"' }),
      testEvent(source, { data: null, causationId: newId(), version: 3 }),
      testEvent(source, { data: 'text' }),
    ]
    await (await fixture.open()).append(source, 0, events)
    const found = await everythingIn(await fixture.open())
    assert.deepEqual(
      found.map(({ event }) => event),
      events,
    )
    assert.deepEqual(
      found.map(({ partition }) => partition),
      events.map(({ key }) => partitionOf(key)),
    )
  })

  test('keeps order and batches of eight that append at once', async (t) => {
    const log = await (await open(t)).open()
    const follower = follow(t, log)
    const appender = async (key: string): Promise<void> => {
      for (let n = 0; n < 60; n += 3) {
        await log.append(
          source,
          0,
          [n, n + 1, n + 2].map((data) => testEvent(source, { key, data })),
        )
      }
    }
    const keys = Array.from({ length: 8 }, (_, index) => `key-${index}`)
    await Promise.all(keys.map(appender))
    const { position } = await log.head()
    await follower.reaches(position)
    assertGrowing(follower.seen)
    for (const key of keys) {
      const its = follower.seen.filter(({ event }) => event.key === key)
      assert.deepEqual(
        its.map(({ event }) => event.data),
        Array.from({ length: 60 }, (_, n) => n),
      )
    }
  })

  test('has an event twice that was appended twice', async (t) => {
    const log = await (await open(t)).open()
    const event = testEvent(source)
    await log.append(source, 0, [event])
    await log.append(source, 0, [event])
    assert.deepEqual(idsOf(await everythingIn(log)), [event.id, event.id])
  })
}

function testRefusing([source, other]: TestSources, open: Open): void {
  test('refuses producers that were replaced, whoever they ask', async (t) => {
    const fixture = await open(t)
    const [log, second] = [await fixture.open(), await fixture.open()]
    const [first, later, late, same] = [1, 2, 3, 4].map(() => testEvent(source))
    await log.append(source, 3, [first as Envelope])
    await second.append(source, 4, [later as Envelope])
    for (const one of [log, second])
      await assert.rejects(
        one.append(source, 3, [late as Envelope]),
        refusal('failed_precondition', 'fenced'),
      )
    await log.append(source, 4, [same as Envelope])
    // Numbers of one source say nothing of another.
    const foreign = testEvent(other)
    await log.append(other, 0, [foreign])
    assert.deepEqual(
      idsOf(await everythingIn(log)),
      [first, later, same, foreign].map((event) => event?.id),
    )
  })

  test('refuses what is too large or not its own, and nothing beside it', async (t) => {
    const log = await (await open(t)).open()
    const good = testEvent(source)
    const bad: [readonly Envelope[], string][] = [
      [[good, testEvent(source, { data: 'x'.repeat(DATA_BYTES_MAX) })], 'invalid_argument'],
      [[testEvent(source, { data: 'ü'.repeat(DATA_BYTES_MAX / 2) })], 'invalid_argument'],
      [Array.from({ length: APPEND_EVENTS_MAX + 1 }, () => good), 'invalid_argument'],
      [Array.from({ length: 17 }, () => testEvent(source, { data: 'x'.repeat(64_000) })), 'invalid_argument'],
      [[], 'invalid_argument'],
      [[testEvent(source, { time: '2026-13-20T10:00:00.000Z' })], 'invalid_argument'],
      [[good, testEvent(source, { type: `${other}.happened` })], 'permission_denied'],
      [[testEvent(other)], 'permission_denied'],
    ]
    const largest = testEvent(source, { data: 'x'.repeat(DATA_BYTES_MAX - 2) })
    await Promise.all([
      ...bad.map(([events, code]) => assert.rejects(log.append(source, 0, events), refusal(code))),
      log.append(source, 0, [largest]),
    ])
    assert.deepEqual(idsOf(await everythingIn(log)), [largest.id])
  })

  test('refuses positions that it cannot know', async (t) => {
    const log = await (await open(t)).open()
    await log.append(source, 0, [testEvent(source)])
    const { position } = await log.head()
    const strange = new TestFollower(log, { from: position + 1 })
    await assert.rejects(strange.reaches(position + 1), refusal('failed_precondition', 'beyond_end'))
    await assert.rejects(strange.stop(), refusal('failed_precondition'))
  })
}

function testFollowing([source, other]: TestSources, open: Open): void {
  test('tells again from any position, of the wanted partitions only', async (t) => {
    const log = await (await open(t)).open()
    const events = Array.from({ length: 100 }, (_, n) => testEvent(source, { key: `key-${n}` }))
    await log.append(source, 0, events)
    const all = await everythingIn(log)
    const { position } = await log.head()
    const positions = { 1: all[20]?.position ?? 0, 4: 0, 7: all[70]?.position ?? 0 }
    const follower = follow(t, log, { positions, limit: 7 })
    await follower.reaches(position)
    const wanted = all.filter(
      (one) => one.position > (positions[one.partition as 1 | 4 | 7] ?? Number.POSITIVE_INFINITY),
    )
    assert.deepEqual(follower.seen, wanted)
    assert.ok(wanted.length > 10)
  })

  test('tells of the wanted topics only', async (t) => {
    const log = await (await open(t)).open()
    const types = [`${source}.a`, `${source}.b`, `${other}.a`]
    for (const type of types) {
      const from = type.split('.')[0] as string
      await log.append(from, 0, [testEvent(from, { type })])
    }
    const { position } = await log.head()
    const told = async (...topics: readonly string[]): Promise<readonly string[]> => {
      const follower = follow(t, log, { topics })
      await follower.reaches(position)
      return follower.seen.map(({ event }) => event.type)
    }
    assert.deepEqual(await told('*'), types)
    assert.deepEqual(await told(`${source}.*`), types.slice(0, 2))
    assert.deepEqual(await told(`${source}.b`, `${other}.*`), types.slice(1))
    assert.deepEqual(await told(`${other}.b`), [])
  })

  test('says how far it goes when nothing is wanted', async (t) => {
    const log = await (await open(t)).open()
    const follower = follow(t, log, { topics: [`${other}.happened`] })
    await follower.reaches(0)
    await log.append(source, 0, [testEvent(source), testEvent(source)])
    const { position } = await log.head()
    await follower.reaches(position)
    assert.deepEqual(follower.seen, [])
  })
}

function testKeepingUp([source]: TestSources, open: Open): void {
  test('gives signs of life to who asks for them, and says whether there is more', async (t) => {
    const log = await (await open(t)).open()
    await log.append(source, 0, [testEvent(source), testEvent(source), testEvent(source)])
    const { position } = await log.head()
    const stop = new AbortController()
    t.after(async () => stop.abort())
    const told: unknown[] = []
    const wish = { topics: [`${source}.happened`], positions: positionsAt(0), limit: 2, heartbeatMs: 50 }
    for await (const { events, upTo, isEnd } of log.follow(wish, stop.signal)) {
      told.push([events.length, upTo === position, isEnd])
      if (told.length === 5) break
    }
    // What comes after the end comes of time alone.
    const sign = [0, true, true]
    assert.deepEqual(told, [[2, false, false], [1, true, true], sign, sign, sign])
  })

  test('lets followers be as slow as they like', async (t) => {
    const log = await (await open(t)).open()
    const slow = follow(t, log, { limit: 10, batchMs: 5 })
    const fast = follow(t, log)
    const stop = new AbortController()
    t.after(async () => stop.abort())
    // One that takes the first batch and nothing more.
    await log
      .follow({ topics: ['*'], positions: positionsAt(0) }, stop.signal)
      [Symbol.asyncIterator]()
      .next()
    for (let round = 0; round < 6; round++)
      await log.append(
        source,
        0,
        Array.from({ length: 100 }, (_, n) => testEvent(source, { key: `key-${n}` })),
      )
    const { position } = await log.head()
    await fast.reaches(position)
    assert.equal(fast.seen.length, 600)
    await slow.reaches(position)
    assert.deepEqual(slow.seen, fast.seen)
  })
}
