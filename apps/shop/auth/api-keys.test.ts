import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sql } from '@flotilla/core/sql'
import { until } from '@flotilla/core/until'
import { openTestAuth, testContext, withReason } from './testing.test.ts'

const ASKED = { name: 'read my cart', scopes: ['cart:read', 'catalog:read'] }
const DAY_MS = 86_400_000

describe('API keys', () => {
  it('are shown once, stand for their user within their scopes, and stop when deleted', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    const ann = auth.as(user)
    const { apiKey, key } = await ann.createApiKey(ASKED)
    assert.match(key, /^flk_[\w-]{43}$/)
    assert.equal(apiKey.prefix, key.slice(0, 12))
    assert.equal(Date.parse(apiKey.expiresAt) - Date.parse(apiKey.createdAt), 90 * DAY_MS)
    const listed = await ann.listApiKeys({})
    assert.deepEqual(listed, { items: [apiKey] })
    assert.ok(!JSON.stringify(listed).includes(key))
    assert.deepEqual(await auth.gateway.verifyApiKey({ key }), {
      user: { id: user.id, roles: ['customer'], scopes: ASKED.scopes, tier: 'free' },
    })
    const rows = JSON.stringify(await auth.database.ask('select * from api_key'))
    assert.ok(!rows.includes(key.slice(12)), 'only its hash is stored')
    await ann.deleteApiKey({ id: apiKey.id })
    await ann.deleteApiKey({ id: apiKey.id })
    assert.deepEqual(await auth.gateway.verifyApiKey({ key }), { user: null })
    assert.deepEqual(await ann.listApiKeys({}), { items: [] })
  })

  it('are the business of their owner', async (t) => {
    const auth = await openTestAuth(t)
    const ann = auth.as((await auth.register('ann')).user)
    const ben = auth.as((await auth.register('ben')).user)
    const { apiKey, key } = await ann.createApiKey(ASKED)
    await ben.deleteApiKey({ id: apiKey.id })
    assert.deepEqual(await ben.listApiKeys({}), { items: [] })
    assert.notEqual((await auth.gateway.verifyApiKey({ key })).user, null)
  })

  it('run out', async (t) => {
    const auth = await openTestAuth(t)
    const ann = auth.as((await auth.register()).user)
    const { apiKey, key } = await ann.createApiKey({ ...ASKED, expiresInDays: 1 })
    assert.equal(Date.parse(apiKey.expiresAt) - Date.parse(apiKey.createdAt), DAY_MS)
    await auth.database.ask('update api_key set expires_at = now()')
    assert.deepEqual(await auth.gateway.verifyApiKey({ key }), { user: null })
    assert.deepEqual(await ann.listApiKeys({}), { items: [] })
  })

  it('are twenty at most, also when asked for at the same time; those that ran out do not count', async (t) => {
    const auth = await openTestAuth(t)
    const ann = auth.as((await auth.register('ann')).user)
    const ben = auth.as((await auth.register('ben')).user)
    const make = (): Promise<unknown> => ann.createApiKey(ASKED)
    for (let made = 0; made < 18; made++) await make()
    // All four are held up at the account until they have come as far as they can.
    await auth.database.ask('begin')
    await auth.database.ask('select 1 from account for update')
    const racing = Promise.allSettled(Array.from({ length: 4 }, make))
    const { db } = testContext(auth.database)()
    const waiting = sql`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await until('all four wait', async () => (await db.execute(waiting)) === 4)
    await auth.database.ask('commit')
    const refused = (await racing).filter((outcome) => outcome.status === 'rejected')
    assert.equal(refused.length, 2)
    for (const { reason } of refused) {
      assert.equal(reason.reason, 'too_many_keys')
      assert.equal(reason.status, 409)
    }
    assert.equal((await ann.listApiKeys({})).items.length, 20)
    await ben.createApiKey(ASKED)
    await auth.database.ask(
      'update api_key set expires_at = now() where id = (select id from api_key order by created_at limit 1)',
    )
    await make()
    await assert.rejects(make(), withReason('too_many_keys'))
  })

  it('cannot make keys that may do more than themselves', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    const program = auth.as(user, ['auth:write', 'cart:read'])
    await program.createApiKey({ name: 'less', scopes: ['cart:read'] })
    await assert.rejects(program.createApiKey({ name: 'more', scopes: ['cart:read', 'cart:write'] }), {
      code: 'permission_denied',
    })
  })

  it('are verified for nobody but the gateway', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    const { key } = await auth.as(user).createApiKey(ASKED)
    await assert.rejects(auth.anyone.verifyApiKey({ key }), { code: 'permission_denied' })
    assert.deepEqual(await auth.gateway.verifyApiKey({ key: `${key}A` }), { user: null })
  })
})
