import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Calls } from '@flotilla/core/calls'
import { systemClock } from '@flotilla/core/clock'
import { migrate } from '@flotilla/core/migrate'
import { platformMigrations } from '@flotilla/core/migration-files'
import { systemRandom } from '@flotilla/core/random'
import { openTestApp } from '@flotilla/core/test-app'
import { openTestDatabase, type TestDatabase } from '@flotilla/core/test-database'
import { Supervisor } from '../supervisor/supervisor.ts'
import { joinFleet } from '../testing/joined-fleet.ts'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { Audit } from './audit.ts'
import { controlContract } from './contract.ts'
import { controlService } from './service.ts'

interface Bed {
  readonly audit: Audit
  readonly control: Calls<typeof controlContract>
  readonly databases: { readonly search: TestDatabase; readonly mail: TestDatabase }
}

/** The control API of a system without processes, and with two databases. */
async function makeBed(t: TestContext): Promise<Bed> {
  const databases = { search: await openTestDatabase(t), mail: await openTestDatabase(t) }
  for (const { url } of Object.values(databases)) await migrate(url, [platformMigrations])
  const placement = { name: 'test', hosts: {} }
  const supervisor = new Supervisor({
    clock: systemClock,
    random: systemRandom,
    placement,
    waves: [],
    logFolder: makeDataFolder(t).logs,
    command: () => assert.fail('nothing is started'),
    onChange: () => {},
  })
  t.after(() => supervisor.stop(0))
  const audit = new Audit({ path: join(makeDataFolder(t).path, 'audit.jsonl'), clock: systemClock })
  const service = controlService({
    app: 'test',
    version: '1',
    placement,
    contracts: [controlContract],
    fleet: joinFleet({ supervisor, clock: systemClock }).fleet,
    gateway: '',
    databases: { description: '', urls: { search: databases.search.url, mail: databases.mail.url } },
    startedAt: '2026-01-01T00:00:00.000Z',
    isSingle: () => false,
    administrator: () => ({}),
    audit,
  })
  const app = { name: 'test', folder: '', services: { control: async () => service } }
  const { call } = await openTestApp(t, { app, placement: 'one process' })
  const user = { id: 'operator', roles: ['operator'], scopes: [], tier: 'enterprise' }
  return { control: call(controlContract, { user }), databases, audit }
}

let events = 0

/** Parks an event, at a minute of an hour. */
async function park({ ask }: TestDatabase, state: string, minute: number): Promise<void> {
  await ask(
    `insert into flotilla.parked (group_name, partition, position, key, event_id, topic, event, state, error, parked_at)
      values ('them', 0, 1, $1, gen_random_uuid(), 'orders.confirmed', '{"data":{"total":5}}', $2,
        '{"code":"internal","message":"no paper","stack":"Error: no paper"}', $3)`,
    [`key ${++events}`, state, `2026-01-01T00:${String(minute).padStart(2, '0')}:00Z`],
  )
}

describe('controlService', () => {
  it('lists what failed in all services together, dead ones first, then the oldest', async (t) => {
    const { control, databases } = await makeBed(t)
    await park(databases.search, 'retrying', 10)
    await park(databases.search, 'dead', 30)
    await park(databases.mail, 'dead', 20)
    await park(databases.mail, 'waiting', 5)
    const idsOf = async (input: Parameters<typeof control.parked>[0]): Promise<string[]> =>
      (await control.parked(input)).items.map(({ id }) => id)
    assert.deepEqual(await idsOf({}), ['mail:1', 'search:2', 'search:1'])
    assert.deepEqual(await idsOf({ limit: 1 }), ['mail:1'])
    const hasMore = async (input: Parameters<typeof control.parked>[0]): Promise<boolean> =>
      (await control.parked(input)).hasMore
    assert.deepEqual([await hasMore({ limit: 2 }), await hasMore({ limit: 3 })], [true, false])
    const search = { service: 'search' }
    assert.deepEqual(
      [await hasMore({ ...search, limit: 1 }), await hasMore({ ...search, limit: 2 })],
      [true, false],
    )
    assert.deepEqual(await idsOf({ service: 'search' }), ['search:2', 'search:1'])
    await assert.rejects(idsOf({ service: 'constructor' }), { reason: 'no_service' })

    const { event, error, service } = await control.parkedEvent({ id: 'mail:2' })
    assert.deepEqual([event, error?.['message'], service], [{ data: { total: 5 } }, 'no paper', 'mail'])
    await assert.rejects(control.parkedEvent({ id: 'mail:3' }), { reason: 'not_parked' })
    await assert.rejects(control.parkedEvent({ id: 'male:1' }), { reason: 'no_service' })
  })

  it('has dead events tried again: those that are named, those of a service, all', async (t) => {
    const { control, databases } = await makeBed(t)
    for (const database of Object.values(databases)) for (const _ of [1, 2]) await park(database, 'dead', 0)
    const deadOf = async (): Promise<string[]> => {
      const { items } = await control.parked({})
      return items.flatMap(({ id, state }) => (state === 'dead' ? [id] : [])).sort()
    }
    const which = ['mail:2', 'search:1', 'search:9']
    assert.deepEqual(await control.redrive({ which }), { redriven: ['mail:2', 'search:1'] })
    assert.deepEqual(await deadOf(), ['mail:1', 'search:2'])
    assert.deepEqual(await control.redrive({ which }), { redriven: [] })
    assert.deepEqual(await control.redrive({ which: { allOf: 'mail' } }), { redriven: ['mail:1'] })
    assert.deepEqual(await control.redrive({ which: 'all' }), { redriven: ['search:2'] })
    assert.deepEqual(await deadOf(), [])
    await assert.rejects(control.redrive({ which: ['male:1'] }), { reason: 'no_service' })
    await assert.rejects(control.redrive({ which: [] }), { code: 'invalid_argument' })
  })

  it('lists sagas of all services, shows one, and has a parked one go on', async (t) => {
    const { control, databases } = await makeBed(t)
    const begin = ({ ask }: TestDatabase, id: string, status: string, minute: number) =>
      ask(
        `insert into flotilla.saga (id, name, state, step, status, owner, next_at, attempts, error, trace, created_at)
          values ($1, 'checkout', '{"total":5}', case when $2 <> 'completed' then 'charge' end, $2, null, null, 3,
            '{"code":"unavailable","message":"no bank","reason":"closed"}', '00-${'a'.repeat(32)}-${'b'.repeat(16)}-01', $3)`,
        [id, status, `2026-01-01T00:0${minute}:00Z`],
      )
    await begin(databases.search, 'one', 'parked', 1)
    await begin(databases.search, 'both', 'completed', 2)
    await begin(databases.mail, 'both', 'parked', 3)
    const idsOf = async (input: Parameters<typeof control.sagas>[0]): Promise<string[]> =>
      (await control.sagas(input)).items.map(({ service, id }) => `${service} ${id}`)
    assert.deepEqual(await idsOf({}), ['mail both', 'search both', 'search one'])
    assert.deepEqual(await idsOf({ status: 'parked', limit: 1 }), ['mail both'])
    const hasMore = async (input: Parameters<typeof control.sagas>[0]): Promise<boolean> =>
      (await control.sagas(input)).hasMore
    assert.deepEqual([await hasMore({ limit: 2 }), await hasMore({ limit: 3 })], [true, false])
    const search = { service: 'search' }
    assert.deepEqual(
      [await hasMore({ ...search, limit: 1 }), await hasMore({ ...search, limit: 2 })],
      [true, false],
    )
    assert.deepEqual(await idsOf({ service: 'search', status: 'parked' }), ['search one'])
    await assert.rejects(idsOf({ service: 'male' }), { reason: 'no_service' })

    await assert.rejects(control.saga({ id: 'none' }), { reason: 'no_saga' })
    await assert.rejects(control.saga({ id: 'both' }), { reason: 'several' })
    await assert.rejects(control.retrySaga({ id: 'both', service: 'search' }), { reason: 'not_parked' })
    assert.deepEqual(await control.retrySaga({ id: 'one' }), { service: 'search' })
    await assert.rejects(control.retrySaga({ id: 'one' }), { reason: 'not_parked' })
    const { service, status, step, state, error, entries } = await control.saga({ id: 'one' })
    assert.deepEqual([service, status, step, state], ['search', 'ready', 'charge', { total: 5 }])
    assert.equal(error?.reason, 'closed')
    assert.deepEqual(
      entries.map(({ outcome }) => outcome),
      ['retried'],
    )
  })

  it('writes down what is called in services, where it changes something', async (t) => {
    const { control, audit } = await makeBed(t)
    await assert.rejects(control.call({ operation: 'control.status', input: {} }))
    assert.equal(audit.latest.length, 0)
    await assert.rejects(
      control.call({ operation: 'control.restart', input: { process: 'x', password: 'y' } }),
    )
    const told = audit.latest.map(({ operation, input }) => [operation, input])
    const expected = ['control.restart', { process: 'x', password: '[redacted]' }]
    assert.deepEqual(told, [expected, expected])
    await assert.rejects(control.call({ operation: 'none', input: 1 }), { reason: 'no_operation' })
    assert.equal(audit.latest.at(0)?.operation, 'control.call')
  })

  it('writes down who did what, and what came of it; looking is not doing', async (t) => {
    const { control, audit } = await makeBed(t)
    await control.status({})
    assert.deepEqual(audit.latest, [])
    await control.redrive({ which: ['search:9'] })
    await assert.rejects(control.retrySaga({ id: 'none' }))
    const told = audit.latest.map(({ by, operation, input, outcome }) => [by, operation, input, outcome])
    assert.deepEqual(told, [
      ['operator', 'control.retrySaga', { id: 'none' }, 'not_found: There is no saga none.'],
      ['operator', 'control.retrySaga', { id: 'none' }, 'begun'],
      ['operator', 'control.redrive', { which: ['search:9'] }, 'done'],
      ['operator', 'control.redrive', { which: ['search:9'] }, 'begun'],
    ])
  })
})
