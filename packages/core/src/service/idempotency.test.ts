import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { anyone } from '../contract/access.ts'
import { defineContract } from '../contract/contract.ts'
import { command } from '../contract/operation.ts'
import { Type } from '../contract/schema.ts'
import type { User } from '../kernel/caller.ts'
import { systemClock } from '../kernel/clock.ts'
import type { Code } from '../kernel/code.ts'
import { crashpoint, setCrashpoints } from '../kernel/crashpoint.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { TraceContext } from '../kernel/trace-context.ts'
import { openDatabase } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import { sql } from '../store/sql.ts'
import { createLogger } from '../telemetry/log.ts'
import { openTestApp, type TestApp } from '../testing/test-app.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'
import { defineService, type OperationContext } from './definition.ts'
import { Claim, IdempotencyStore } from './idempotency.ts'

const Input = Type.Object({ amount: Type.Integer(), note: Type.Optional(Type.String()) })
const Output = Type.Object({ total: Type.Integer() })
const spec = {
  summary: 'Adds to the total.',
  access: anyone,
  idempotency: 'key',
  input: Input,
  output: Output,
} as const

const till = defineContract({
  name: 'till',
  version: 1,
  summary: 'Counts what comes in.',
  operations: {
    add: command({
      ...spec,
      reasons: { closed: { code: 'failed_precondition', title: 'The till is closed' } },
    }),
    addToo: command(spec),
    hang: command({ ...spec, timeoutMs: 2_000 }),
  },
})

type Work = (ctx: OperationContext, amount: number) => Promise<{ total: number }>

/** The ordinary way: one transaction. */
const commit: Work = (ctx, amount) => ctx.commit((tx) => add(tx, amount))

async function add(tx: Parameters<Parameters<OperationContext['commit']>[0]>[0], amount: number) {
  await tx.execute(sql`insert into public.entries (amount) values (${amount})`)
  return tx.one<{ total: number }>(sql`select sum(amount)::integer as total from public.entries`)
}

interface Till {
  readonly app: TestApp
  /** What `add` does next; it may be changed between calls. */
  work: Work
  runs: number
  entries(): Promise<number>
  /** Rows of the memory. */
  rows(): Promise<{ state: string; scope: string }[]>
}

async function openTill(t: TestContext): Promise<Till> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, '0001-entries.sql'), 'create table public.entries (amount integer not null);')
  const state = { work: commit, runs: 0 }
  const handler = ({ amount }: { amount: number }, ctx: OperationContext) => {
    state.runs++
    return state.work(ctx, amount)
  }
  const service = defineService({
    contract: till,
    database: { migrations: '.' },
    open: () => ({ add: handler, addToo: handler, hang: handler }),
  })
  const app = await openTestApp(t, {
    app: {
      name: 'test',
      folder,
      services: { till: async () => service },
    },
    placement: 'one process',
  })
  const database = app.databases.get('till')
  assert.ok(database)
  return Object.assign(state, {
    app,
    entries: async () => (await database.ask('select from public.entries')).length,
    rows: () =>
      database.ask<{ state: string; scope: string }>('select state, scope from flotilla.idempotency'),
  })
}

const user = (id: string): User => ({ id, roles: [], scopes: [], tier: 'free' })
const failsWith = (code: Code) => (error: unknown) => isFlotillaError(error) && error.code === code

/** A repeat while the first hangs, after `make` has been done to its row. */
async function takesOver(t: TestContext, make: string): Promise<void> {
  const opened = await openTill(t)
  const calls = opened.app.call(till, { user: user('u1') })
  const database = opened.app.databases.get('till')
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  opened.work = async (ctx, amount) => {
    opened.work = commit
    await held
    return commit(ctx, amount)
  }
  const late = calls.add({ amount: 5 }, { idempotencyKey: 'k' })
  await until('the first has claimed', async () => opened.runs === 1)
  await database?.ask(make)
  assert.deepEqual(await calls.add({ amount: 5 }, { idempotencyKey: 'k' }), { total: 5 })
  release()
  // Its transaction is refused; the client's retry then finds the other's answer.
  assert.deepEqual(await late, { total: 5 })
  assert.equal(await opened.entries(), 1)
}

describe('runUnderKey', () => {
  it('gives a repeat the stored answer and no second effect', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    const first = await calls.add({ amount: 5, note: 'x' }, { idempotencyKey: 'k' })
    // The order of fields is not part of the request.
    assert.deepEqual(await calls.add({ note: 'x', amount: 5 }, { idempotencyKey: 'k' }), first)
    assert.equal(opened.runs, 1)
    assert.equal(await opened.entries(), 1)
  })

  it('has one effect and equal answers for calls at the same time', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    const all = await Promise.all([1, 2, 3].map(() => calls.add({ amount: 5 }, { idempotencyKey: 'k' })))
    assert.deepEqual(all, [{ total: 5 }, { total: 5 }, { total: 5 }])
    assert.equal(await opened.entries(), 1)
  })

  it('refuses the key with another input', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    await calls.add({ amount: 5 }, { idempotencyKey: 'k' })
    await assert.rejects(calls.add({ amount: 6 }, { idempotencyKey: 'k' }), {
      code: 'invalid_argument',
      status: 422,
    })
    assert.equal(await opened.entries(), 1)
  })

  it('keeps the keys of users, services and operations apart', async (t) => {
    const opened = await openTill(t)
    const key = { idempotencyKey: 'k' }
    await opened.app.call(till, { user: user('till') }).add({ amount: 1 }, key)
    await opened.app.call(till, { user: user('u2') }).add({ amount: 1 }, key)
    await opened.app.call(till, { service: 'till' }).add({ amount: 1 }, key)
    await opened.app.call(till, { user: user('u2') }).addToo({ amount: 1 }, key)
    assert.equal(await opened.entries(), 4)
  })

  it('forgets a failure that says nothing about a repeat', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    opened.work = (ctx, amount) =>
      ctx.commit(async (tx) => {
        await tx.execute(sql`insert into public.entries (amount) values (${amount})`)
        throw new FlotillaError('internal', 'broken')
      })
    await assert.rejects(calls.add({ amount: 5 }, { idempotencyKey: 'k' }), failsWith('internal'))
    assert.deepEqual(await opened.rows(), [])
    opened.work = commit
    assert.deepEqual(await calls.add({ amount: 5 }, { idempotencyKey: 'k' }), { total: 5 })
  })

  it('remembers a lasting refusal', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    opened.work = async (ctx) => {
      throw ctx.fail('closed')
    }
    const refused = { code: 'failed_precondition', reason: 'closed' }
    await assert.rejects(calls.add({ amount: 5 }, { idempotencyKey: 'k' }), refused)
    opened.work = commit
    await assert.rejects(calls.add({ amount: 5 }, { idempotencyKey: 'k' }), refused)
    assert.equal(opened.runs, 1)
  })

  it('gives the key of a call that ran out of time free at once, and cancels its statement', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    const asleep = "select from pg_stat_activity where query like 'select pg_sleep(60)%' and state = 'active'"
    const database = opened.app.databases.get('till')
    opened.work = (ctx) =>
      ctx.commit(async (tx) => {
        await tx.execute(sql`select pg_sleep(60)`)
        return { total: 0 }
      })
    const failure = assert.rejects(
      calls.hang({ amount: 5 }, { idempotencyKey: 'k' }),
      failsWith('deadline_exceeded'),
    )
    await until('the statement runs', async () => (await database?.ask(asleep))?.length === 1)
    await failure
    await until('the statement has ended', async () => (await database?.ask(asleep))?.length === 0)
    await until('the key is free', async () => (await opened.rows()).length === 0)
  })

  it('stores an answer given without a transaction, and nothing of a wrong one', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    opened.work = async () => ({ total: 7 })
    await calls.add({ amount: 5 }, { idempotencyKey: 'k' })
    assert.deepEqual(await calls.add({ amount: 5 }, { idempotencyKey: 'k' }), { total: 7 })
    assert.equal(opened.runs, 1)
    opened.work = (ctx, amount) =>
      ctx.commit(async (tx) => {
        await tx.execute(sql`insert into public.entries (amount) values (${amount})`)
        return { total: 'a secret' as unknown as number }
      })
    await assert.rejects(calls.add({ amount: 5 }, { idempotencyKey: 'other' }), (error: Error) => {
      assert.doesNotMatch(JSON.stringify({ ...error, message: error.message }), /secret/)
      return failsWith('internal')(error)
    })
    assert.equal(await opened.entries(), 0)
    assert.equal((await opened.rows()).length, 1)
  })

  it('lets a call commit once', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1') })
    opened.work = async (ctx, amount) => {
      // Neither is through when the other has done its work.
      let arrive = (): void => {}
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve
      })
      const first = ctx.commit(async (tx) => {
        const answer = await add(tx, amount)
        await arrived
        return answer
      })
      const second = ctx.commit(async (tx) => {
        const answer = await add(tx, amount)
        arrive()
        return answer
      })
      await Promise.all([first, second.finally(arrive)])
      return first
    }
    await assert.rejects(calls.add({ amount: 5 }), failsWith('internal'))
    await until('the first commit is through', async () => (await opened.entries()) > 0)
    assert.equal(await opened.entries(), 1)
    opened.work = async (ctx, amount) => {
      await commit(ctx, amount)
      return commit(ctx, amount)
    }
    await assert.rejects(calls.add({ amount: 5 }), failsWith('internal'))
    assert.equal(await opened.entries(), 2)
  })
})

describe('IdempotencyStore', () => {
  const takeOvers = {
    'when the lease is over': "update flotilla.idempotency set lease_until = now() - interval '1 second'",
    'of an instance that is dead': 'update flotilla.idempotency set owner = gen_random_uuid()',
  }
  for (const [when, make] of Object.entries(takeOvers)) {
    it(`lets a repeat take over ${when}, and refuses the late first`, (t) => takesOver(t, make))
  }

  it('keeps a repeat out as long as the instance lives', async (t) => {
    const opened = await openTill(t)
    const calls = opened.app.call(till, { user: user('u1'), timeoutMs: 500 })
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    opened.work = async (ctx, amount) => {
      await held
      return commit(ctx, amount)
    }
    const first = calls.hang({ amount: 5 }, { idempotencyKey: 'k', timeoutMs: 2_000 })
    await until('the first has claimed', async () => opened.runs === 1)
    await assert.rejects(calls.hang({ amount: 5 }, { idempotencyKey: 'k' }), failsWith('aborted'))
    release()
    await first
    assert.equal(opened.runs, 1)
  })

  it('has its claim when the reply to claiming was lost', async (t) => {
    const test = await openTestDatabase(t)
    await migrate(test.url, [platformMigrations])
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
    for (const part of ['armed', 'hit']) mkdirSync(join(folder, part))
    t.after(() => {
      setCrashpoints(undefined)
      rmSync(folder, { recursive: true })
    })
    const ports = { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }
    const worker = ports.newId()
    await test.ask(
      `insert into flotilla.worker (id, instance, lease_until) values ($1, 'test', now() + interval '1 hour')`,
      [worker],
    )
    const store = new IdempotencyStore(test.open(), ports, worker)
    const begin = (): Promise<unknown> => {
      const trace = TraceContext.start(systemRandom, false)
      return store.begin('till.add', {}, { ...testCall(), trace, caller: {}, idempotencyKey: 'k' } as never)
    }
    const place = 'command.after-claim@none'
    writeFileSync(join(folder, 'armed', place), 'lose')
    setCrashpoints(folder)
    crashpoint('command.after-claim', 'none')
    assert.ok((await begin()) instanceof Claim)
    assert.match(readFileSync(join(folder, 'hit', place), 'utf8'), /insert into flotilla\.idempotency/)
    await assert.rejects(begin(), failsWith('aborted'))
  })

  it('forgets answers after a day, 10,000 at a time, and runs their keys again', async (t) => {
    const opened = await openTill(t)
    const database = opened.app.databases.get('till')
    assert.ok(database)
    const { ports } = opened.app
    const log = createLogger({ level: 'silent', clock: ports.clock, fields: {} })
    const own = openDatabase({ url: database.url, name: 'till', ports, poolMax: 1, log })
    t.after(() => own.close())
    const prune = () => new IdempotencyStore(own, ports, ports.newId()).prune(testCall())
    const calls = opened.app.call(till, { user: user('u1') })
    await calls.add({ amount: 5 }, { idempotencyKey: 'old' })
    await database.ask("update flotilla.idempotency set created_at = now() - interval '24 hours 1 second'")
    await database.ask(`
      insert into flotilla.idempotency (scope, key, fingerprint, state, fencing, lease_until, response, created_at)
      select scope, key || n, fingerprint, state, fencing, lease_until, response, created_at
      from flotilla.idempotency, generate_series(1, 10000) as n`)
    await calls.add({ amount: 5 }, { idempotencyKey: 'fresh' })
    await database.ask(`
      update flotilla.idempotency set created_at = now() - interval '23 hours 59 minutes' where key = 'fresh'`)
    assert.deepEqual([await prune(), await prune(), await prune()], [10_000, 1, 0])
    for (const idempotencyKey of ['old', 'fresh']) await calls.add({ amount: 5 }, { idempotencyKey })
    assert.equal(opened.runs, 3)
    assert.equal(await opened.entries(), 3)
  })
})
