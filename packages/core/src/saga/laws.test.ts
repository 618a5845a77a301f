/** Whatever happens to whichever attempt: a saga ends, everything it did was done once, and nothing is left of what it undid. */
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { Type } from '../contract/schema.ts'
import { FlotillaError } from '../kernel/error.ts'
import type { Database } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import { type Sql, sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { openTestInstance, type TestInstance } from '../testing/test-instance.ts'
import { until } from '../testing/until.ts'
import { defineSaga, type Saga, type StepContext } from './definition.ts'
import { openSagas, type Sagas } from './sagas.ts'

/** What happens to one attempt. */
const FATES = [
  'ok',
  'transient before',
  'transient after',
  'refuse',
  'later',
  'fail save',
  'vanish before',
  'vanish after',
  'vanish in save',
  'zombie',
] as const
type Fate = (typeof FATES)[number]

const STEPS = ['reserve', 'authorise', 'confirm', 'commit', 'capture']
const COMPENSATABLE = 2
const SCHEMA = `
  create table outside (key text primary key, state text not null);
  create table effects (id bigint generated always as identity, saga text not null, what text not null)`

interface Living {
  readonly instance: TestInstance
  readonly order: Saga<object>
  readonly sagas: Sagas
}

/** Some instances of one service, and a world outside that remembers what was done under which key. */
class World {
  readonly #t: TestContext
  readonly #test: TestDatabase
  /** The outside's own way to the database. */
  readonly #outside: Database
  /** By saga: what happens to its attempts, in their order; then all is well. */
  readonly #fates: Map<string, Fate[]>
  #current: Living | undefined
  readonly #closing: Promise<void>[] = []
  /** Ends what hangs in instances that are gone. */
  readonly #gone = new AbortController()

  constructor(t: TestContext, test: TestDatabase, fates: ReadonlyMap<string, readonly Fate[]>) {
    this.#t = t
    this.#test = test
    this.#outside = test.open({ name: 'outside' })
    this.#fates = new Map([...fates].map(([id, those]) => [id, [...those]]))
  }

  async openInstance(): Promise<void> {
    const instance = await openTestInstance(this.#t, this.#test, { poolMax: 4 })
    const order = this.orderOf(instance)
    this.#current = { instance, order, sagas: openSagas(instance, [order]) }
  }

  /** As a caller does who asks again while the instance is gone and the next one is not there yet. */
  start(id: string): Promise<void> {
    return until(`${id} is started`, () => {
      const { instance, sagas, order } = this.#current as Living
      const session = instance.database.session(testCall())
      return session
        .transaction((tx) => sagas.start(tx, order, id, {}))
        .then(
          () => true,
          () => false,
        )
    })
  }

  async close(): Promise<void> {
    this.#gone.abort(new FlotillaError('unavailable', 'gone'))
    await this.#current?.instance.close()
    await Promise.all(this.#closing)
  }

  orderOf(instance: TestInstance): Saga<object> {
    const step = (name: string) => {
      /** What is to happen to the other half of the attempt. */
      const saving = new Map<string, Fate>()
      const half = async (what: 'run' | 'undo', ctx: StepContext): Promise<undefined> => {
        const fate = this.#fates.get(ctx.sagaId)?.shift() ?? 'ok'
        saving.set(ctx.sagaId, fate)
        await this.#act(instance, what, name, fate, ctx)
        return undefined
      }
      const write = async (tx: Transaction, what: string, ctx: StepContext): Promise<void> => {
        await tx.execute(sql`insert into effects (saga, what) values (${ctx.sagaId}, ${`${what} ${name}`})`)
        const fate = saving.get(ctx.sagaId)
        saving.delete(ctx.sagaId)
        if (fate === 'fail save') throw new FlotillaError('unavailable', 'not now')
        if (fate === 'vanish in save') await this.#vanish(instance)
      }
      return {
        run: (_: object, ctx: StepContext) => half('run', ctx),
        undo: (_: object, ctx: StepContext) => half('undo', ctx),
        save: (tx: Transaction, _: object, ctx: StepContext) => write(tx, 'save', ctx),
        undone: (tx: Transaction, _: object, ctx: StepContext) => write(tx, 'undone', ctx),
      }
    }
    const end = (what: string) => (tx: Transaction, ctx: StepContext) =>
      tx.execute(sql`insert into effects (saga, what) values (${ctx.sagaId}, ${what})`).then(() => {})
    return defineSaga('order', Type.Object({}))
      .step('reserve', step('reserve'))
      .step('authorise', step('authorise'))
      .pivot('confirm', step('confirm'))
      .retriable('commit', step('commit'))
      .retriable('capture', step('capture'))
      .end({
        completed: (tx, _, ctx) => end('completed')(tx, ctx),
        compensated: (tx, _, __, ctx) => end('compensated')(tx, ctx),
      })
  }

  async #act(
    instance: TestInstance,
    what: 'run' | 'undo',
    name: string,
    fate: Fate,
    ctx: StepContext,
  ): Promise<void> {
    if (fate === 'vanish before') await this.#vanish(instance)
    if (fate === 'transient before') throw new FlotillaError('unavailable', 'not now')
    if (fate === 'later') throw ctx.later(20)
    const isRefusable = what === 'run' && STEPS.indexOf(name) <= COMPENSATABLE
    // The pivot knows whether it was done before: who answers for a key answers the same again.
    if (fate === 'refuse' && isRefusable && (await this.#stateOf(ctx.key)) === undefined) {
      throw ctx.refuse('no', 'Not today.')
    }
    const state = what === 'run' ? 'done' : 'undone'
    await this.#ask(sql`
      insert into outside values (${ctx.key}, ${state})
      on conflict (key) do update set state = excluded.state where excluded.state = 'undone'`)
    if (fate === 'transient after') throw new FlotillaError('deadline_exceeded', 'lost')
    if (fate === 'vanish after') await this.#vanish(instance)
    if (fate === 'zombie') await this.#becomeZombie(instance, ctx)
  }

  async #stateOf(key: string): Promise<string | undefined> {
    return (await this.#ask<{ state: string }>(sql`select state from outside where key = ${key}`))[0]?.state
  }

  #ask<T>(query: Sql): Promise<T[]> {
    return this.#outside.session(testCall(30_000)).many(query)
  }

  /** The process is gone, and another one starts. */
  async #vanish(instance: TestInstance): Promise<never> {
    this.#closing.push(instance.vanish())
    if (this.#current?.instance === instance) await this.openInstance()
    return this.#hang()
  }

  /** Its lease ends, another instance starts and takes over; then it goes on as if nothing had been. */
  async #becomeZombie(instance: TestInstance, { sagaId }: StepContext): Promise<void> {
    const fencing = async () =>
      (await this.#ask<{ fencing: number }>(sql`select fencing from flotilla.saga where id = ${sagaId}`))[0]
        ?.fencing
    const before = await fencing()
    if (this.#current?.instance === instance) {
      await instance.worker.close()
      await this.openInstance()
      this.#closing.push(
        until('it is taken over', async () => (await fencing()) !== before).then(() => instance.close()),
      )
    }
    await until('it was taken over', async () => (await fencing()) !== before)
  }

  #hang(): Promise<never> {
    return new Promise((_, reject) => {
      const { signal } = this.#gone
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    })
  }
}

/** What is wrong with how a saga ended; it must be none of the many ways. */
async function checkEnd(test: TestDatabase, id: string): Promise<void> {
  const [saga] = await test.ask<{ status: string }>('select status from flotilla.saga where id = $1', [id])
  const rows = await test.ask<{ what: string }>('select what from effects where saga = $1 order by id', [id])
  const effects = rows.map(({ what }) => what)
  const outside = await test.ask<{ key: string; state: string }>(
    'select key, state from outside where key like $1 order by key',
    [`${id}:%`],
  )
  if (saga?.status === 'completed') {
    assert.deepEqual(effects, [...STEPS.map((step) => `save ${step}`), 'completed'])
    assert.deepEqual(new Set(outside.map(({ state }) => state)), new Set(['done']))
    assert.equal(outside.length, STEPS.length)
    return
  }
  const saved = effects.filter((what) => what.startsWith('save')).length
  const undone = effects.filter((what) => what.startsWith('undone')).length
  assert.ok(saved <= COMPENSATABLE && undone >= saved && undone <= Math.min(saved + 1, COMPENSATABLE))
  assert.deepEqual(effects, [
    ...STEPS.slice(0, saved).map((step) => `save ${step}`),
    ...STEPS.slice(0, undone)
      .reverse()
      .map((step) => `undone ${step}`),
    'compensated',
  ])
  assert.deepEqual(
    outside.filter(({ state }) => state !== 'undone'),
    [],
  )
}

it('a saga ends, completed or compensated, with every effect once and nothing left of what was undone', {
  timeout: 120_000,
}, async (t) => {
  const fate = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Fate>('ok') },
    { weight: 2, arbitrary: fc.constant<Fate>('refuse') },
    { weight: 5, arbitrary: fc.constantFrom<Fate>(...FATES.slice(0, 6)) },
    { weight: 2, arbitrary: fc.constantFrom<Fate>(...FATES.slice(6)) },
  )
  const scripts = fc.array(fc.array(fate, { maxLength: 7 }), { minLength: 1, maxLength: 5 })
  let ends = { completed: 0, compensated: 0 }
  await fc.assert(
    fc.asyncProperty(scripts, async (fates) => {
      const test = await openTestDatabase(t)
      await migrate(test.url, [platformMigrations])
      await test.ask(SCHEMA)
      const ids = fates.map((_, index) => `s${index}`)
      const world = new World(t, test, new Map(ids.map((id, index) => [id, fates[index] ?? []])))
      try {
        await world.openInstance()
        for (const id of ids) await world.start(id)
        const unfinished = () => test.ask('select from flotilla.saga where step is not null')
        await until('all have ended', async () => (await unfinished()).length === 0)
        for (const id of ids) await checkEnd(test, id)
        const [count] = await test.ask<typeof ends>(`
          select count(*) filter (where status = 'completed')::int as completed,
            count(*) filter (where status = 'compensated')::int as compensated from flotilla.saga`)
        ends = {
          completed: ends.completed + (count?.completed ?? 0),
          compensated: ends.compensated + (count?.compensated ?? 0),
        }
      } finally {
        await world.close()
      }
    }),
    // Both ends, in any case; then as much chance as there is time for.
    {
      examples: [
        [[['ok', 'refuse']]],
        [
          [
            ['ok', 'later', 'vanish after', 'ok', 'ok', 'ok', 'refuse'],
            ['vanish before', 'vanish before'],
            ['ok', 'ok', 'vanish after'],
          ],
        ],
        [[['ok', 'refuse'], ['vanish after'], ['ok', 'zombie']]],
      ],
      interruptAfterTimeLimit: 15_000,
      endOnFailure: true,
    },
  )
  t.diagnostic(JSON.stringify(ends))
  assert.ok(ends.completed > 0 && ends.compensated > 0)
})
