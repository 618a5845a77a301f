import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { defineContract } from '../contract/contract.ts'
import { systemClock } from '../kernel/clock.ts'
import { createIds } from '../kernel/ids.ts'
import { systemRandom } from '../kernel/random.ts'
import { defineService } from '../service/definition.ts'
import { sql } from '../store/sql.ts'
import { createLogger } from '../telemetry/log.ts'
import { openTestDatabase } from '../testing/test-database.ts'
import { databaseVariable } from './settings.ts'
import { runTask, type Task } from './tasks.ts'

const contract = defineContract({ name: 'desk', version: 1, summary: 'Has drawers.', operations: {} })

describe('runTask', () => {
  it('migrates and seeds any number of times', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, '0001-drawers.sql'), 'create table public.drawers (name text primary key);')
    const database = await openTestDatabase({ after: (cleanUp) => t.after(cleanUp) })
    const desk = defineService({
      contract,
      database: { migrations: '.' },
      seed: async ({ db }) => {
        await db.execute(sql`insert into public.drawers (name) values ('top') on conflict do nothing`)
      },
      open: () => ({}),
    })
    const without = defineService({ contract: { ...contract, name: 'other' }, open: () => ({}) })
    const services = { desk: async () => desk, other: async () => without }
    const run = (task: Task): Promise<void> =>
      runTask(task, {
        app: { name: 'test', folder, services },
        services: Object.keys(services),
        environment: { [databaseVariable('desk')]: database.url },
        ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
        log: createLogger({ level: 'silent', clock: systemClock, fields: {} }),
      })
    const drawers = () => database.ask<{ name: string }>('select name from public.drawers')
    await run('migrate')
    await run('migrate')
    assert.deepEqual(await drawers(), [])
    await run('seed')
    await run('seed')
    await run('prepare')
    assert.deepEqual(await drawers(), [{ name: 'top' }])
  })
})
