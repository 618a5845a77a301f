/**
 * What the tests of event logs have in common.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Envelope } from '../events/envelope.ts'
import type { EventLog, LoggedEvent } from '../events/log.ts'
import { systemClock } from '../kernel/clock.ts'
import { Closing } from '../kernel/closing.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { type FollowerOptions, TestFollower } from './event-log-follower.ts'

/** One log, empty, for one test. */
export interface EventLogFixture {
  /** A way to the log; where the log can have several instances, another one at each call. */
  open(): Promise<EventLog>
  /** Breaks all connections that there are to what keeps the events, once. */
  breakConnections(): Promise<void>
  /** Makes the log forget all it has. */
  forget(): Promise<void>
}

/** Two sources whose events may be appended. */
export type TestSources = readonly [string, string]

/** What ends with a test. */
export interface Cleaning {
  after(cleanUp: () => Promise<void>): void
}

/** Makes ids. */
export const newId = createIds(systemClock, systemRandom)

/** An event of `source`. */
export function testEvent(source: string, fields: Partial<Envelope> = {}): Envelope {
  return {
    id: newId(),
    type: `${source}.happened`,
    version: 1,
    source,
    time: '2026-11-20T10:00:00.000Z',
    key: 'k',
    correlationId: 'c',
    causationId: null,
    traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`,
    data: { n: 1 },
    ...fields,
  }
}

/** Appends, and again while the log is away. */
export async function appendUntilDone(
  log: EventLog,
  source: string,
  events: readonly Envelope[],
): Promise<void> {
  for (;;) {
    try {
      return await log.append(source, 0, events)
    } catch (error) {
      if (!isFlotillaError(error) || error.code !== 'unavailable') throw error
      await systemClock.sleep(20)
    }
  }
}

/** All that is in the log. */
export async function everythingIn(log: EventLog): Promise<readonly LoggedEvent[]> {
  const follower = new TestFollower(log)
  const { position } = await log.head()
  await follower.reaches(position)
  await follower.stop()
  return follower.seen
}

/** Which they are. */
export const idsOf = (events: readonly LoggedEvent[]): readonly string[] =>
  events.map(({ event }) => event.id)
/** True of events in one of the partitions. */
export const isOf = (partitions: readonly number[]) => (one: LoggedEvent) =>
  partitions.includes(one.partition)
/** True of the error with this code, and this reason if it is given. */
export const refusal = (code: string, reason?: string) => (error: unknown) =>
  isFlotillaError(error) && error.code === code && (reason === undefined || error.reason === reason)

/** No position follows a higher one. */
export function assertGrowing(events: readonly LoggedEvent[]): void {
  for (const [index, { position }] of events.entries())
    assert.ok(position > (events[index - 1]?.position ?? 0), `position ${position} follows a lower one`)
}

/** Makes a fixture whose parts end with the test. */
export type Open = (t: Cleaning) => Promise<EventLogFixture>

/** A test whose parts end in reverse order: followers before the log, the log before its database. */
export function test(name: string, body: (t: Cleaning) => Promise<void>): void {
  it(name, async (t) => {
    const closing = new Closing(systemClock, 30_000)
    t.after(() => closing.close())
    await body({ after: (cleanUp) => closing.defer('part', cleanUp) })
  })
}

/** Starts a follower that ends with the test. */
export function follow(t: Cleaning, log: EventLog, options?: FollowerOptions): TestFollower {
  const follower = new TestFollower(log, options)
  t.after(() => follower.stop())
  return follower
}
