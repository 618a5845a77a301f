import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { decodeJwt } from 'jose'
import { openTestAuth, PASSWORD, type TestAuth, withReason } from './testing.test.ts'

const badToken = withReason('bad_token')

function sessions({ database }: TestAuth): Promise<readonly unknown[]> {
  return database.ask('select * from session')
}

describe('refresh', () => {
  it('gives new tokens for the newest one, again and again', async (t) => {
    const auth = await openTestAuth(t)
    const first = await auth.register()
    let { refreshToken } = first
    const seen = new Set([refreshToken])
    for (let turn = 0; turn < 5; turn++) {
      const next = await auth.anyone.refresh({ refreshToken })
      assert.deepEqual(next.user, first.user)
      assert.ok(next.accessToken !== first.accessToken)
      refreshToken = next.refreshToken
      seen.add(refreshToken)
    }
    assert.equal(seen.size, 6)
    assert.equal((await sessions(auth)).length, 1, 'one row, however often')
  })

  it('ends the whole family when any used token of it comes back, and no other', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken: first } = await auth.register()
    const other = await auth.anyone.login({ email: 'ann@example.org', password: PASSWORD })
    const second = await auth.anyone.refresh({ refreshToken: first })
    const third = await auth.anyone.refresh({ refreshToken: second.refreshToken })
    await assert.rejects(auth.anyone.refresh({ refreshToken: first }), badToken)
    await assert.rejects(auth.anyone.refresh({ refreshToken: third.refreshToken }), badToken)
    await auth.anyone.refresh({ refreshToken: other.refreshToken })
  })

  it('gives one of many who use a token at the same time the next one, which is worth nothing by then', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken } = await auth.register()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 12 }, () => auth.anyone.refresh({ refreshToken })),
    )
    const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
    assert.equal(won.length, 1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'bad_token')
    }
    const next = won[0]?.value.refreshToken as string
    await assert.rejects(auth.anyone.refresh({ refreshToken: next }), badToken)
    assert.deepEqual(await sessions(auth), [])
  })

  it('ends when it was not used for a week, and after a month however busy', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken } = await auth.register()
    const days = async (): Promise<unknown> =>
      auth.database.ask(`select round(extract(epoch from expires_at - now()) / 86400)::int as idle,
        round(extract(epoch from ends_at - now()) / 86400)::int as absolute from session`)
    assert.deepEqual(await days(), [{ idle: 7, absolute: 30 }])
    await auth.database.ask(
      "update session set ends_at = now() + interval '2 days', expires_at = now() + interval '1 s'",
    )
    const next = await auth.anyone.refresh({ refreshToken })
    assert.deepEqual(await days(), [{ idle: 2, absolute: 2 }], 'use prolongs it, but not beyond its end')
    await auth.database.ask('update session set expires_at = now()')
    await assert.rejects(auth.anyone.refresh({ refreshToken: next.refreshToken }), badToken)
    assert.deepEqual(await sessions(auth), [])
  })

  it('refuses what is no token of ours', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken, accessToken } = await auth.register()
    const changed =
      refreshToken.slice(0, 10) + (refreshToken[10] === 'A' ? 'B' : 'A') + refreshToken.slice(11)
    for (const token of [
      'x',
      changed,
      accessToken.slice(0, 200),
      `${refreshToken}A`,
      refreshToken.slice(0, 26),
    ]) {
      await assert.rejects(auth.anyone.refresh({ refreshToken: token }), badToken, token)
    }
    await auth.anyone.refresh({ refreshToken })
  })

  it('stores nothing that could be used as a token', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken } = await auth.register()
    assert.match(refreshToken, /^flr_[\w-]{65}$/)
    const [row] = await auth.database.ask<{ text: string }>('select session::text as text from session')
    const text = row?.text ?? ''
    assert.ok(text.includes(createHash('sha256').update(refreshToken).digest('hex')))
    for (const part of [refreshToken, refreshToken.slice(4), refreshToken.slice(26)]) {
      for (const bytes of [Buffer.from(part), Buffer.from(part, 'base64url')]) {
        assert.ok(!text.includes(bytes.toString('hex')) && !text.includes(part))
      }
    }
  })
})

const KEY = `${'k'.repeat(42)}A`
const OTHER = `${'o'.repeat(42)}A`
const keyOf = ({ accessToken }: { readonly accessToken: string }): unknown => decodeJwt(accessToken)['cnf']

describe('a session that is bound to a key', () => {
  const open = async (auth: TestAuth) => {
    const { email } = (await auth.register()).user
    return auth.anyone.login({ email, password: PASSWORD, provenKey: KEY })
  }

  it('has tokens that name the key, and goes on with that alone', async (t) => {
    const auth = await openTestAuth(t)
    const first = await open(auth)
    assert.deepEqual([first.tokenType, keyOf(first)], ['DPoP', { jkt: KEY }])
    for (const provenKey of [undefined, OTHER]) {
      const refresh = auth.anyone.refresh({
        refreshToken: first.refreshToken,
        ...(provenKey && { provenKey }),
      })
      await assert.rejects(refresh, withReason('another_key'))
    }
    const next = await auth.anyone.refresh({ refreshToken: first.refreshToken, provenKey: KEY })
    assert.deepEqual([next.tokenType, keyOf(next)], ['DPoP', { jkt: KEY }])
    const { sessionIds } = await auth.gateway.endedSessions({ after: 0, limit: 10 })
    assert.deepEqual(sessionIds, [], 'who cannot prove anything ends nothing')
  })

  it('ends when a used token comes back, whoever shows it', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken } = await open(auth)
    const next = await auth.anyone.refresh({ refreshToken, provenKey: KEY })
    await assert.rejects(auth.anyone.refresh({ refreshToken }), badToken)
    await assert.rejects(auth.anyone.refresh({ refreshToken: next.refreshToken, provenKey: KEY }), badToken)
  })

  it('begins with the first refresh that proves a key, too', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken } = await auth.register()
    const bound = await auth.anyone.refresh({ refreshToken, provenKey: KEY })
    assert.deepEqual([bound.tokenType, keyOf(bound)], ['DPoP', { jkt: KEY }])
    const stolen = auth.anyone.refresh({ refreshToken: bound.refreshToken })
    await assert.rejects(stolen, withReason('another_key'))
    await auth.anyone.refresh({ refreshToken: bound.refreshToken, provenKey: KEY })
  })

  it('begins with a registration and with a change of password, too', async (t) => {
    const auth = await openTestAuth(t)
    const account = { email: 'ann@example.org', password: PASSWORD, name: 'Ann' }
    const first = await auth.anyone.register({ ...account, provenKey: KEY })
    assert.deepEqual(keyOf(first), { jkt: KEY })
    const change = { currentPassword: PASSWORD, newPassword: 'nine herons whistling' }
    const next = await auth.as(first.user).changePassword({ ...change, provenKey: OTHER })
    assert.deepEqual(keyOf(next), { jkt: OTHER })
    await assert.rejects(auth.anyone.refresh({ refreshToken: next.refreshToken, provenKey: KEY }))
    await auth.anyone.refresh({ refreshToken: next.refreshToken, provenKey: OTHER })
  })

  it('can be ended by who has its token alone', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken } = await open(auth)
    await auth.anyone.logout({ refreshToken })
    await assert.rejects(auth.anyone.refresh({ refreshToken, provenKey: KEY }), badToken)
  })
})

describe('logout', () => {
  it('ends the session by any of its tokens, and is quiet when it is over', async (t) => {
    const auth = await openTestAuth(t)
    const { refreshToken: used } = await auth.register()
    const { refreshToken } = await auth.anyone.refresh({ refreshToken: used })
    assert.deepEqual(await auth.anyone.logout({ refreshToken: used }), {})
    await assert.rejects(auth.anyone.refresh({ refreshToken }), badToken)
    assert.deepEqual(await auth.anyone.logout({ refreshToken }), {})
    assert.deepEqual(await auth.anyone.logout({ refreshToken: 'never one' }), {})
  })
})
