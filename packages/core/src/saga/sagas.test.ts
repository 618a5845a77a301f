import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Type } from '../contract/schema.ts'
import { systemClock } from '../kernel/clock.ts'
import { FlotillaError } from '../kernel/error.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import { sql } from '../store/sql.ts'
import type { Transaction } from '../store/transaction.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { openTestInstance, type TestInstance } from '../testing/test-instance.ts'
import { until } from '../testing/until.ts'
import { listSagas, retrySaga, showSaga } from './admin.ts'
import { defineSaga, type Saga, type StepContext } from './definition.ts'
import { nextDueMs } from './rows.ts'
import { openSagas, type Sagas, type SagasOptions } from './sagas.ts'

const State = Type.Object({ amount: Type.Integer(), reserved: Type.Optional(Type.String()) })
type Ctx = StepContext
/** What a step does to the outside, and how it ends. */
type Act = (ctx: Ctx) => Promise<{ reserved: string } | undefined> | { reserved: string } | undefined

/** Everything that happened, in order: `run reserve`, `save reserve`, `undo reserve` … */
class Bed {
  readonly events: string[] = []
  readonly acts = new Map<string, Act>()
  readonly test: TestDatabase
  readonly order: Saga<{ amount: number; reserved?: string }>

  constructor(test: TestDatabase) {
    this.test = test
    this.order = defineSaga('order', State)
      .step('reserve', this.#step('reserve'))
      .step('authorise', this.#step('authorise'))
      .pivot('confirm', this.#step('confirm'))
      .retriable('commit', this.#step('commit'))
      .retriable('capture', this.#step('capture'))
      .end({
        completed: (tx, state) => this.#write(tx, `completed ${state.amount} ${state.reserved}`),
        compensated: (tx, _, cause) => this.#write(tx, `compensated ${cause.reason ?? cause.code}`),
      })
  }

  /** What was written by the halves that act on the database, in the order of their commits. */
  async effects(): Promise<string[]> {
    const rows = await this.test.ask<{ what: string }>('select what from effects order by id')
    return rows.map(({ what }) => what)
  }

  async statusOf(id: string): Promise<string | undefined> {
    const [row] = await this.test.ask<{ status: string }>('select status from flotilla.saga where id = $1', [
      id,
    ])
    return row?.status
  }

  reaches(id: string, status: string, boundMs?: number): Promise<void> {
    return until(`${id} is ${status}`, async () => (await this.statusOf(id)) === status, boundMs)
  }

  #step(name: string) {
    const act = async (what: string, ctx: Ctx) => {
      this.events.push(`${what} ${name}`)
      return this.acts.get(`${what} ${name}`)?.(ctx)
    }
    return {
      run: (_: object, ctx: Ctx) => act('run', ctx),
      save: (tx: Transaction) => this.#write(tx, `save ${name}`),
      undo: (_: object, ctx: Ctx) => act('undo', ctx),
      undone: (tx: Transaction) => this.#write(tx, `undone ${name}`),
    }
  }

  async #write(tx: Transaction, what: string): Promise<void> {
    await tx.execute(sql`insert into effects (what) values (${what})`)
    await this.acts.get(what)?.(undefined as never)
  }
}

async function openBed(t: TestContext): Promise<Bed> {
  const test = await openTestDatabase(t)
  await migrate(test.url, [platformMigrations])
  await test.ask('create table effects (id bigint generated always as identity, what text)')
  return new Bed(test)
}

async function openInstance(t: TestContext, bed: Bed, options?: SagasOptions) {
  const instance = await openTestInstance(t, bed.test)
  return { instance, sagas: openSagas(instance, [bed.order], options) }
}

function start({ database }: TestInstance, sagas: Sagas, bed: Bed, id: string, trace?: TraceContext) {
  const origin = trace && { trace }
  return database
    .session(testCall())
    .transaction((tx) => sagas.start(tx, bed.order, id, { amount: 5 }, origin))
}

const FORWARD = ['reserve', 'authorise', 'confirm', 'commit', 'capture']
const outcomesOf = async (instance: TestInstance, id: string): Promise<string[]> => {
  const shown = await showSaga(instance.database.session(testCall()), id)
  return (shown?.entries ?? []).map(({ direction, step, outcome }) => `${direction} ${step} ${outcome}`)
}

describe('a step that is not for every state', () => {
  it('is passed over, forward and backward, also when it is the first', async (t) => {
    const test = await openTestDatabase(t)
    await migrate(test.url, [platformMigrations])
    const seen: string[] = []
    const run = (what: string) => async () => {
      seen.push(what)
      return undefined
    }
    const both = (name: string) => ({ run: run(name), undo: run(`undo ${name}`) })
    const isBig = ({ amount }: { amount: number }) => amount > 5
    const saga = defineSaga('picky', State)
      .step('first', { ...both('first'), when: isBig })
      .step('second', both('second'))
      .step('third', { ...both('third'), when: isBig })
      .pivot('decide', {
        async run({ amount }, ctx) {
          if (amount === 1) throw ctx.refuse('small', 'Too small.')
          return undefined
        },
      })
      .retriable('last', { run: run('last'), when: isBig })
      .end()
    const instance = await openTestInstance(t, test)
    const sagas = openSagas(instance, [saga])
    const session = instance.database.session(testCall())
    const lifeOf = async (amount: number, status: string) => {
      seen.length = 0
      const id = `of ${amount}`
      await session.transaction((tx) => sagas.start(tx, saga, id, { amount }))
      await until(`${id} is ${status}`, async () => (await sagas.find(session, id))?.status === status)
      const entries = (await sagas.find(session, id))?.entries ?? []
      return { seen: [...seen], entries: entries.map(({ step }) => step) }
    }
    assert.deepEqual(await lifeOf(9, 'completed'), {
      seen: ['first', 'second', 'third', 'last'],
      entries: ['first', 'second', 'third', 'decide', 'last'],
    })
    assert.deepEqual(await lifeOf(2, 'completed'), { seen: ['second'], entries: ['second', 'decide'] })
    assert.deepEqual(await lifeOf(1, 'compensated'), {
      seen: ['second', 'undo second'],
      entries: ['second', 'decide', 'second'],
    })
  })

  it('goes on behind a step that stopped being for its state meanwhile', async (t) => {
    const test = await openTestDatabase(t)
    await migrate(test.url, [platformMigrations])
    const nothing = () => Promise.resolve(undefined)
    const saga = defineSaga('shrinking', State)
      .step('first', { run: nothing, undo: nothing })
      .step('shrink', {
        when: ({ amount }) => amount > 5,
        run: () => Promise.resolve({ amount: 1 }),
        undo: nothing,
      })
      .pivot('decide', {})
      .end()
    const instance = await openTestInstance(t, test)
    const sagas = openSagas(instance, [saga])
    const session = instance.database.session(testCall())
    await session.transaction((tx) => sagas.start(tx, saga, 'o1', { amount: 9 }))
    await until('it is completed', async () => (await sagas.find(session, 'o1'))?.status === 'completed')
    const { entries = [] } = (await sagas.find(session, 'o1')) ?? {}
    assert.deepEqual(
      entries.map(({ step }) => step),
      ['first', 'shrink', 'decide'],
    )
  })
})

describe('Sagas.start', () => {
  it('runs every step once, with its effects, and ends', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    bed.acts.set('run reserve', () => ({ reserved: 'r1' }))
    const trace = TraceContext.start(instance.random, true)
    await start(instance, sagas, bed, 'o1', trace)
    await bed.reaches('o1', 'completed')
    assert.deepEqual(
      bed.events,
      FORWARD.map((step) => `run ${step}`),
    )
    assert.deepEqual(await bed.effects(), [...FORWARD.map((step) => `save ${step}`), 'completed 5 r1'])
    assert.deepEqual(
      await outcomesOf(instance, 'o1'),
      FORWARD.map((step) => `forward ${step} done`),
    )
    const found = await sagas.find(instance.database.session(testCall()), 'o1')
    assert.deepEqual(found?.state, { amount: 5, reserved: 'r1' })
    assert.equal(found?.traceId, trace.traceId)
    const spans = instance.ring.ofTrace(trace.traceId)
    assert.deepEqual(
      spans.map(({ name, parentId }) => [name, parentId]),
      FORWARD.map((step) => [`saga order.${step}`, trace.spanId]),
    )
    assert.match(
      instance.metrics.toPrometheus(),
      /saga_steps_total\{saga="order",step="capture",direction="forward",outcome="done"\} 1/,
    )
  })

  it('starts nothing when the transaction is rolled back, and once when called twice', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    const undone = instance.database.session(testCall()).transaction(async (tx) => {
      await sagas.start(tx, bed.order, 'o0', { amount: 5 })
      throw new Error('no')
    })
    await assert.rejects(undone, /no/)
    await Promise.all([1, 2, 3].map(() => start(instance, sagas, bed, 'o1')))
    await bed.reaches('o1', 'completed')
    await start(instance, sagas, bed, 'o1')
    assert.equal(bed.events.length, FORWARD.length)
    assert.equal(await bed.statusOf('o0'), undefined)
  })

  it('refuses a state that is not the saga’s', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    const wrong = instance.database
      .session(testCall())
      .transaction((tx) => sagas.start(tx, bed.order, 'o1', { amount: 0.5 }))
    await assert.rejects(wrong, /Not a state of saga order/)
  })

  it('runs no more at the same time than it may, and the rest in the order of starting; tells their place', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed, { runningMax: 1 })
    let release = (): void => {}
    const held = new Promise<undefined>((resolve) => {
      release = () => resolve(undefined)
    })
    const order: string[] = []
    bed.acts.set('run reserve', async (ctx) => {
      order.push(ctx.sagaId)
      await held
      return undefined
    })
    for (const id of ['o1', 'o2', 'o3', 'o4']) await start(instance, sagas, bed, id)
    const session = instance.database.session(testCall())
    await until('the first one runs', () => order.length === 1)
    assert.deepEqual(await Promise.all(['o1', 'o2', 'o3', 'o4'].map((id) => sagas.queuePlace(session, id))), [
      undefined,
      1,
      2,
      3,
    ])
    release()
    await bed.reaches('o4', 'completed')
    assert.deepEqual(order, ['o1', 'o2', 'o3', 'o4'])
  })
})

describe('a saga that is refused', () => {
  for (const [index, step] of FORWARD.slice(0, 3).entries()) {
    it(`at ${step}: undoes what was done, in reverse order`, async (t) => {
      const bed = await openBed(t)
      const { instance, sagas } = await openInstance(t, bed)
      bed.acts.set(`run ${step}`, (ctx) => {
        throw ctx.refuse('sold_out', 'Nothing is left.', { sku: 's1' })
      })
      await start(instance, sagas, bed, 'o1')
      await bed.reaches('o1', 'compensated')
      // The refused step too, for an attempt before may have had its effect; but for the pivot, which has no way back.
      const undone = FORWARD.slice(0, Math.min(index + 1, 2)).reverse()
      assert.deepEqual(
        bed.events.slice(index + 1),
        undone.map((name) => `undo ${name}`),
      )
      assert.deepEqual(await bed.effects(), [
        ...FORWARD.slice(0, index).map((name) => `save ${name}`),
        ...undone.map((name) => `undone ${name}`),
        'compensated sold_out',
      ])
      const found = await sagas.find(instance.database.session(testCall()), 'o1')
      assert.deepEqual(found?.cause, {
        code: 'failed_precondition',
        message: 'Nothing is left.',
        reason: 'sold_out',
        data: { sku: 's1' },
      })
    })
  }

  it('by its effects on the database: they are undone, and so is what was done before', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    bed.acts.set('save authorise', () => {
      throw new FlotillaError('already_exists', 'There is one.')
    })
    await start(instance, sagas, bed, 'o1')
    await bed.reaches('o1', 'compensated')
    assert.deepEqual(await bed.effects(), [
      'save reserve',
      'undone authorise',
      'undone reserve',
      'compensated already_exists',
    ])
  })
})

describe('a step that fails', () => {
  it('is tried again with the same key while its outcome is not known; nothing is undone', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    const keys: string[] = []
    const failures = [
      'unavailable',
      'deadline_exceeded',
      'unknown',
      'internal',
      'canceled',
      'aborted',
    ] as const
    bed.acts.set('run authorise', (ctx) => {
      const code = failures[keys.length]
      assert.equal(ctx.attempt, keys.length)
      keys.push(ctx.key)
      if (code !== undefined) throw new FlotillaError(code, 'lost')
      return undefined
    })
    await start(instance, sagas, bed, 'o1')
    await bed.reaches('o1', 'completed', 15_000)
    assert.deepEqual(keys, new Array(failures.length + 1).fill('o1:authorise'))
    assert.equal(bed.events.filter((event) => event.startsWith('undo')).length, 0)
  })

  it('is left behind when its time is up', async (t) => {
    const bed = await openBed(t)
    const instance = await openTestInstance(t, bed.test)
    let runs = 0
    const slow = defineSaga('slow', State)
      .pivot('hang', {
        timeoutMs: 50,
        run: () => (++runs === 1 ? new Promise(() => {}) : Promise.resolve(undefined)),
      })
      .end()
    const sagas = openSagas(instance, [slow])
    await instance.database
      .session(testCall())
      .transaction((tx) => sagas.start(tx, slow, 's1', { amount: 1 }))
    await bed.reaches('s1', 'completed')
    assert.equal(runs, 2)
  })

  it('is given up and undone after its time', async (t) => {
    const bed = await openBed(t)
    const instance = await openTestInstance(t, bed.test)
    const undone: string[] = []
    const short = defineSaga('short', State)
      .step('try', {
        giveUpAfterMs: 100,
        run: async () => {
          throw new FlotillaError('unavailable', 'down')
        },
        undo: async (_, ctx) => {
          undone.push(ctx.key)
          return undefined
        },
      })
      .pivot('never', {})
      .end()
    const sagas = openSagas(instance, [short])
    await instance.database
      .session(testCall())
      .transaction((tx) => sagas.start(tx, short, 's1', { amount: 1 }))
    await bed.reaches('s1', 'compensated', 10_000)
    assert.deepEqual(undone, ['s1:try'])
    assert.equal((await sagas.find(instance.database.session(testCall()), 's1'))?.cause?.code, 'unavailable')
  })

  it('parks the saga when it is definite and there is no way back; a retry goes on from there', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    bed.acts.set('run commit', () => {
      throw new FlotillaError('not_found', 'No such reservation.')
    })
    await start(instance, sagas, bed, 'o1')
    await bed.reaches('o1', 'parked')
    assert.ok(instance.lines.some(({ level, message }) => level === 'error' && /parked/.test(message)))
    const session = instance.database.session(testCall())
    const { items } = await listSagas(session, { status: 'parked', limit: 10 })
    assert.deepEqual(
      items.map(({ id, step, error }) => [id, step, error?.code]),
      [['o1', 'commit', 'not_found']],
    )
    bed.acts.delete('run commit')
    assert.equal(await retrySaga(session, 'o1'), true)
    await bed.reaches('o1', 'completed')
    assert.equal(await retrySaga(session, 'o1'), false)
    assert.deepEqual((await outcomesOf(instance, 'o1')).slice(3, 6), [
      'forward commit parked',
      'forward commit retried',
      'forward commit done',
    ])
  })

  it('parks the saga after its time, also on the way back', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed, { parkAfterMs: 100 })
    bed.acts.set('run authorise', (ctx) => {
      throw ctx.refuse('declined', 'No.')
    })
    bed.acts.set('undo reserve', () => {
      throw new FlotillaError('unavailable', 'down')
    })
    await start(instance, sagas, bed, 'o1')
    await bed.reaches('o1', 'parked', 10_000)
    bed.acts.delete('undo reserve')
    await retrySaga(instance.database.session(testCall()), 'o1')
    await bed.reaches('o1', 'compensated')
    assert.equal((await bed.effects()).at(-1), 'compensated declined')
  })
})

describe('a saga that waits', () => {
  it('is looked for when its time comes, and nobody looks where none waits', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    const dueMs = () => nextDueMs(instance.database.session(testCall()), ['order'])
    assert.equal(await dueMs(), undefined)
    bed.acts.set('run reserve', (ctx) => {
      throw ctx.later(60_000)
    })
    await start(instance, sagas, bed, 'o-1')
    await bed.reaches('o-1', 'waiting')
    assert.ok(((await dueMs()) ?? 0) > 30_000)
  })

  it('runs again at its time, in whichever process, and no failure is counted', async (t) => {
    const bed = await openBed(t)
    const first = await openInstance(t, bed)
    const askedMs: number[] = []
    bed.acts.set('run authorise', (ctx) => {
      assert.equal(ctx.attempt, 0)
      askedMs.push(systemClock.monotonicMs())
      if (askedMs.length < 3) throw ctx.later(300)
      return undefined
    })
    await start(first.instance, first.sagas, bed, 'o1')
    await until('it waits', () => askedMs.length === 1)
    await bed.reaches('o1', 'waiting')
    await first.instance.close()
    await openInstance(t, bed)
    await bed.reaches('o1', 'completed')
    const [one = 0, two = 0, three = 0] = askedMs
    assert.ok(two - one >= 299 && three - two >= 299, `${askedMs}`)
  })

  it('goes on at once when it is woken, before it waits or while it does', async (t) => {
    const bed = await openBed(t)
    const { instance, sagas } = await openInstance(t, bed)
    const wake = () => instance.database.session(testCall()).transaction((tx) => sagas.wake(tx, 'o1'))
    let asked = 0
    bed.acts.set('run authorise', async (ctx) => {
      asked++
      if (asked === 1) await wake()
      if (asked < 3) throw ctx.later(60_000)
      return undefined
    })
    await start(instance, sagas, bed, 'o1')
    await until('it was asked again', () => asked === 2)
    await bed.reaches('o1', 'waiting')
    await wake()
    await bed.reaches('o1', 'completed')
  })
})
