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

  it('fails by what is wrong with the question itself', async (t) => {
    const databases = await makeBed(t)
    const wrong = databases.inEach(context(), (session) => session.one(sql`select nothing`))
    await assert.rejects(wrong, { code: 'internal' })
  })
})
