/** Instances that are killed, cut off or only slow, and answers that are lost. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { Type } from '../contract/schema.ts'
import { systemClock } from '../kernel/clock.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import { sql } from '../store/sql.ts'
import { openTcpProxy } from '../testing/tcp-proxy.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { openTestInstance, type TestInstance } from '../testing/test-instance.ts'
import { until } from '../testing/until.ts'
import { defineSaga, type StepContext } from './definition.ts'
import { type Claimed, moveSaga, reloadSaga } from './rows.ts'
import { openSagas, type Sagas } from './sagas.ts'

const State = Type.Object({ by: Type.Optional(Type.String()) })

async function openMigrated(t: TestContext): Promise<TestDatabase> {
  const test = await openTestDatabase(t)
  await migrate(test.url, [platformMigrations])
  await test.ask('create table effects (id bigint generated always as identity, what text)')
  return test
}

interface Desk {
  readonly instance: TestInstance
  readonly sagas: Sagas
  start(id: string): Promise<void>
}

/** Two steps that write down who did them; `act` is the first one's outside half. */
async function openDesk(
  t: TestContext,
  test: TestDatabase,
  act: (ctx: StepContext) => Promise<void>,
  url = test.url,
): Promise<Desk> {
  const instance = await openTestInstance(t, test, { url })
  const saga = defineSaga('work', State)
    .pivot('first', {
      run: async (_, ctx) => {
        await act(ctx)
        return { by: instance.instance }
      },
      save: async (tx, { by }) => {
        await tx.execute(sql`insert into effects (what) values (${`first by ${by}`})`)
      },
    })
    .retriable('second', {})
    .end({
      completed: async (tx) => {
        await tx.execute(sql`insert into effects (what) values ('completed')`)
      },
    })
  const sagas = openSagas(instance, [saga])
  const start = async (id: string): Promise<void> => {
    await instance.database.session(testCall()).transaction((tx) => sagas.start(tx, saga, id, {}))
  }
  return { instance, sagas, start }
}

const effectsOf = async (test: TestDatabase): Promise<string[]> =>
  (await test.ask<{ what: string }>('select what from effects order by id')).map(({ what }) => what)

const statusOf = async (test: TestDatabase, id: string): Promise<string | undefined> =>
  (await test.ask<{ status: string }>('select status from flotilla.saga where id = $1', [id]))[0]?.status

const reaches = (test: TestDatabase, id: string, status: string) =>
  until(`${id} is ${status}`, async () => (await statusOf(test, id)) === status)

/** A promise, and what resolves it. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}

describe('a saga whose instance dies', () => {
  it('is taken over by another one, once', async (t) => {
    const test = await openMigrated(t)
    const hung = gate()
    let runs = 0
    const lost = await openDesk(t, test, async () => {
      runs++
      await hung.passed
    })
    await lost.start('s1')
    await until('it runs', () => runs === 1)
    const others = await Promise.all([1, 2].map(() => openDesk(t, test, async () => void runs++)))
    await lost.instance.vanish()
    await reaches(test, 's1', 'completed')
    hung.open()
    assert.equal(runs, 2)
    const [first, ...rest] = await effectsOf(test)
    assert.ok(others.some(({ instance }) => first === `first by ${instance.instance}`))
    assert.deepEqual(rest, ['completed'])
    const [other] = others as [Desk, Desk]
    const found = await other.sagas.find(other.instance.database.session(testCall()), 's1')
    assert.deepEqual(
      found?.entries.map(({ step, outcome }) => `${step} ${outcome}`),
      ['first taken over', 'first done', 'second done'],
    )
  })

  it('is not written to by the old one, which was only slow', async (t) => {
    const test = await openMigrated(t)
    const slow = gate()
    let runs = 0
    const old = await openDesk(t, test, async () => {
      runs++
      await slow.passed
    })
    await old.start('s1')
    await until('it runs', () => runs === 1)
    const other = await openDesk(t, test, async () => {})
    // Its lease is over, but it goes on.
    await old.instance.worker.close()
    await reaches(test, 's1', 'completed')
    const before = await test.ask('select * from flotilla.saga')
    slow.open()
    await old.instance.close()
    assert.deepEqual(await effectsOf(test), [`first by ${other.instance.instance}`, 'completed'])
    assert.deepEqual(await test.ask('select * from flotilla.saga'), before)
  })

  it('is not written to by an earlier run of the same instance either', async (t) => {
    const test = await openMigrated(t)
    const runs = [gate(), gate()]
    let begun = 0
    const desk = await openDesk(t, test, async () => runs[begun++]?.passed)
    await desk.start('s1')
    await until('it runs', () => begun === 1)
    // As it would look if another one had taken it over and given it back.
    await test.ask(`update flotilla.saga set status = 'ready', owner = null, fencing = fencing + 1`)
    await until('it runs again', () => begun === 2)
    runs[0]?.open()
    await until('the early run is over', async () => {
      const spans = desk.instance.ring.all()
      return spans.filter(({ attributes }) => attributes?.['flotilla.saga'] !== undefined).length === 1
    })
    runs[1]?.open()
    await reaches(test, 's1', 'completed')
    assert.deepEqual(await effectsOf(test), [`first by ${desk.instance.instance}`, 'completed'])
    assert.deepEqual(await test.ask('select fencing, entries from flotilla.saga'), [
      { fencing: '2', entries: 2 },
    ])
  })

  it('goes to others at once when the instance leaves in order', async (t) => {
    const test = await openMigrated(t)
    const held = gate()
    let isHeld = false
    const leaving = await openDesk(t, test, async () => {
      isHeld = true
      await held.passed
    })
    await leaving.start('s1')
    await until('it runs', () => isHeld)
    leaving.instance.drain()
    held.open()
    // Its step was recorded, and the rest left to whoever comes.
    await reaches(test, 's1', 'ready')
    await leaving.instance.close()
    await openDesk(t, test, () => assert.fail('the first step is done'))
    await reaches(test, 's1', 'completed')
    assert.deepEqual(await effectsOf(test), [`first by ${leaving.instance.instance}`, 'completed'])
  })
})

describe('a saga whose commit is not answered', () => {
  for (const [what, answer, runsMax] of [
    ['took effect', 'COMMIT', 1],
    ['did not', 'INSERT 0 1', 2],
  ] as const) {
    it(`goes on from where it stands, when the commit ${what}`, async (t) => {
      const test = await openMigrated(t)
      let isArmed = false
      let runs = 0
      const url = await openTcpProxy(t, test.url, {
        onServerData: (chunk, link) => {
          if (!isArmed || !chunk.includes(answer)) return void link.client.write(chunk)
          isArmed = false
          link.client.resetAndDestroy()
          link.server.destroy()
        },
      })
      const desk = await openDesk(
        t,
        test,
        async () => {
          runs++
          isArmed = runs === 1
        },
        url,
      )
      await desk.start('s1')
      await reaches(test, 's1', 'completed')
      assert.equal(isArmed, false)
      assert.ok(runs <= runsMax, `${runs} runs`)
      assert.deepEqual(await effectsOf(test), [`first by ${desk.instance.instance}`, 'completed'])
    })
  }
})

describe('a saga whose commit is not answered, and whose row cannot be read', () => {
  it('does nothing before it knows where it stands', async (t) => {
    const test = await openMigrated(t)
    let isArmed = false
    let runs = 0
    // More often than a query is repeated.
    let cuts = 10
    const url = await openTcpProxy(t, test.url, {
      onClientData: (chunk, link) => {
        const isReading = chunk.includes('select id, name, state') && !chunk.includes('orphaned')
        if (isReading && cuts-- > 0) link.client.resetAndDestroy()
        else link.server.write(chunk)
      },
      onServerData: (chunk, link) => {
        if (!isArmed || !chunk.includes('COMMIT')) return void link.client.write(chunk)
        isArmed = false
        link.client.resetAndDestroy()
        link.server.destroy()
      },
    })
    const act = async (): Promise<void> => {
      runs++
      isArmed = runs === 1
    }
    const desk = await openDesk(t, test, act, url)
    await desk.start('s1')
    await reaches(test, 's1', 'completed')
    assert.ok(cuts <= 0, `${cuts} cuts left`)
    assert.equal(runs, 1)
    assert.deepEqual(await effectsOf(test), [`first by ${desk.instance.instance}`, 'completed'])
  })

  it('does not go back when its commit takes effect after all', async (t) => {
    const test = await openMigrated(t)
    await openDesk(t, test, async () => {})
    const [worker] = await test.ask<{ id: string }>('select id from flotilla.worker')
    const owner = worker?.id as string
    await test.ask(`
      insert into flotilla.saga (id, name, state, step, status, owner, trace)
      values ('s1', 'unknown here', '{}', 'second', 'running', '${owner}', '')`)
    const session = test.open().session(testCall())
    const claimed = await reloadSaga(session, owner, { id: 's1', fencing: 0 } as Claimed)
    assert.ok(claimed)
    const plan = {
      entry: 'done',
      status: 'running',
      direction: 'forward',
      step: 'first',
      attempts: 0,
    } as const
    const more = { waitMs: null, error: null, isCause: false }
    const move = { worker: owner, plan: { ...plan, ...more }, state: {}, isLeaving: false }
    const stale = { ...claimed, step: 'first' }
    assert.equal(await moveSaga(session, { ...move, claimed: stale }), false)
    assert.equal(await moveSaga(session, { ...move, claimed }), 0)
  })
})

const modules = {
  schema: '../contract/schema.js',
  session: '../testing/test-call.js',
  database: '../testing/test-database.js',
  instance: '../testing/test-instance.js',
  definition: './definition.js',
  sagas: './sagas.js',
}
const at = (name: keyof typeof modules): string =>
  JSON.stringify(new URL(modules[name], import.meta.url).href)

/** Starts a saga, and hangs in it until it is killed. */
const PROGRAM = `
import { Type } from ${at('schema')}
import { testCall } from ${at('session')}
import { openTestInstance } from ${at('instance')}
import { defineSaga } from ${at('definition')}
import { openSagas } from ${at('sagas')}
const instance = await openTestInstance({ after() {} }, { url: process.env.DATABASE_URL })
const saga = defineSaga('work', Type.Object({}))
  .pivot('first', { run: () => new Promise(() => process.send('runs')) })
  .retriable('second', {}).end()
const sagas = openSagas(instance, [saga])
await instance.database.session(testCall()).transaction((tx) => sagas.start(tx, saga, 's1', {}))
`

describe('a saga whose process is killed', () => {
  it('goes on in another one within three seconds', async (t) => {
    const test = await openMigrated(t)
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const program = join(folder, 'program.mjs')
    writeFileSync(program, PROGRAM)
    const child: ChildProcess = fork(program, [], { env: { DATABASE_URL: test.url } })
    t.after(() => void child.kill('SIGKILL'))
    await once(child, 'message')
    let resumedMs = 0
    await openDesk(t, test, async () => {
      resumedMs = systemClock.monotonicMs()
    })
    const killedMs = systemClock.monotonicMs()
    child.kill('SIGKILL')
    await reaches(test, 's1', 'completed')
    const tookMs = resumedMs - killedMs
    t.diagnostic(`resumed after ${Math.round(tookMs)} ms`)
    assert.ok(tookMs > 0 && tookMs < 3_000, `${tookMs} ms`)
  })
})
