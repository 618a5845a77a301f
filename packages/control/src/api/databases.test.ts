import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { anonymous } from '@flotilla/core/caller'
import { systemClock } from '@flotilla/core/clock'
import type { CallContext } from '@flotilla/core/context'
import { findFreePort } from '@flotilla/core/free-port'
import { createIds } from '@flotilla/core/ids'
import { systemRandom } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'
import { TraceContext } from '@flotilla/core/trace-context'
import { until } from '@flotilla/core/until'
import { ServiceDatabases } from './databases.ts'

const ports = { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) }
const context = (): CallContext => ({
  ...testCall(),
  caller: anonymous,
  trace: TraceContext.start(systemRandom, false),
  criticality: 'critical',
})
const nameOf = (session: Session) => session.one<{ name: string }>(sql`select current_database() as name`)

/** Two databases that are there, and one that is not. */
async function makeBed(t: TestContext): Promise<ServiceDatabases> {
  const [orders, stock] = [await openTestDatabase(t), await openTestDatabase(t)]
  const away = new URL(orders.url)
  away.port = String(await findFreePort())
  return new ServiceDatabases({ orders: orders.url, away: away.href, stock: stock.url }, ports)
}

describe('ServiceDatabases', () => {
  it('asks in each that can be reached, and leaves out the others in time to answer', async (t) => {
    const databases = await makeBed(t)
    const its = context()
    const found = await databases.inEach(its, nameOf)
    assert.ok(systemClock.monotonicMs() < its.deadlineMs - 5_000)
    assert.deepEqual([...found.keys()], ['orders', 'stock'])
    assert.equal(new Set([...found.values()].map(({ name }) => name)).size, 2)
  })

  it('stay open for the next question as long as was said, and are closed when nobody asks or all is over', async (t) => {
    const { url, ask } = await openTestDatabase(t)
    const databases = new ServiceDatabases({ orders: url }, ports, 300)
    t.after(() => databases.close())
    const connected = async (): Promise<number> => {
      const [row] = await ask(
        `select count(*)::int as count from pg_stat_activity where application_name like 'control%'`,
      )
      return Number(row?.['count'])
    }
    const backend = (session: Session) => session.one<{ pid: number }>(sql`select pg_backend_pid() as pid`)
    const first = await databases.inEach(context(), backend)
    assert.deepEqual(await databases.inEach(context(), backend), first)
    assert.equal(await connected(), 1)
    await until('nobody is connected', async () => (await connected()) === 0)
    assert.notDeepEqual(await databases.inEach(context(), backend), first)
    await databases.close()
    await until('nobody is connected', async () => (await connected()) === 0)
  })

  it('fails by what is wrong with the question itself', async (t) => {
    const databases = await makeBed(t)
    const wrong = databases.inEach(context(), (session) => session.one(sql`select nothing`))
    await assert.rejects(wrong, { code: 'internal' })
  })
})
