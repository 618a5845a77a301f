/**
 * One service as the machinery of events sees it: instances that publish, relay and react, on one database and one log,
 * without hosts around them. What reactions did is in the table `applied`, which takes everything, so that nothing is hidden.
 *
 * @module
 */
import { defineContract } from '../contract/contract.ts'
import { event } from '../contract/event.ts'
import { Type } from '../contract/schema.ts'
import type { Envelope } from '../events/envelope.ts'
import { Group } from '../events/group.ts'
import type { GroupMetrics } from '../events/group-options.ts'
import type { EventLog } from '../events/log.ts'
import { Outbox } from '../events/outbox.ts'
import { Relay } from '../events/relay.ts'
import { systemRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { testCall } from './test-call.ts'
import { openTestDatabase, type TestDatabase } from './test-database.ts'
import { openTestInstance, type TestInstance } from './test-instance.ts'
import { until } from './until.ts'

/** The service's contract: notes, numbered from 1 for each key. */
export const desk = defineContract({
  name: 'desk',
  version: 1,
  summary: 'Notes things.',
  operations: {},
  events: {
    noted: event({
      version: 1,
      key: 'key',
      summary: 'Something was noted.',
      data: Type.Object({ key: Type.String(), number: Type.Integer(), text: Type.Optional(Type.String()) }),
    }),
  },
})

/** What a consumer does beside noting that it did it; throws when it cannot. */
export type React = (told: Envelope, tx: Transaction) => Promise<void> | void

/** What was told of a group. */
export interface TestGroupMetrics {
  handled: number
  parked: number
  dead: number
  missed: number
  lag: number
}

/** An instance that publishes, relays and reacts. */
export interface TestConsumer extends TestInstance {
  readonly told: TestGroupMetrics
  /** Publishes the next note of a key. */
  publish(key: string, options?: PublishOptions): Promise<void>
}

/** What becomes of a note. */
export interface PublishOptions {
  /** What is written down. Default nothing. */
  readonly text?: string
  /** What the transaction does after it has published; it fails when this does. Default nothing. */
  readonly after?: () => Promise<void>
}

/** How to start one. */
export interface StartOptions {
  readonly react?: React
  /** Default the service's log. */
  readonly log?: EventLog
  /** Default `desk`. */
  readonly group?: string
}

interface Cleaning {
  after(cleanUp: () => Promise<void>): void
}

/** The service. */
export class TestConsumers {
  readonly test: TestDatabase
  readonly #t: Cleaning
  readonly #log: EventLog

  private constructor(t: Cleaning, test: TestDatabase, log: EventLog) {
    this.#t = t
    this.test = test
    this.#log = log
  }

  static async open(t: Cleaning, log: EventLog): Promise<TestConsumers> {
    const test = await openTestDatabase(t)
    await migrate(test.url, [platformMigrations])
    await test.ask(`create table note (key text primary key, last int not null);
      create table applied (id bigserial, group_name text, key text, number int, instance text)`)
    return new TestConsumers(t, test, log)
  }

  async start({ react, log = this.#log, group = 'desk' }: StartOptions = {}): Promise<TestConsumer> {
    const instance = await openTestInstance(this.#t, this.test, { poolMax: 4 })
    const { database, worker, closing, random, clock, newId, metrics, lines } = instance
    const ports = { clock, random, newId }
    const common = { database, worker, ports, eventLog: log, log: instance.log }
    const relay = new Relay({
      ...common,
      service: desk.name,
      relayed: metrics.counter('relayed', '').with(),
      waiting: metrics.gauge('waiting', '').with(),
      tellOwner() {},
    })
    closing.defer('relay', () => relay.close())
    const outbox = new Outbox(desk.name, ports, () => relay.wake())
    const told: TestGroupMetrics = { handled: 0, parked: 0, dead: 0, missed: 0, lag: Number.NaN }
    const joined = new Group({
      ...common,
      name: group,
      topics: ['desk.*'],
      metrics: countingIn(told),
      async react(events, tx) {
        for (const one of events) {
          const { key, number } = one.data as { key: string; number: number }
          await tx.execute(sql`
            insert into applied (group_name, key, number, instance) values (${group}, ${key}, ${number}, ${instance.instance})`)
          await react?.(one, tx)
        }
      },
    })
    closing.defer('group', () => joined.close())
    const publish = (key: string, { text, after }: PublishOptions = {}): Promise<void> =>
      database.session(testCall()).transaction(async (tx) => {
        const { number } = await tx.one<{ number: number }>(sql`
          insert into note values (${key}, 1) on conflict (key) do update set last = note.last + 1 returning last as number`)
        const cause = {
          trace: TraceContext.start(systemRandom, false),
          correlationId: 'test',
          causationId: null,
        }
        await outbox.publish(
          tx,
          desk.events.noted,
          { key, number, ...(text === undefined ? {} : { text }) },
          cause,
        )
        await after?.()
      })
    return Object.assign(instance, { told, publish, lines })
  }

  /** What a group's reactions have done: the numbers by key, in the order in which they were done. */
  async applied(group = 'desk'): Promise<ReadonlyMap<string, readonly number[]>> {
    const rows = await this.test.ask<{ key: string; numbers: number[] }>(
      'select key, array_agg(number order by id) as numbers from applied where group_name = $1 group by key order by key',
      [group],
    )
    return new Map(rows.map(({ key, numbers }) => [key, numbers]))
  }

  /** What they should have done when nothing is left. */
  async published(): Promise<ReadonlyMap<string, readonly number[]>> {
    const rows = await this.test.ask<{ key: string; last: number }>('select key, last from note order by key')
    return new Map(rows.map(({ key, last }) => [key, Array.from({ length: last }, (_, index) => index + 1)]))
  }

  /** Waits until as many reactions were committed as events were published. */
  async drained(boundMs = 20_000, group = 'desk'): Promise<void> {
    const counts = `select (select count(*) from applied where group_name = $1) as applied, (select sum(last) from note) as noted`
    await until(
      'everything is applied',
      async () => {
        const [row] = await this.test.ask<{ applied: string; noted: string }>(counts, [group])
        return Number(row?.applied) >= Number(row?.noted)
      },
      boundMs,
    )
  }
}

function countingIn(told: TestGroupMetrics): GroupMetrics {
  return {
    handled: () => void told.handled++,
    parked: () => void told.parked++,
    dead: () => void told.dead++,
    missed: () => void told.missed++,
    lag(positions) {
      told.lag = positions
    },
  }
}
