/** `kill -9` of any process while people read: nobody notices who is willing to ask again. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import { type Database, openDatabase } from '@flotilla/core/database'
import { isFlotillaError } from '@flotilla/core/error'
import { systemRandom } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import { until } from '@flotilla/core/until'
import { type Bed, processesOf, run, startUp } from './flotilla-process.ts'
import { openOnce } from './open-once.ts'
import { openShop, type Shop } from './placements.ts'
import type { Ask } from './shop-client.ts'

/** A careful client: asks again while that is safe, for at most ten seconds. */
async function careful(
  ask: Ask,
  path: string,
  token: string | undefined,
): Promise<{ status: number; tries: number }> {
  const giveUpMs = Date.now() + 10_000
  for (let tries = 1; ; tries++) {
    const status = await ask(path, token === undefined ? {} : { token }).then(
      (answer) => answer.status,
      // No connection: the gateway itself was killed.
      () => 0,
    )
    const isPassing = status === 0 || status === 503 || status === 504
    if (!isPassing || Date.now() > giveUpMs) return { status, tries }
    await new Promise((resolve) => setTimeout(resolve, 25 * Math.min(8, tries)))
  }
}

interface ProcessRow {
  readonly name: string
  readonly pid?: number
  readonly state: string
}

async function processes(bed: Bed): Promise<readonly ProcessRow[]> {
  const { output, errors } = await run(bed, 'ps', '--json')
  assert.equal(errors, '')
  return JSON.parse(output) as ProcessRow[]
}

/**
 * One of them, of the control API itself: a command would be a process of its own each time one looks. Undefined also while the control process,
 * which is one of them, is away.
 */
async function processNamed(bed: Bed, name: string): Promise<ProcessRow | undefined> {
  const file = JSON.parse(readFileSync(join(bed.folder, 'control.json'), 'utf8'))
  const answer = await fetch(`${file.url}/api/v1/processes`, {
    headers: { authorization: `Bearer ${file.token}` },
  }).catch(() => undefined)
  if (answer === undefined) return undefined
  assert.equal(answer.status, 200)
  const { items } = (await answer.json()) as { items: readonly ProcessRow[] }
  return items.find((row) => row.name === name)
}

function supervisorOf(bed: Bed): number {
  return JSON.parse(readFileSync(join(bed.folder, 'control.json'), 'utf8')).pid
}

function postmasterOf(bed: Bed): number {
  return Number(readFileSync(join(bed.folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
}

/** The server's own database, as its superuser. */
function openPostgres(t: { after(cleanUp: () => Promise<void>): void }, bed: Bed): Database {
  const password = readFileSync(join(bed.folder, 'postgres/password'), 'utf8').trim()
  const url = `postgres://postgres:${password}@127.0.0.1:${bed.environment['FLOTILLA_POSTGRES_PORT']}/postgres`
  const database = openDatabase({ url, name: 'test', ports: { clock: systemClock, random: systemRandom } })
  t.after(() => database.close())
  return database
}

/** On behalf of a call with the time that most operations have. */
function ask(database: Database, timeoutMs = 4_000): Session {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  return database.session({ deadlineMs, cancellation: new Cancellation() })
}

/** Kills one backend, which makes the server end them all and recover; waits until there are new ones. */
async function killBackend(postgres: Database, of: string): Promise<void> {
  const backends = () =>
    ask(postgres, 15_000).many<{ pid: number }>(sql`
      select pid from pg_stat_activity where datname = ${of} and pid <> pg_backend_pid()`)
  let before: readonly { pid: number }[] = []
  await until('there is a backend', async () => {
    before = await backends()
    return before.length > 0
  })
  const [victim] = before as [{ pid: number }]
  process.kill(victim.pid, 'SIGKILL')
  await until('there are new backends', async () => {
    const now = await backends()
    return now.length > 0 && now.every(({ pid }) => before.every((old) => old.pid !== pid))
  })
}

/** Kills the server; waits until there is a new one. */
async function killPostmaster(bed: Bed): Promise<void> {
  const postmaster = postmasterOf(bed)
  process.kill(postmaster, 'SIGKILL')
  await until('PostgreSQL is back', () => {
    try {
      return postmasterOf(bed) !== postmaster
    } catch {
      // The file is not there while the server is away.
      return false
    }
  })
}

/** What came of many reads. */
interface Tally {
  asked: number
  /** Those of them that had to be asked again. */
  again: number
  /** Each with its status and how often it was asked. */
  readonly failed: string[]
}

/** People who read. */
interface Reading {
  /** Of the reads so far. */
  readonly tally: Tally
  /** Waits until everyone has read something since, however often they had to ask. */
  goOn(): Promise<void>
  stop(): Promise<void>
}

const READERS = 8

/** Reads eight at a time, all that people read, until told to stop. */
async function keepReading(shop: Shop, token: string): Promise<Reading> {
  const { body } = await shop.api('/products?limit=1')
  const reads = [
    ['/home', undefined],
    [`/products/${body.items[0].id}`, undefined],
    ['/search?q=kettle', undefined],
    ['/cart', token],
    ['/auth/me', token],
    ['/stock/AUD-0001', undefined],
  ] as const
  const tally: Tally = { asked: 0, again: 0, failed: [] }
  let isOver = false
  const counts = Array.from({ length: READERS }, () => 0)
  const reader = async (offset: number): Promise<void> => {
    for (let index = offset; !isOver; index++, counts[offset] = (counts[offset] as number) + 1) {
      const [path, its] = reads[index % reads.length] as (typeof reads)[number]
      const { status, tries } = await careful(shop.api, path, its)
      tally.asked++
      if (tries > 1) tally.again++
      if (status !== 200) tally.failed.push(`${path}: ${status}, asked ${tries} times`)
    }
  }
  const readers = Array.from({ length: READERS }, (_, index) => reader(index))
  return {
    tally,
    async goOn() {
      const before = [...counts]
      await until('everyone has read on', () => counts.every((count, at) => count > (before[at] as number)))
    },
    async stop() {
      isOver = true
      await Promise.all(readers)
    },
  }
}

describe('kill -9', () => {
  const shopOf = openOnce((t) => openShop(t, 'fleet'))
  const bedOf = (): Bed => shopOf().bed as Bed

  it('of any process: every read succeeds, and the process is back', async (t) => {
    const shop = shopOf()
    const bed = bedOf()
    const ann = await shop.register('ann')
    await shop.api('/cart/items', { token: ann.token, body: { sku: 'AUD-0001', quantity: 1 } })
    const reading = await keepReading(shop, ann.token)
    const victims = (await processes(bed)).map(({ name }) => name)
    for (const name of victims) {
      const before = await processNamed(bed, name)
      process.kill(before?.pid as number, 'SIGKILL')
      // The control process loads most; while it is away, nobody can be asked.
      await until(`${name} is back`, async () => {
        const row = await processNamed(bed, name)
        return row?.state === 'ready' && row.pid !== before?.pid
      })
      await reading.goOn()
    }
    await killPostmaster(bed)
    await until(
      'the database answers',
      async () => (await shop.api('/cart', { token: ann.token })).status === 200,
    )
    await reading.stop()
    const { asked, again, failed } = reading.tally
    t.diagnostic(
      `${asked} reads, ${again} of them asked again, ${failed.length} failed; killed ${victims.join(', ')}, PostgreSQL`,
    )
    assert.deepEqual(failed, [])
    const kept = await shop.api('/cart', { token: ann.token })
    assert.equal(kept.body.totals.items, 1, 'what was acknowledged is still there')
  })

  it('of a backend of a database: every read succeeds', async (t) => {
    const shop = shopOf()
    const postgres = openPostgres(t, bedOf())
    const ann = await shop.register('ann')
    const reading = await keepReading(shop, ann.token)
    for (let kills = 0; kills < 3; kills++) {
      const enough = reading.tally.asked + 100
      await until('there was more reading', () => reading.tally.asked > enough)
      await killBackend(postgres, 'shop_catalog')
    }
    await reading.stop()
    const { asked, again, failed } = reading.tally
    t.diagnostic(`${asked} reads, ${again} of them asked again, ${failed.length} failed`)
    assert.deepEqual(failed, [])
  })

  it('of backends and of the server: no statement that only reads fails, and no write is doubled', async (t) => {
    const bed = bedOf()
    const postgres = openPostgres(t, bed)
    await ask(postgres).execute(sql`create table written (id int)`)
    const database = openPostgres(t, bed)
    const [done, mayBeDone] = [new Set<number>(), new Set<number>()]
    let isOver = false
    let reads = 0
    const reader = async (): Promise<void> => {
      for (; !isOver; reads++) await ask(database).one(sql`select count(*) as count from written`)
    }
    let id = 0
    const writer = async (): Promise<void> => {
      while (!isOver) {
        const mine = ++id
        const write = sql`insert into written values (${mine})`
        const session = ask(database)
        try {
          await (mine % 2 === 0 ? session.execute(write) : session.transaction((tx) => tx.execute(write)))
          done.add(mine)
        } catch (error) {
          if (!isFlotillaError(error)) throw error
          if (error.executed === 'maybe') mayBeDone.add(mine)
        }
      }
    }
    const all = Promise.all([...Array.from({ length: 50 }, reader), ...Array.from({ length: 4 }, writer)])
    const readOn = async (): Promise<void> => {
      const enough = reads + 500
      await until('there was more reading', () => reads > enough)
    }
    for (let kills = 0; kills < 3; kills++) {
      await readOn()
      await killBackend(postgres, 'postgres')
    }
    await readOn()
    await killPostmaster(bed)
    await readOn()
    isOver = true
    await all
    const rows = await ask(postgres).many<{ id: number }>(sql`select id from written`)
    const stored = new Set(rows.map((row) => row.id))
    t.diagnostic(`${reads} reads; ${done.size} writes acknowledged, ${mayBeDone.size} unknown`)
    assert.equal(rows.length, stored.size, 'none is there twice')
    assert.deepEqual(
      [...done].filter((one) => !stored.has(one)),
      [],
      'what was acknowledged is there',
    )
    assert.deepEqual(
      [...stored].filter((one) => !done.has(one) && !mayBeDone.has(one)),
      [],
    )
  })

  it('of the supervisor leaves nothing behind, and the next start finds the data', async () => {
    const shop = shopOf()
    const bed = bedOf()
    const ann = await shop.register('ann')
    const all = processesOf(bed)
    assert.ok(all.length >= 8, `${all.length} processes`)
    process.kill(supervisorOf(bed), 'SIGKILL')
    await until('every process is gone', () => processesOf(bed).length === 0)
    const second = await startUp(bed)
    assert.ok(second.output().includes('is ready'))
    const me = await shop.api('/auth/me', { token: (await shop.login(ann.email, ann.password)).token })
    assert.equal(me.body.id, ann.id)
  })
})
