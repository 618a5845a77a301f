import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from '../store/sql.ts'
import { testCall } from './test-call.ts'
import { openTestDatabase } from './test-database.ts'
import { until } from './until.ts'

const sessions = `select application_name as name from pg_stat_activity where pid <> pg_backend_pid() order by 1`
const waiting = 'select from pg_locks where not granted'

describe('TestDatabase', () => {
  it('sees sessions and locks of its own database alone', async (t) => {
    const [one, other] = [await openTestDatabase(t), await openTestDatabase(t)]
    await one.open({ name: 'mine' }).warm()
    await other.open({ name: 'theirs' }).warm()
    assert.deepEqual(await one.ask(sessions), [{ name: 'mine' }])
    assert.deepEqual(await other.ask(sessions), [{ name: 'theirs' }])

    await one.ask('create table t as select 1 as id')
    await one.ask('begin; select from t for update')
    const locking = one.open().session(testCall()).execute(sql`select from t for update`)
    await until('it waits for the row', async () => (await one.ask(waiting)).length === 1)
    assert.deepEqual(await other.ask(waiting), [])
    await one.ask('commit')
    assert.equal(await locking, 1)
  })
})
