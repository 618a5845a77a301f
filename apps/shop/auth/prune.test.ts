import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { prune } from './prune.ts'
import { openTestAuth, testContext } from './testing.test.ts'

describe('prune', () => {
  it('forgets what has run out, in as many batches as it takes, and nothing else', async (t) => {
    const { as, anyone, database, register } = await openTestAuth(t)
    const { user, refreshToken } = await register()
    const { key } = await as(user).createApiKey({ name: 'mine', scopes: ['cart:read'] })
    const lost = { email: 'nobody@example.org', password: 'not the password' }
    await assert.rejects(anyone.login(lost))
    await database.ask(`
      insert into session select sha256(n::text::bytea), sha256('t'), account.id, now() - interval '21 min', now() + interval '1 day'
      from account, generate_series(1, 2500) n;
      insert into api_key select n::text, account.id, 'old', 'flk_', sha256(n::text::bytea), '{a}', now(), now()
      from account, generate_series(1, 1100) n;
      insert into login_failure select sha256(n::text::bytea), 3, now() - interval '25 hours' from generate_series(1, 1100) n;
      insert into ended_session select n, sha256('s'), now() - interval '21 min' from generate_series(1, 1100) n;
      insert into ended_session values (1101, sha256('s'), now() - interval '19 min');
      insert into finished_login select sha256(n::text::bytea), now() - interval '21 min' from generate_series(1, 1100) n;
      insert into finished_login values (sha256('s'), now() - interval '11 min')`)
    await prune(testContext(database)())
    const counts = await database.ask(`select (select count(*)::int from session) as sessions,
      (select count(*)::int from api_key) as keys, (select count(*)::int from login_failure) as failures,
      (select count(*)::int from ended_session) as ended,
      (select count(*)::int from finished_login) as finished`)
    assert.deepEqual(counts, [{ sessions: 1, keys: 1, failures: 1, ended: 1, finished: 1 }])
    await anyone.refresh({ refreshToken })
    assert.ok(key.length > 0)
  })

  it('keeps the latest hundred thousand failures', async (t) => {
    const { database } = await openTestAuth(t)
    await database.ask(`insert into login_failure
      select sha256(n::text::bytea), 3, now() - n * interval '10 ms' from generate_series(1, 102500) n`)
    await prune(testContext(database)())
    const [left] = await database.ask(`select count(*)::int as count,
      bool_or(email_hash = sha256('1')) as latest, bool_or(email_hash = sha256('102500')) as oldest from login_failure`)
    assert.deepEqual(left, { count: 100_000, latest: true, oldest: false })
  })
})
