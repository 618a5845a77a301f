import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { decodeJwt } from 'jose'
import { auth as contract } from '../contracts/auth.ts'
import { openTestAuth, PASSWORD, type TestAuth, withReason } from './testing.test.ts'

const NEW_PASSWORD = 'nine herons whistling'
const EMAIL = 'ann@example.org'

const sidOf = ({ accessToken }: { readonly accessToken: string }): string =>
  decodeJwt(accessToken)['sid'] as string

const endedIn = async ({ gateway }: TestAuth): Promise<readonly string[]> =>
  (await gateway.endedSessions({ after: 0, limit: 1_000 })).sessionIds

const hashOf = (key: string): string => createHash('sha256').update(key).digest('base64url')

const asAdmin =
  ({ app }: TestAuth) =>
  (name: 'blockUser' | 'unblockUser', id: string) =>
    app
      .call(contract, { user: { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'free' } })
      [name]({ id })

describe('endedSessions', () => {
  it('tells of a session that was logged out, by the name its access tokens have, and of no other', async (t) => {
    const auth = await openTestAuth(t)
    const first = await auth.register()
    const other = await auth.anyone.login({ email: EMAIL, password: PASSWORD })
    const refreshed = await auth.anyone.refresh({ refreshToken: first.refreshToken })
    assert.equal(sidOf(refreshed), sidOf(first), 'the session stays the same')
    assert.notEqual(sidOf(other), sidOf(first))
    assert.deepEqual(await endedIn(auth), [])
    await auth.anyone.logout({ refreshToken: refreshed.refreshToken })
    await auth.anyone.logout({ refreshToken: refreshed.refreshToken })
    assert.deepEqual(await endedIn(auth), [sidOf(first)])
    await auth.anyone.refresh({ refreshToken: other.refreshToken })
  })

  it('tells of a session that ended because a refresh token came twice', async (t) => {
    const auth = await openTestAuth(t)
    const first = await auth.register()
    await auth.anyone.refresh({ refreshToken: first.refreshToken })
    await assert.rejects(auth.anyone.refresh({ refreshToken: first.refreshToken }), withReason('bad_token'))
    assert.deepEqual(await endedIn(auth), [sidOf(first)])
  })

  it('gives positions without gaps, however many end at the same time, and goes on after any', async (t) => {
    const auth = await openTestAuth(t)
    await auth.register()
    const sessions = await Promise.all(
      Array.from({ length: 12 }, () => auth.anyone.login({ email: EMAIL, password: PASSWORD })),
    )
    await Promise.all(sessions.map((session) => auth.anyone.logout({ refreshToken: session.refreshToken })))
    const rows = await auth.database.ask<{ position: string }>(
      'select position from ended_session order by position',
    )
    assert.deepEqual(
      rows.map(({ position }) => Number(position)),
      sessions.map((_, index) => index + 1),
    )
    const seen: string[] = []
    let after = 0
    for (let page = 0; page < 4; page++) {
      const { sessionIds, position } = await auth.gateway.endedSessions({ after, limit: 5 })
      seen.push(...sessionIds)
      after = position
    }
    assert.deepEqual(new Set(seen), new Set(sessions.map(sidOf)))
    assert.equal(seen.length, 12)
    assert.deepEqual(await auth.gateway.endedSessions({ after: 12, limit: 5 }), {
      sessionIds: [],
      position: 12,
    })
    const restored = await auth.gateway.endedSessions({ after: 13, limit: 5 })
    assert.deepEqual(restored, { sessionIds: seen.slice(0, 5), position: 5 }, 'a position yet to come')
  })

  it("tells of an API key that was deleted, and of none that is not the user's own", async (t) => {
    const auth = await openTestAuth(t)
    const [ann, ben] = [await auth.register(), await auth.register('ben')]
    const { apiKey, key } = await auth.as(ann.user).createApiKey({ name: 'mine', scopes: ['cart:read'] })
    await auth.as(ben.user).deleteApiKey({ id: apiKey.id })
    assert.deepEqual(await endedIn(auth), [])
    for (let time = 0; time < 2; time++) await auth.as(ann.user).deleteApiKey({ id: apiKey.id })
    assert.deepEqual(await endedIn(auth), [hashOf(key)])
  })

  it('is for gateways only', async (t) => {
    const auth = await openTestAuth(t)
    await assert.rejects(auth.anyone.endedSessions({ after: 0, limit: 1 }), { code: 'permission_denied' })
  })

  it('a hundred sessions are the most; the one that was idle for longest ends', async (t) => {
    const auth = await openTestAuth(t)
    const first = await auth.register()
    await auth.database.ask(`insert into session
      select sha256(n::text::bytea), sha256('t'), account.id, now() + interval '30 d', now() + interval '30 d'
      from account, generate_series(1, 99) n`)
    assert.deepEqual(await endedIn(auth), [])
    await auth.anyone.login({ email: EMAIL, password: PASSWORD })
    assert.deepEqual(await endedIn(auth), [sidOf(first)])
  })
})

describe('logoutEverywhere', () => {
  it('ends all sessions of the user and of nobody else', async (t) => {
    const auth = await openTestAuth(t)
    const sessions = [await auth.register(), await auth.anyone.login({ email: EMAIL, password: PASSWORD })]
    const ben = await auth.register('ben')
    await auth.as((sessions[0] as (typeof sessions)[0]).user).logoutEverywhere({})
    assert.deepEqual(new Set(await endedIn(auth)), new Set(sessions.map(sidOf)))
    for (const session of sessions)
      await assert.rejects(
        auth.anyone.refresh({ refreshToken: session.refreshToken }),
        withReason('bad_token'),
      )
    await auth.anyone.refresh({ refreshToken: ben.refreshToken })
  })
})

describe('changePassword', () => {
  it('ends all sessions, begins a new one, and the old password is worth nothing', async (t) => {
    const auth = await openTestAuth(t)
    const before = await auth.register()
    const session = await auth
      .as(before.user)
      .changePassword({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD })
    assert.deepEqual(session.user, before.user)
    assert.deepEqual(await endedIn(auth), [sidOf(before)])
    await auth.anyone.refresh({ refreshToken: session.refreshToken })
    await assert.rejects(
      auth.anyone.login({ email: EMAIL, password: PASSWORD }),
      withReason('bad_credentials'),
    )
    await auth.anyone.login({ email: EMAIL, password: NEW_PASSWORD })
  })

  it('wants the current password, counts failures as a login does, and refuses a weak one', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    const change = (currentPassword: string, newPassword: string) =>
      auth.as(user).changePassword({ currentPassword, newPassword })
    await assert.rejects(change(PASSWORD, 'passwordpassword'), withReason('weak_password'))
    const wrong = { reason: 'bad_credentials', status: 403 }
    for (let failure = 0; failure < 10; failure++) await assert.rejects(change('wrong', NEW_PASSWORD), wrong)
    await assert.rejects(change(PASSWORD, NEW_PASSWORD), withReason('locked_out'))
    assert.deepEqual(await endedIn(auth), [])
  })

  it('leaves no session to a login that had compared the old password', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    await auth.database.ask('begin')
    await auth.database.ask("update account set password_hash = 'another' where id = $1", [user.id])
    const login = auth.anyone.login({ email: EMAIL, password: PASSWORD })
    login.catch(() => {
      // Looked at below.
    })
    await until('the login waits', async () => {
      const [row] = await auth.database.ask<{ waiting: boolean }>(
        'select exists (select from pg_locks where not granted) as waiting',
      )
      return row?.waiting === true
    })
    await auth.database.ask('commit')
    await assert.rejects(login, withReason('bad_credentials'))
  })
})

describe('blockUser', () => {
  it('ends sessions, keeps out whoever has the password, and makes API keys worthless, until it is taken back', async (t) => {
    const auth = await openTestAuth(t)
    const admin = asAdmin(auth)
    const session = await auth.register()
    const { id } = session.user
    const { key } = await auth.as(session.user).createApiKey({ name: 'mine', scopes: ['cart:read'] })
    await admin('blockUser', id)
    assert.deepEqual(await endedIn(auth), [sidOf(session), hashOf(key)])
    await admin('blockUser', id)
    await assert.rejects(auth.anyone.refresh({ refreshToken: session.refreshToken }), withReason('bad_token'))
    await assert.rejects(auth.anyone.login({ email: EMAIL, password: PASSWORD }), withReason('blocked'))
    await assert.rejects(
      auth.anyone.login({ email: EMAIL, password: 'not it' }),
      withReason('bad_credentials'),
    )
    assert.equal((await auth.gateway.verifyApiKey({ key })).user, null)
    await admin('unblockUser', id)
    await auth.anyone.login({ email: EMAIL, password: PASSWORD })
    assert.equal((await auth.gateway.verifyApiKey({ key })).user?.id, id)
  })

  it('is for admins, for accounts that are there, and not for oneself', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    await assert.rejects(auth.as(user).blockUser({ id: user.id }), { code: 'permission_denied' })
    await assert.rejects(asAdmin(auth)('blockUser', 'nobody'), withReason('no_user'))
    await assert.rejects(asAdmin(auth)('unblockUser', 'nobody'), withReason('no_user'))
    await assert.rejects(asAdmin(auth)('blockUser', 'the-admin'), withReason('yourself'))
  })
})
