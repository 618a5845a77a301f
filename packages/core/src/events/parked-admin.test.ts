import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Cancellation } from '../kernel/cancellation.ts'
import { migrate } from '../store/migrate.ts'
import { platformMigrations } from '../store/migration-files.ts'
import type { Session } from '../store/session.ts'
import { openTestDatabase, type TestDatabase } from '../testing/test-database.ts'
import { countParked, listParked, redriveParked, showParked } from './parked-admin.ts'

interface Bed extends Pick<TestDatabase, 'ask'> {
  readonly session: Session
  /** Parks an event of a key; gives its id. */
  readonly park: (key: string, state: string, group?: string) => Promise<number>
}

async function makeBed(t: TestContext): Promise<Bed> {
  const database = await openTestDatabase(t)
  await migrate(database.url, [platformMigrations])
  const session = database.open().session({
    deadlineMs: Number.POSITIVE_INFINITY,
    cancellation: new Cancellation(),
  })
  let position = 0
  const park = async (key: string, state: string, group = 'search'): Promise<number> => {
    position++
    const error = state === 'waiting' ? null : { code: 'internal', message: 'the index is closed' }
    const [row] = await database.ask<{ id: string }>(
      `insert into flotilla.parked
        (group_name, partition, position, key, event_id, topic, event, state, attempts, next_at, error)
        values ($1, 3, $2, $3, gen_random_uuid(), 'catalog.productChanged', $4, $5, 5, now() + interval '1 hour', $6)
        returning id`,
      [group, position, key, JSON.stringify({ data: { position } }), state, error],
    )
    return Number(row?.id)
  }
  return { session, park, ask: (text, values) => database.ask(text, values) }
}

describe('countParked', () => {
  it('counts by group all that is parked, those that only wait included', async (t) => {
    const { session, park } = await makeBed(t)
    assert.deepEqual(await countParked(session), new Map())
    await park('a', 'dead')
    await park('a', 'waiting')
    await park('b', 'retrying', 'mail')
    assert.deepEqual(
      await countParked(session),
      new Map([
        ['search', 2],
        ['mail', 1],
      ]),
    )
  })
})

describe('listParked', () => {
  it('gives what failed, dead ones first, with how many wait behind each', async (t) => {
    const { session, park } = await makeBed(t)
    assert.deepEqual(await listParked(session, 10), [])
    const retrying = await park('a', 'retrying')
    await park('a', 'waiting')
    const dead = await park('b', 'dead')
    for (let turn = 0; turn < 3; turn++) await park('b', 'waiting')
    await park('b', 'waiting', 'another group')
    const found = await listParked(session, 10)
    assert.deepEqual(
      found.map(({ id, state, behind }) => [id, state, behind]),
      [
        [dead, 'dead', 3],
        [retrying, 'retrying', 1],
      ],
    )
    const [{ eventId, nextAt, parkedAt, ...rest } = assert.fail()] = found
    assert.match(`${eventId} ${nextAt} ${parkedAt}`, /^[0-9a-f-]{36} \S+Z \S+Z$/)
    assert.deepEqual(rest, {
      id: dead,
      group: 'search',
      topic: 'catalog.productChanged',
      key: 'b',
      partition: 3,
      position: 3,
      state: 'dead',
      attempts: 5,
      behind: 3,
      error: { code: 'internal', message: 'the index is closed' },
    })
    assert.equal((await listParked(session, 1)).length, 1)
  })
})

describe('showParked', () => {
  it('gives the event, whatever its state; nothing when it is gone', async (t) => {
    const { session, park } = await makeBed(t)
    const id = await park('a', 'waiting')
    const shown = await showParked(session, id)
    assert.deepEqual([shown?.event, shown?.error, shown?.state], [{ data: { position: 1 } }, null, 'waiting'])
    assert.equal(await showParked(session, id + 1), undefined)
  })
})

describe('redriveParked', () => {
  it('has dead events tried again at once, and touches no other', async (t) => {
    const { session, park, ask } = await makeBed(t)
    const [one, two, three] = [await park('a', 'dead'), await park('b', 'dead'), await park('c', 'dead')]
    const [waiting, retrying] = [await park('a', 'waiting'), await park('d', 'retrying')]
    const states = async (): Promise<string> => {
      const rows = await ask<{ told: string }>(
        `select concat_ws(' ', state, attempts, next_at <= now()) as told from flotilla.parked order by id`,
      )
      return rows.map(({ told }) => told).join(', ')
    }
    assert.deepEqual(await redriveParked(session, [two, waiting, retrying, 999]), [two])
    assert.equal(await states(), 'dead 5 f, retrying 0 t, dead 5 f, waiting 5 f, retrying 5 f')
    assert.deepEqual(await redriveParked(session, []), [])
    assert.deepEqual(await redriveParked(session, 'all'), [one, three])
    assert.equal(await states(), 'retrying 0 t, retrying 0 t, retrying 0 t, waiting 5 f, retrying 5 f')
    assert.deepEqual(await redriveParked(session, 'all'), [])
  })
})
