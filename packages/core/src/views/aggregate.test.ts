import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { Money, Type } from '../contract/schema.ts'
import { isFlotillaError } from '../kernel/error.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import type { Session } from '../store/session.ts'
import { sql } from '../store/sql.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { type AggregateSpec, actorOf, defineAggregate, type Loaded } from './aggregate.ts'
import type { NewEvent, PastEvent } from './aggregate-events.ts'

const events = {
  opened: { version: 1, data: Type.Object({ owner: Type.String() }) },
  paid: { version: 1, data: Type.Object({ amount: Money, note: Type.Optional(Type.String()) }) },
} as const

const State = Type.Object({
  owner: Type.Union([Type.String(), Type.Null()]),
  balance: Type.Integer({ minimum: 0 }),
  /** Of every event: its version, time, actor and cause. */
  trail: Type.Array(Type.String()),
})

type Spec = AggregateSpec<typeof State, typeof events>

const spec: Spec = {
  name: 'account',
  state: State,
  stateVersion: 1,
  initial: { owner: null, balance: 0, trail: [] },
  events,
  apply: {
    opened: (state, { owner }, meta) => ({ ...state, owner, trail: [...state.trail, traceOf(meta)] }),
    paid: (state, { amount }, meta) => ({
      ...state,
      balance: state.balance + amount.amount,
      trail: [...state.trail, traceOf(meta)],
    }),
  },
}

const traceOf = ({
  version,
  at,
  actor,
  cause,
}: Pick<PastEvent<typeof events>, 'version' | 'at' | 'actor' | 'cause'>) =>
  `${version} ${at} ${actor.kind}:${actor.id} ${cause}`

const account = defineAggregate(spec)
const origin = { actor: { kind: 'user', id: 'u1' }, cause: 'a test' }
const paid = (amount: number): NewEvent<typeof events> => ({
  type: 'paid',
  data: { amount: { amount, currency: 'EUR' } },
})
const opened: NewEvent<typeof events> = { type: 'opened', data: { owner: 'Ada' } }

async function open(t: TestContext) {
  const test = await openTestDatabase(t)
  await migrate(test.url, [platformMigrations])
  const session = test.open({ poolMax: 8 }).session(testCall(60_000))
  return { test, session }
}

/** In a transaction of its own. */
function appendTo(session: Session, id: string, news: readonly NewEvent<typeof events>[], to = account) {
  return session.transaction(async (tx) => to.append(tx, await to.load(tx, id), news, origin))
}

/** The state by the definition of it: all events, one after the other, from the beginning. */
function folded(past: readonly PastEvent<typeof events>[]) {
  return past.reduce((state, event) => {
    if (event.type === 'opened') return spec.apply.opened(state, event.data, event)
    return spec.apply.paid(state, event.data, event)
  }, spec.initial)
}

const seen = ({ version, state, at }: Loaded<unknown>) => ({ version, state, at })
const expected = (past: readonly PastEvent<typeof events>[]) => ({
  version: past.length,
  state: folded(past),
  at: past.at(-1)?.at,
})

describe('defineAggregate', () => {
  it('refuses an event without an upcast for each version before', () => {
    const kinds = { ...events, paid: { ...events.paid, version: 2 } }
    assert.throws(
      () => defineAggregate({ ...spec, events: kinds }),
      /account\.paid needs an upcast of version 1/,
    )
  })

  it('takes no apply that forgets an event', () => {
    // @ts-expect-error: paid is missing.
    const forgetful: Spec = { ...spec, apply: { opened: spec.apply.opened } }
    assert.equal(forgetful.name, 'account')
  })
})

describe('actorOf', () => {
  it('is the user, else the service, else nobody', () => {
    const user = { id: 'u1', roles: [], scopes: [], tier: 'free' }
    assert.deepEqual(actorOf({ user, service: 'gateway' }), { kind: 'user', id: 'u1' })
    assert.deepEqual(actorOf({ service: 'orders' }), { kind: 'service', id: 'orders' })
    assert.deepEqual(actorOf({}), { kind: 'anonymous', id: '' })
  })
})

describe('Aggregate', () => {
  it('is its initial state before its first event', async (t) => {
    const { session } = await open(t)
    const nothing = { id: 'a1', version: 0, state: spec.initial, at: undefined, snapshotVersion: 0 }
    assert.deepEqual(await account.load(session, 'a1'), nothing)
    assert.deepEqual(await account.asOf(session, 'a1', '2026-01-01T00:00:00.000Z'), nothing)
    assert.deepEqual(await account.history(session, 'a1'), [])
  })

  it('keeps what happened, to whom, by whom and why', async (t) => {
    const { session } = await open(t)
    const after = await appendTo(session, 'a1', [opened, paid(500)])
    assert.deepEqual(await account.load(session, 'a1'), after)
    assert.equal(after.state.balance, 500)
    const past = await account.history(session, 'a1')
    assert.deepEqual(past, [
      { ...opened, version: 1, at: after.at, ...origin },
      { ...paid(500), version: 2, at: after.at, ...origin },
    ])
    assert.deepEqual(await account.history(session, 'a1', { after: 1, limit: 1 }), past.slice(1))
    assert.equal((await account.load(session, 'a2')).version, 0)
  })

  it('goes on with events as they will be read again', async (t) => {
    const { session } = await open(t)
    const note = undefined as unknown as string
    const after = await appendTo(session, 'a1', [{ type: 'paid', data: { ...paid(1).data, note } } as never])
    assert.deepEqual(after, await account.load(session, 'a1'))
    assert.deepEqual((await account.history(session, 'a1'))[0]?.data, paid(1).data)
  })

  it('commits neither an event nor a state that does not fit', async (t) => {
    const { session } = await open(t)
    const wrong = { type: 'paid', data: { amount: { amount: 0.5, currency: 'EUR' } } } as const
    await assert.rejects(appendTo(session, 'a1', [opened, wrong]), /account\.paid is made wrongly/)
    await assert.rejects(appendTo(session, 'a1', [opened, paid(-1)]), /account would become .*balance/)
    await assert.rejects(
      appendTo(session, 'a1', [{ type: 'closed' } as never]),
      /account has no event closed/,
    )
    assert.equal((await account.load(session, 'a1')).version, 0)
  })

  it('is, at any cadence of snapshots, the fold of all its events, now and at every version and time', async (t) => {
    const { session, test } = await open(t)
    const batches = fc.array(fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 12,
    })
    let run = 0
    const law = fc.asyncProperty(batches, fc.integer({ min: 1, max: 9 }), async (amounts, snapshotEvery) => {
      const id = `a${++run}`
      const cadenced = defineAggregate({ ...spec, snapshotEvery })
      for (const batch of amounts) {
        const after = await appendTo(session, id, batch.map(paid), cadenced)
        assert.deepEqual(await cadenced.load(session, id), after)
        assert.ok(after.version - after.snapshotVersion < snapshotEvery)
      }
      const past = await account.history(session, id)
      assert.deepEqual(
        past.map(({ version }) => version),
        past.map((_, index) => index + 1),
      )
      assert.deepEqual(seen(await cadenced.load(session, id)), expected(past))
      for (let version = 0; version <= past.length + 1; version++)
        assert.deepEqual(
          seen(await cadenced.atVersion(session, id, version)),
          expected(past.slice(0, version)),
        )
      const firstMs = Date.parse(past[0]?.at as string)
      const lastMs = Date.parse(past.at(-1)?.at as string)
      for (let ms = firstMs - 1; ms <= lastMs + 1; ms++) {
        const time = new Date(ms).toISOString()
        const until = past.filter(({ at }) => at <= time)
        assert.deepEqual(seen(await cadenced.asOf(session, id, time)), expected(until))
      }
    })
    await fc.assert(law, { numRuns: 25 })
    // Otherwise the law says nothing.
    const [counted] = await test.ask<{ n: number }>(
      'select count(*)::int as n from flotilla.aggregate_snapshot',
    )
    assert.ok((counted?.n ?? 0) > 25)
  })

  it('lets one of those win that append to the same version, and runs the others again', async (t) => {
    const { session } = await open(t)
    const WORKERS = 6
    const EACH = 8
    const worker = async (name: number) => {
      let attempts = 0
      for (let done = 0; done < EACH; ) {
        try {
          await session.transaction(async (tx) => {
            attempts++
            const loaded = await account.load(tx, 'hot')
            await account.append(tx, loaded, [paid(1), paid(2)], {
              ...origin,
              cause: `${loaded.version} ${name}/${done}`,
            })
          })
          done++
        } catch (error) {
          // Five times in a row: the caller would come back.
          if (!isFlotillaError(error) || error.code !== 'aborted') throw error
        }
      }
      return attempts
    }
    const attempts = await Promise.all(Array.from({ length: WORKERS }, (_, name) => worker(name)))
    const past = await account.history(session, 'hot', { limit: 1000 })
    assert.deepEqual(
      past.map(({ version }) => version),
      past.map((_, index) => index + 1),
    )
    assert.equal(past.length, WORKERS * EACH * 2)
    const causes = past.filter(({ version }) => version % 2 === 1).map(({ cause }) => cause)
    assert.equal(new Set(causes).size, WORKERS * EACH)
    for (const [index, { cause }] of past.entries()) assert.equal(cause, causes[Math.floor(index / 2)])
    for (const [index, { version }] of past.filter((_, each) => each % 2 === 0).entries())
      assert.equal(causes[index]?.split(' ')[0], `${version - 1}`)
    assert.ok(past.every(({ at }, index) => at >= (past[index - 1]?.at ?? '')))
    assert.ok(attempts.reduce((sum, n) => sum + n) > WORKERS * EACH, 'they got into each other’s way')
    assert.equal((await account.load(session, 'hot')).state.balance, WORKERS * EACH * 3)
  })

  it('decides anew on what the winner left, in the words of the domain', async (t) => {
    const { session } = await open(t)
    await appendTo(session, 'a1', [opened])
    const versions: number[] = []
    const late = session.transaction(async (tx) => {
      const loaded = await account.load(tx, 'a1')
      versions.push(loaded.version)
      if (loaded.version !== 1) throw new Error('stale version')
      await appendTo(session, 'a1', [paid(1)])
      return account.append(tx, loaded, [paid(2)], origin)
    })
    await assert.rejects(late, /stale version/)
    assert.deepEqual(versions, [1, 2])
    assert.equal((await account.load(session, 'a1')).state.balance, 1)
  })

  it('tells of a conflict when what was loaded is of another transaction, or of the past', async (t) => {
    const { session } = await open(t)
    const before = await account.load(session, 'a1')
    await appendTo(session, 'a1', [opened, paid(1)])
    const past = await account.atVersion(session, 'a1', 1)
    for (const stale of [before, past]) {
      const append = session.transaction((tx) => account.append(tx, stale, [paid(2)], origin))
      await assert.rejects(append, (error) => isFlotillaError(error) && error.code === 'aborted')
    }
    assert.equal((await account.load(session, 'a1')).version, 2)
  })

  it('leaves no gap when a part of the transaction is undone', async (t) => {
    const { session } = await open(t)
    let runs = 0
    const work = session.transaction(async (tx) => {
      runs++
      let loaded = await account.load(tx, 'a1')
      await tx
        .savepoint(async () => {
          loaded = await account.append(tx, loaded, [opened], origin)
          throw new Error('undone')
        })
        .catch(() => 'undone, and the transaction goes on')
      return account.append(tx, loaded, [paid(1)], origin)
    })
    await assert.rejects(work, (error) => isFlotillaError(error) && error.code === 'aborted')
    assert.equal(runs, 5)
    assert.deepEqual(await account.history(session, 'a1'), [])
  })

  it('never goes back in time, whichever transaction began first', async (t) => {
    const { session } = await open(t)
    const after = await session.transaction(async (tx) => {
      await tx.execute(sql`select 1`)
      // Clocks tell milliseconds: the other one must begin in a later one.
      await tx.execute(sql`select pg_sleep(0.003)`)
      const between = await appendTo(session, 'a1', [opened])
      const last = await account.append(tx, await account.load(tx, 'a1'), [paid(1)], origin)
      const [{ now }] = (await tx.many<{ now: string }>(sql`select now()::timestamptz(3) as now`)) as [
        { now: string },
      ]
      assert.ok(now < (between.at as string))
      assert.equal(last.at, between.at)
      return last
    })
    assert.deepEqual(await account.asOf(session, 'a1', after.at as string), after)
  })

  it('takes no notice of a snapshot that other code made, and replaces it', async (t) => {
    const { session, test } = await open(t)
    const old = defineAggregate({ ...spec, snapshotEvery: 3 })
    for (let n = 0; n < 7; n++) await appendTo(session, 'a1', [paid(10)], old)
    assert.equal((await old.load(session, 'a1')).snapshotVersion, 6)
    const doubling = {
      ...spec.apply,
      paid: (...args: Parameters<Spec['apply']['paid']>) => {
        const state = spec.apply.paid(...args)
        return { ...state, balance: state.balance + args[1].amount.amount }
      },
    }
    const newer = defineAggregate({ ...spec, apply: doubling, stateVersion: 2, snapshotEvery: 3 })
    const loaded = await newer.load(session, 'a1')
    assert.deepEqual([loaded.state.balance, loaded.snapshotVersion], [140, 0])
    assert.equal((await newer.atVersion(session, 'a1', 6)).state.balance, 120)
    const Wider = Type.Object({ ...State.properties, isVip: Type.Optional(Type.Boolean()) })
    const wider = defineAggregate({ ...spec, state: Wider, snapshotEvery: 3 })
    assert.equal((await wider.load(session, 'a1')).snapshotVersion, 0)
    assert.equal((await appendTo(session, 'a1', [paid(10)], newer)).snapshotVersion, 8)
    // And the old code, which may still run beside the new one, keeps to its own.
    assert.deepEqual(
      [(await old.load(session, 'a1')).snapshotVersion, (await old.load(session, 'a1')).state.balance],
      [6, 80],
    )
    assert.deepEqual(
      await test.ask('select version from flotilla.aggregate_snapshot order by 1'),
      [3, 6, 8].map((version) => ({ version })),
    )
  })

  it('writes a snapshot with its events or not at all', async (t) => {
    const { session, test } = await open(t)
    const each = defineAggregate({ ...spec, snapshotEvery: 1 })
    const undone = session.transaction(async (tx) => {
      await each.append(tx, await each.load(tx, 'a1'), [paid(1)], origin)
      throw new Error('undone')
    })
    await assert.rejects(undone, /undone/)
    assert.deepEqual(await test.ask('select * from flotilla.aggregate_snapshot'), [])
  })

  it('reads a snapshot instead of the events below it', async (t) => {
    const { session, test } = await open(t)
    const few = defineAggregate({ ...spec, snapshotEvery: 5 })
    for (let n = 0; n < 6; n++) await appendTo(session, 'a1', [paid(10)], few)
    await test.ask(
      `update flotilla.aggregate_event set data = '{"amount":{"amount":1000,"currency":"EUR"}}' where version <= 5`,
    )
    assert.equal((await few.load(session, 'a1')).state.balance, 60)
    await test.ask('delete from flotilla.aggregate_snapshot')
    assert.equal((await few.load(session, 'a1')).state.balance, 5010)
  })

  it('reads events of older versions in the shape of today, one upcast after the other', async (t) => {
    const { session } = await open(t)
    await appendTo(session, 'a1', [opened, paid(5)])
    const upcasts = {
      1: ({ amount }: { amount: Money }) => ({ money: amount }),
      2: (data: object) => ({ ...data, method: 'card' }),
    }
    const data = Type.Object({ money: Money, method: Type.String() })
    const newer = defineAggregate({
      ...spec,
      events: { ...events, paid: { version: 3, data, upcasts } },
      apply: {
        opened: spec.apply.opened,
        paid: (state, { money, method }) => ({ ...state, balance: money.amount, trail: [method] }),
      },
      stateVersion: 2,
    })
    assert.deepEqual((await newer.load(session, 'a1')).state, { owner: 'Ada', balance: 5, trail: ['card'] })
    const money = { amount: 7, currency: 'EUR' }
    await session.transaction(async (tx) =>
      newer.append(
        tx,
        await newer.load(tx, 'a1'),
        [{ type: 'paid', data: { money, method: 'cash' } }],
        origin,
      ),
    )
    assert.deepEqual(
      (await newer.history(session, 'a1')).slice(1).map((event) => event.data),
      [
        { money: { amount: 5, currency: 'EUR' }, method: 'card' },
        { money, method: 'cash' },
      ],
    )
    await assert.rejects(account.load(session, 'a1'), /account\.paid of version 3 cannot be read/)
  })

  it('reads a long life page by page', async (t) => {
    const { session, test } = await open(t)
    await test.ask(
      `insert into flotilla.aggregate_event select 'account', 'old', n, 'paid', 1, '{"amount":{"amount":1,"currency":"EUR"}}',
       '{"kind":"user","id":"u1"}', 'a test', timestamptz '2026-01-01' + n * interval '1 minute' from generate_series(1, 2500) n`,
    )
    assert.equal((await account.load(session, 'old')).state.balance, 2500)
    assert.equal((await account.asOf(session, 'old', '2026-01-02T00:00:00.000Z')).version, 1440)
    const after = await appendTo(session, 'old', [paid(1)])
    assert.deepEqual(await account.load(session, 'old'), { ...after, snapshotVersion: 2501 })
  })
})
