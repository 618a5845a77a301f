import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { defineContract } from '../contract/contract.ts'
import { event } from '../contract/event.ts'
import { Type } from '../contract/schema.ts'
import { systemClock } from '../kernel/clock.ts'
import type { Database } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import { sqlFailureOf } from '../store/pg-errors.ts'
import type { Queries } from '../store/queries.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'
import {
  abandonBuilding,
  compareWithBuilding,
  contentHash,
  readViews,
  rebuildView,
  type Standing,
  switchView,
  type ViewRow,
} from './generations.ts'
import { defineView, fold, generationSchema, type ToldEvent, type View } from './view.ts'
import { type ViewConsumers, ViewRunner } from './view-runner.ts'

const { events } = defineContract({
  name: 'orders',
  version: 1,
  summary: '',
  operations: {},
  events: {
    sold: event({
      version: 1,
      key: 'sku',
      summary: '',
      data: Type.Object({ sku: Type.String(), quantity: Type.Integer() }),
    }),
    returned: event({ version: 1, key: 'sku', summary: '', data: Type.Object({ sku: Type.String() }) }),
    noted: event({ version: 1, key: 'sku', summary: '', data: Type.Object({ sku: Type.String() }) }),
  },
})

const tables = [
  sql`create table popular (sku text primary key, sold integer not null, last_at timestamptz(3) not null)`,
  sql`create table told (event_id text primary key)`,
  sql`create index on popular (sold)`,
]

/** How often each article was sold; `told` counts every event once, and breaks at a repeat. */
function popularOf(version: number, perSale = 1): View {
  return defineView({
    name: 'popular',
    version,
    tables,
    on: [
      fold(events.sold, async (sold, tx) => {
        for (const { id, time, data } of sold) {
          await tx.execute(sql`insert into told values (${id})`)
          await tx.execute(sql`
            insert into popular as p values (${data.sku}, ${data.quantity * perSale}, ${time})
            on conflict (sku) do update set sold = p.sold + excluded.sold, last_at = excluded.last_at`)
        }
      }),
      fold(events.returned, async (returned, tx) => {
        await tx.execute(sql`insert into told select unnest(${returned.map(({ id }) => id)}::text[])`)
        for (const { data } of returned)
          await tx.execute(sql`update popular set sold = 0 where sku = ${data.sku}`)
      }),
    ],
  })
}

const popular = popularOf(1)
/** What a fold gets when its tables are gone. */
const dropped = new Set(['42P01', '3F000'])
const PARTITIONS = 3

type Handle = (told: readonly ToldEvent[], tx: Transaction) => Promise<void>

/** A log in memory, and consumers of it who keep their positions in the database, as those of the platform do. */
class TestLog implements ViewConsumers {
  readonly events: ToldEvent[] = []
  readonly groups = new Map<string, Handle>()
  readonly #session: Session
  /** Undoes the batches of these groups at the last moment. */
  readonly failing = new Set<string>()
  /** Up to where a group was told that events are forgotten. */
  readonly missed = new Map<string, number>()

  constructor(session: Session) {
    this.#session = session
  }

  append(type: 'sold' | 'returned' | 'noted', sku: string, quantity = 1): void {
    const data = type === 'sold' ? { sku, quantity } : { sku }
    const number = this.events.length + 1
    const time = new Date(Date.UTC(2026, 0, 1) + number).toISOString()
    this.events.push({ id: `e${number}`, type: `orders.${type}`, version: 1, key: sku, time, data })
  }

  open(group: string, topics: readonly string[], handle: Handle) {
    assert.ok(!this.groups.has(group))
    this.groups.set(group, (told, tx) =>
      handle(
        told.filter(({ type }) => topics.includes(type)),
        tx,
      ),
    )
    return { close: async () => void this.groups.delete(group) }
  }

  /** One batch of at most `limit` events of one partition; false when there was none. */
  async step(group: string, partition: number, limit = 4): Promise<boolean> {
    const handle = this.groups.get(group)
    if (handle === undefined) return false
    return this.#session.transaction(async (tx) => {
      await tx.execute(
        sql`insert into public.standing values (${group}, ${partition}, 0) on conflict do nothing`,
      )
      const row = await tx.maybe<{ position: number }>(sql`
        select position from public.standing where group_name = ${group} and partition = ${partition} for update`)
      // Forgotten in the meantime.
      if (row === undefined) return false
      const next = this.events
        .map((told, index) => ({ told, at: index + 1 }))
        .filter(
          ({ told, at }) => at > row.position && Number.parseInt(told.key, 36) % PARTITIONS === partition,
        )
        .slice(0, limit)
      const last = next.length < limit ? undefined : next.at(-1)
      const upTo = last?.at ?? this.events.length
      await tx.execute(sql`
        update public.standing set position = ${upTo} where group_name = ${group} and partition = ${partition}`)
      await handle(
        next.map(({ told }) => told),
        tx,
      )
      if (this.failing.has(group)) throw new Error('down')
      return next.length > 0
    })
  }

  /** Until every group has everything. */
  async drain(): Promise<void> {
    for (const group of this.groups.keys()) {
      for (let partition = 0; partition < PARTITIONS; partition++)
        while (await this.step(group, partition)) {}
    }
  }

  /** Consumes all the time, until told to stop; each partition of each group by itself. */
  pump(): () => Promise<void> {
    let isOver = false
    const running = new Map<string, Promise<void>>()
    const turn = async (group: string, partition: number) => {
      await this.step(group, partition, 20).catch((error: unknown) => {
        // The generation was dropped under it; the consumers of the platform find themselves fenced.
        if (this.groups.has(group) && !dropped.has(sqlFailureOf(error)?.sqlState ?? '')) throw error
      })
      running.delete(`${group} ${partition}`)
    }
    const loop = async () => {
      while (!isOver) {
        for (const group of this.groups.keys()) {
          for (let partition = 0; partition < PARTITIONS; partition++) {
            const name = `${group} ${partition}`
            if (!running.has(name)) running.set(name, turn(group, partition))
          }
        }
        await systemClock.sleep(1)
      }
      await Promise.all(running.values())
    }
    const looping = loop()
    return () => {
      isOver = true
      return looping
    }
  }

  async standing(tx: Transaction, group: string, isHeld: boolean): Promise<Standing> {
    const rows = await tx.many<{ partition: number; position: number }>(sql`
      select partition, position from public.standing where group_name = ${group} ${isHeld ? sql`for update` : sql``}`)
    const { parked } = await tx.one<{ parked: number }>(sql`
      select count(*)::int as parked from public.parked where group_name = ${group}`)
    const positions = new Map(rows.map(({ partition, position }) => [partition, position]))
    return { positions, parked, missedUpTo: this.missed.get(group) ?? 0 }
  }

  async forget(tx: Transaction, group: string): Promise<void> {
    await tx.execute(sql`delete from public.standing where group_name = ${group}`)
    await tx.execute(sql`delete from public.parked where group_name = ${group}`)
  }
}

interface Opened {
  readonly test: TestDatabase
  readonly database: Database
  readonly session: Session
  readonly log: TestLog
}

async function open(t: TestContext): Promise<Opened> {
  const test = await openTestDatabase(t)
  await migrate(test.url, [platformMigrations])
  await test.ask(
    'create table public.standing (group_name text, partition int, position bigint, primary key (group_name, partition))',
  )
  await test.ask('create table public.parked (group_name text)')
  const database = test.open({ poolMax: 10 })
  const session = database.session(testCall(120_000))
  return { test, database, session, log: new TestLog(session) }
}

async function start({ session, log }: Opened, ...views: readonly View[]): Promise<ViewRunner> {
  const runner = new ViewRunner(views, log)
  await runner.ensure(session)
  await runner.look(session)
  return runner
}

/** What queries see. */
const shown = (queries: Queries) =>
  queries.many<{ sku: string; sold: number }>(sql`select sku, sold from view_popular.popular order by sku`)
const toldCount = async (queries: Queries) =>
  (await queries.one<{ n: number }>(sql`select count(*)::int as n from view_popular.told`)).n
const generation = (number: number) => generationSchema('popular', number)

const rowOf = (
  live: number,
  liveVersion: number,
  building: number | null,
  buildingVersion: number | null,
) => ({
  name: 'popular',
  live,
  liveVersion,
  building,
  buildingVersion,
  lastGeneration: building ?? live,
})

describe('defineView', () => {
  it('refuses a name that could be taken for a generation of another view, and two folds of one type', () => {
    for (const name of ['a__1', 'A', 'a_', '', `a${'b'.repeat(40)}`])
      assert.throws(() => defineView({ ...popular, name }), /is no name of a view/)
    assert.throws(() => defineView({ ...popular, version: 0 }), /needs a version/)
    assert.throws(() => defineView({ ...popular, on: [...popular.on, ...popular.on] }), /folds a type twice/)
  })
})

describe('a view', () => {
  it('is live at once, empty, and follows its events', async (t) => {
    const opened = await open(t)
    const { session, log } = opened
    await start(opened, popular)
    assert.deepEqual(await shown(session), [])
    log.append('sold', '1', 2)
    log.append('noted', '1')
    log.append('sold', '1', 3)
    log.append('sold', '2', 7)
    log.append('returned', '2')
    await log.drain()
    assert.deepEqual(await shown(session), [
      { sku: '1', sold: 5 },
      { sku: '2', sold: 0 },
    ])
    assert.deepEqual(await readViews(session), [rowOf(1, 1, null, null)])
  })

  it('changes with its position or not at all', async (t) => {
    const opened = await open(t)
    const { session, log } = opened
    await start(opened, popular)
    log.append('sold', '1')
    log.append('sold', '1')
    log.failing.add(generation(1))
    await assert.rejects(log.step(generation(1), 1), /down/)
    assert.deepEqual(await shown(session), [])
    log.failing.clear()
    await log.drain()
    assert.deepEqual(await shown(session), [{ sku: '1', sold: 2 }])
  })

  it('is created once when several instances start at the same time', async (t) => {
    const opened = await open(t)
    const { session, log } = opened
    await Promise.all([1, 2, 3, 4].map(() => new ViewRunner([popular], log).ensure(session)))
    assert.deepEqual(await readViews(session), [rowOf(1, 1, null, null)])
    await Promise.all([1, 2, 3, 4].map(() => new ViewRunner([popularOf(2)], log).ensure(session)))
    assert.deepEqual(await readViews(session), [rowOf(1, 1, 2, 2)])
  })

  it('is built anew beside the live one when its version changes, and switched when it has caught up', async (t) => {
    const opened = await open(t)
    const { session, log, test } = opened
    const before = await start(opened, popular)
    for (let n = 0; n < 9; n++) log.append('sold', `${n % 3}`)
    await log.drain()
    // The old code still runs, and folds its own.
    const after = await start(opened, popularOf(2, 10))
    assert.deepEqual([...log.groups.keys()], [generation(1), generation(2)])
    await log.step(generation(2), 0)
    await log.step(generation(2), 1)
    await after.look(session)
    assert.deepEqual(await readViews(session), [rowOf(1, 1, 2, 2)], 'partition 2 is behind')
    assert.deepEqual(
      (await shown(session)).map(({ sold }) => sold),
      [3, 3, 3],
    )
    log.append('sold', '0')
    await log.step(generation(1), 0)
    await log.step(generation(2), 2)
    await after.look(session)
    assert.deepEqual(await readViews(session), [rowOf(1, 1, 2, 2)], 'the live one has gone on')
    await log.step(generation(2), 0)
    await before.look(session)
    assert.equal(
      (await readViews(session))[0]?.live,
      1,
      'the old code does not switch to what it does not know',
    )
    await after.look(session)
    assert.deepEqual(await readViews(session), [rowOf(2, 2, null, null)])
    assert.deepEqual(
      (await shown(session)).map(({ sold }) => sold),
      [40, 30, 30],
    )
    await before.look(session)
    assert.deepEqual([...log.groups.keys()], [generation(2)])
    log.append('sold', '0')
    await log.drain()
    assert.equal((await shown(session))[0]?.sold, 50)
    const left = `select nspname::text as name from pg_namespace where nspname like 'view%' order by 1`
    assert.deepEqual(await test.ask(left), [{ name: 'view_popular' }, { name: 'view_popular__2' }])
    assert.deepEqual(
      await test.ask(`select 1 from public.standing where group_name = '${generation(1)}'`),
      [],
    )
  })

  it('holds the live one still while it switches', async (t) => {
    const opened = await open(t)
    const { session, log, test } = opened
    const runner = await start(opened, popular)
    log.append('sold', '0')
    await rebuildView(session, popular)
    await log.step(generation(1), 0)
    const looks: Promise<boolean>[] = []
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    // After it has caught up, and before the switch, the live one is told another event.
    const meddling = {
      standing: async (tx: Transaction, group: string, isHeld: boolean) => {
        const standing = await log.standing(tx, group, isHeld)
        if (!isHeld) return standing
        log.append('sold', '0')
        let isOver = false
        looks.push(log.step(generation(1), 0).finally(() => (isOver = true)))
        await until('it waits, or does not', async () => isOver || (await test.ask(waiting)).length > 0)
        return standing
      },
      forget: (tx: Transaction, group: string) => log.forget(tx, group),
    }
    await runner.look(session)
    await log.step(generation(2), 0, 1)
    assert.equal((await readViews(session))[0]?.live, 1)
    assert.equal(await switchView(session, 'popular', meddling), true)
    assert.deepEqual(await Promise.all(looks), [false], 'the live one was forgotten before it could go on')
    assert.equal(await toldCount(session), 1)
  })

  it('does not become live while it misses an event that it could not fold', async (t) => {
    const opened = await open(t)
    const { session, log, test } = opened
    await start(opened, popular)
    log.append('sold', '1')
    const runner = await start(opened, popularOf(2))
    await log.drain()
    await test.ask(`insert into public.parked values ('${generation(2)}')`)
    await runner.look(session)
    assert.equal((await readViews(session))[0]?.live, 1)
    await test.ask('delete from public.parked')
    await runner.look(session)
    assert.equal((await readViews(session))[0]?.live, 2)
  })

  it('does not become live while it lacks events that the log had forgotten, unless the live one lacks them too', async (t) => {
    const opened = await open(t)
    const { session, log } = opened
    await start(opened, popular)
    log.append('sold', '1')
    const runner = await start(opened, popularOf(2))
    await log.drain()
    log.missed.set(generation(2), 7)
    await runner.look(session)
    assert.equal((await readViews(session))[0]?.live, 1)
    log.missed.set(generation(1), 7)
    await runner.look(session)
    assert.equal((await readViews(session))[0]?.live, 2)
  })

  it('gives up what another version was building', async (t) => {
    const opened = await open(t)
    const { session, log, test } = opened
    await start(opened, popular)
    const second = await start(opened, popularOf(2))
    const third = await start(opened, popularOf(3))
    await second.look(session)
    assert.deepEqual(await readViews(session), [rowOf(1, 1, 3, 3)])
    assert.deepEqual([...log.groups.keys()].sort(), [generation(1), generation(3)])
    // An instance of the old code that starts again has what it needs.
    await start({ ...opened, log: new TestLog(session) }, popular)
    assert.deepEqual(await readViews(session), [rowOf(1, 1, 3, 3)])
    await abandonBuilding(session, 'popular', log)
    await third.look(session)
    assert.deepEqual(await readViews(session), [{ ...rowOf(1, 1, null, null), lastGeneration: 3 }])
    assert.deepEqual(
      await test.ask(`select 1 from pg_namespace where nspname in ('${generation(2)}', '${generation(3)}')`),
      [],
    )
  })

  it('serves queries all the time while generations are built and switched, and never shows the past', async (t) => {
    const opened = await open(t)
    const { session, log, database } = opened
    const runner = await start(opened, popular)
    const stopPumping = log.pump()
    let isOver = false
    let reads = 0
    const reader = async () => {
      const own = database.session(testCall(60_000))
      let last = 0
      while (!isOver) {
        const now = await toldCount(own)
        assert.ok(now >= last, `${now} after ${last}`)
        last = now
        reads++
      }
    }
    const writer = async () => {
      while (!isOver) {
        log.append('sold', `${log.events.length % 7}`)
        await systemClock.sleep(1)
      }
    }
    const all = Promise.all([reader(), reader(), writer()])
    try {
      for (let number = 2; number <= 4; number++) {
        await rebuildView(session, popular)
        await until(`generation ${number} is live`, async () => isLive(opened, runner, number))
      }
    } finally {
      isOver = true
      await stopPumping()
      await all
    }
    await log.drain()
    assert.equal(await toldCount(session), log.events.length)
    assert.ok(reads > 100, `${reads} reads`)
  })

  it('is, after any course of things, what its rebuild is: the fold of all events', async (t) => {
    const opened = await open(t)
    const { session, log } = opened
    const runner = await start(opened, popular)
    const append = fc.record({
      kind: fc.constant('append' as const),
      type: fc.constantFrom('sold' as const, 'returned' as const, 'noted' as const),
      sku: fc.constantFrom('0', '1', '2', '3', '4', '5'),
      quantity: fc.integer({ min: 1, max: 5 }),
    })
    const step = fc.record({
      kind: fc.constant('step' as const),
      isYoung: fc.boolean(),
      partition: fc.nat(PARTITIONS - 1),
      limit: fc.integer({ min: 1, max: 5 }),
      isFailing: fc.integer({ min: 0, max: 4 }).map((n) => n === 0),
    })
    const other = fc.record({ kind: fc.constantFrom('look' as const, 'rebuild' as const) })
    const move: fc.Arbitrary<Move> = fc.oneof(
      { weight: 5, arbitrary: append },
      { weight: 5, arbitrary: step },
      { weight: 2, arbitrary: other },
    )
    const course = fc.array(move, { minLength: 10, maxLength: 50 })
    const law = fc.asyncProperty(course, async (moves) => {
      let seen = await toldCount(session)
      for (const one of moves) {
        await play(opened, runner, one)
        const now = await toldCount(session)
        assert.ok(now >= seen, `${now} after ${seen}`)
        seen = now
      }
      await log.drain()
      await runner.look(session)
      assert.deepEqual(await shown(session), modelOf(log.events))
      await rebuildView(session, popular)
      assert.equal(await compareWithBuilding(session, 'popular', log), undefined, 'it has not begun')
      await runner.look(session)
      await log.drain()
      const comparison = await compareWithBuilding(session, 'popular', log)
      assert.equal(comparison?.isSame, true, JSON.stringify(comparison))
      const { building } = (await readViews(session))[0] as ViewRow
      assert.equal(comparison?.building, await contentHash(session, generation(building as number)))
      assert.ok(await isLive(opened, runner, building as number))
    })
    await fc.assert(law, { numRuns: 6 })
  })

  it('tells by its hash when a row is another one, whatever the order of rows', async (t) => {
    const opened = await open(t)
    const { session, log, test } = opened
    await start(opened, popular)
    for (const sku of ['0', '1', '2']) log.append('sold', sku)
    await log.drain()
    const before = await contentHash(session, generation(1))
    await test.ask(`update ${generation(1)}.popular set sold = sold where sku = '0'`)
    assert.equal(await contentHash(session, generation(1)), before)
    await test.ask(`update ${generation(1)}.popular set sold = 2 where sku = '0'`)
    assert.notEqual(await contentHash(session, generation(1)), before)
    assert.notEqual(await contentHash(session, generation(1)), await contentHash(session, 'public'))
  })
})

/** Looks, and then whether the generation is live. */
async function isLive({ session }: Opened, runner: ViewRunner, number: number): Promise<boolean> {
  await runner.look(session)
  return (await readViews(session))[0]?.live === number
}

/** One move of a course of things. */
type Move =
  | {
      readonly kind: 'append'
      readonly type: 'sold' | 'returned' | 'noted'
      readonly sku: string
      readonly quantity: number
    }
  | {
      readonly kind: 'step'
      readonly isYoung: boolean
      readonly partition: number
      readonly limit: number
      readonly isFailing: boolean
    }
  | { readonly kind: 'look' | 'rebuild' }

async function play({ session, log }: Opened, runner: ViewRunner, move: Move): Promise<void> {
  if (move.kind === 'append') return log.append(move.type, move.sku, move.quantity)
  const { live, building } = (await readViews(session))[0] as ViewRow
  if (move.kind !== 'step') {
    if (move.kind === 'rebuild' && building === null) await rebuildView(session, popular)
    return runner.look(session)
  }
  const group = generation(move.isYoung ? (building ?? live) : live)
  if (move.isFailing) log.failing.add(group)
  const stepped = log.step(group, move.partition, move.limit)
  await (move.isFailing ? assert.rejects(stepped, /down/) : stepped)
  log.failing.clear()
}

/** The view by the definition of it. */
function modelOf(told: readonly ToldEvent[]) {
  const sold = new Map<string, number>()
  for (const { type, data } of told) {
    const { sku, quantity = 0 } = data as { sku: string; quantity?: number }
    if (type === 'orders.sold') sold.set(sku, (sold.get(sku) ?? 0) + quantity)
    else if (type === 'orders.returned' && sold.has(sku)) sold.set(sku, 0)
  }
  return [...sold].sort(([a], [b]) => (a < b ? -1 : 1)).map(([sku, count]) => ({ sku, sold: count }))
}
