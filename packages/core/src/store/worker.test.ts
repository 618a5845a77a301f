import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { openTcpProxy } from '../testing/tcp-proxy.ts'
import { testCall } from '../testing/test-call.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { until } from '../testing/until.ts'
import type { Database } from './database.ts'
import { migrate } from './migrate.ts'
import { platformMigrations } from './migration-files.ts'
import { sql } from './sql.ts'
import { openWorker, othersIn, type Worker, workerIsDead } from './worker.ts'

const ports = { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }

async function openMigrated(t: TestContext): Promise<TestDatabase> {
  const test = await openTestDatabase(t)
  await migrate(test.url, [platformMigrations])
  return test
}

/** A worker on a database of its own opening; closed after the test. */
async function open(t: TestContext, test: TestDatabase, url = test.url) {
  const warnings: string[] = []
  const log = { info() {}, warn: (message: string) => void warnings.push(message) }
  const database = test.open({ url })
  const worker = await openWorker({ database, ports, instance: 'desk-1', log })
  t.after(() => worker.close())
  return { worker, database, warnings }
}

function isDead(database: Database, id: string | null): Promise<boolean> {
  return database
    .session(testCall())
    .one<{ dead: boolean }>(
      sql`select ${workerIsDead(sql`it.owner`)} as dead from (select ${id}::uuid) it (owner)`,
    )
    .then(({ dead }) => dead)
}

const leaseOf = async (test: TestDatabase, { id }: Worker): Promise<number | undefined> =>
  (
    await test.ask<{ lease_until: Date }>('select lease_until from flotilla.worker where id = $1', [id])
  )[0]?.lease_until.getTime()

describe('openWorker', () => {
  it('registers the instance, and goes on renewing its lease of two seconds', async (t) => {
    const test = await openMigrated(t)
    const { worker, database } = await open(t, test)
    const rows = await test.ask(`select id, instance,
      lease_until between now() + '1 s' and now() + '2 s' as is_leased from flotilla.worker`)
    assert.deepEqual(rows, [{ id: worker.id, instance: 'desk-1', is_leased: true }])
    assert.equal(await isDead(database, worker.id), false)
    const before = (await leaseOf(test, worker)) as number
    await until('it was renewed', async () => ((await leaseOf(test, worker)) as number) > before)
  })

  it('comes back when its row was lost', async (t) => {
    const test = await openMigrated(t)
    const { worker } = await open(t, test)
    await test.ask('truncate flotilla.worker')
    await until('it is back', async () => (await leaseOf(test, worker)) !== undefined)
  })

  it('survives the loss of its connections', async (t) => {
    const test = await openMigrated(t)
    const { worker, database } = await open(t, test)
    const before = (await leaseOf(test, worker)) as number
    await test.ask('select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1', [
      'test',
    ])
    await until('it was renewed', async () => ((await leaseOf(test, worker)) as number) > before)
    assert.equal(await isDead(database, worker.id), false)
  })

  it('forgets those that have been dead for a minute', async (t) => {
    const test = await openMigrated(t)
    await test.ask(`insert into flotilla.worker values
      (gen_random_uuid(), 'long dead', now() - interval '61 s'), (gen_random_uuid(), 'dead', now() - interval '59 s')`)
    await open(t, test)
    const names = () => test.ask('select instance from flotilla.worker order by instance')
    await until('one is gone', async () => (await names()).length === 2)
    assert.deepEqual(await names(), [{ instance: 'dead' }, { instance: 'desk-1' }])
  })
})

describe('othersIn', () => {
  it('counts live workers that take part in a group, besides one', async (t) => {
    const test = await openMigrated(t)
    const [one, other, third] = [await open(t, test), await open(t, test), await open(t, test)]
    const othersOf = async ({ id }: Worker): Promise<number> => {
      const counting = sql`select ${othersIn('mail', id)} as count`
      return (await third.database.session(testCall()).one<{ count: number }>(counting)).count
    }
    one.worker.enter('mail')
    other.worker.enter('mail')
    await until('both are known', async () => (await othersOf(third.worker)) === 2)
    assert.equal(await othersOf(one.worker), 1)
    one.worker.leave('mail')
    await until('one has left', async () => (await othersOf(third.worker)) === 1)
    await other.worker.close()
    assert.equal(await othersOf(third.worker), 0)
  })
})

describe('workerIsDead', () => {
  it('holds for nobody, for a stranger and for a worker that was closed', async (t) => {
    const test = await openMigrated(t)
    const [one, other] = [await open(t, test), await open(t, test)]
    assert.equal(await isDead(other.database, null), true)
    assert.equal(await isDead(other.database, ports.newId()), true)
    assert.equal(await isDead(other.database, one.worker.id), false)
    await one.worker.close()
    assert.equal(await isDead(other.database, one.worker.id), true)
  })

  it('holds within three seconds for one that is cut off, until it is back', async (t) => {
    const test = await openMigrated(t)
    let isCut = false
    const url = await openTcpProxy(t, test.url, {
      onClientData: (chunk, { server }) => void (isCut || server.write(chunk)),
    })
    const [lost, other] = [await open(t, test, url), await open(t, test)]
    isCut = true
    await until('it is dead', () => isDead(other.database, lost.worker.id), 3_000)
    assert.equal(await isDead(other.database, other.worker.id), false)
    isCut = false
    await until('it is alive again', async () => !(await isDead(other.database, lost.worker.id)))
    // An outage is one line, however many renewals failed in it.
    assert.equal(lost.warnings.length, 1)
  })
})
