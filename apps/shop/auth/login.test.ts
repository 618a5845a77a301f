import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FlotillaError } from '@flotilla/core/error'
import { openTestAuth, PASSWORD, type TestAuth, withReason } from './testing.test.ts'

const WRONG = 'not the password at all'

async function failLogin({ anyone }: TestAuth, email: string, password = WRONG): Promise<FlotillaError> {
  const outcome = await anyone.login({ email, password }).catch((error: unknown) => error)
  assert.ok(outcome instanceof Error, 'the login fails')
  return outcome as FlotillaError
}

describe('register', () => {
  it('keeps a hash of the password, and the address in lower case', async (t) => {
    const { anyone, as, database } = await openTestAuth(t)
    const { user, expiresIn, tokenType } = await anyone.register({
      email: 'Ann@Example.org',
      password: PASSWORD,
      name: 'Ann',
    })
    assert.equal(user.email, 'ann@example.org')
    assert.deepEqual({ expiresIn, tokenType }, { expiresIn: 900, tokenType: 'Bearer' })
    const [row] = await database.ask<{ password_hash: string }>('select password_hash from account')
    assert.match(row?.password_hash ?? '', /^\$argon2id\$v=19\$m=47104,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    const { createdAt, ...profile } = await as(user).me({})
    const expected = { email: 'ann@example.org', name: 'Ann', roles: ['customer'], tier: 'free', id: user.id }
    assert.deepEqual(profile, expected)
    assert.ok(Number.isFinite(Date.parse(createdAt)))
  })

  it('gives an address to one of many who want it at the same time', async (t) => {
    const { anyone, database } = await openTestAuth(t)
    const emails = [
      'ann@example.org',
      'Ann@example.org',
      'ANN@EXAMPLE.ORG',
      'aNN@example.org',
      'ann@Example.org',
    ]
    const outcomes = await Promise.allSettled(
      emails.map((email) => anyone.register({ email, password: PASSWORD, name: 'Ann' })),
    )
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(lost.length, emails.length - 1)
    for (const { reason } of lost) assert.equal(reason.reason, 'email_taken')
    assert.deepEqual(await database.ask('select count(*)::int as accounts from account'), [{ accounts: 1 }])
    assert.deepEqual(await database.ask('select count(*)::int as sessions from session'), [{ sessions: 1 }])
  })

  it('refuses a weak password before it costs anything', async (t) => {
    const { anyone, hashings } = await openTestAuth(t)
    const before = hashings()
    const weak = { email: 'ann@example.org', password: 'passwordpassword', name: 'Ann' }
    await assert.rejects(anyone.register(weak), withReason('weak_password'))
    await assert.rejects(
      anyone.register({ ...weak, password: 'Ann@example.org' }),
      withReason('weak_password'),
    )
    assert.equal(hashings(), before)
  })
})

describe('login', () => {
  it('takes the right password, however the address is written', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    const session = await auth.anyone.login({ email: 'ANN@example.org', password: PASSWORD })
    assert.deepEqual(session.user, user)
  })

  it('takes addresses with any letters that the contract lets in', async (t) => {
    const { anyone } = await openTestAuth(t)
    for (const email of [
      'ÄNN@example.org',
      'İD@example.org',
      'ΣΊΣΥΦΟΣ@example.org',
      "o'Neil+x@Example.org",
    ]) {
      const account = { email, password: PASSWORD }
      const opened = await anyone
        .register({ ...account, name: 'Ann' })
        .catch((error: FlotillaError) => error.code)
      if (opened !== 'invalid_argument') assert.ok((await anyone.login(account)).accessToken, email)
    }
  })

  it('hashes long passwords whole', async (t) => {
    const { anyone } = await openTestAuth(t)
    const long = Array.from({ length: 36 }, (_, index) => `word${index}`)
      .join(' ')
      .padEnd(256, '~')
    await anyone.register({ email: 'ann@example.org', password: long, name: 'Ann' })
    const almost = `${long.slice(0, -1)}!`
    await assert.rejects(
      anyone.login({ email: 'ann@example.org', password: almost }),
      withReason('bad_credentials'),
    )
    await anyone.login({ email: 'ann@example.org', password: long })
  })

  it('does and says the same for a wrong password and an unknown address', async (t) => {
    const auth = await openTestAuth(t)
    await auth.register()
    const start = auth.hashings()
    const wrong = await failLogin(auth, 'ann@example.org')
    const afterWrong = auth.hashings()
    const unknown = await failLogin(auth, 'nobody@example.org')
    assert.equal(wrong.reason, 'bad_credentials')
    assert.deepEqual(unknown.toBody(), wrong.toBody())
    assert.equal(afterWrong - start, 1)
    assert.equal(auth.hashings() - afterWrong, 1, 'an unknown address costs as much')
  })

  it('locks known and unknown addresses out after ten failures, and then hashes nothing', async (t) => {
    const auth = await openTestAuth(t)
    await auth.register()
    const answers = async (email: string): Promise<readonly object[]> => {
      const bodies: object[] = []
      for (let attempt = 0; attempt < 12; attempt++) {
        const { retryAfterMs, ...body } = (await failLogin(auth, email)).toBody()
        bodies.push({ ...body, mustWait: retryAfterMs !== undefined })
      }
      return bodies
    }
    const start = auth.hashings()
    const known = await answers('ann@example.org')
    assert.equal(auth.hashings() - start, 10)
    const unknown = await answers('nobody@example.org')
    assert.equal(auth.hashings() - start, 20)
    assert.deepEqual(unknown, known)
    assert.deepEqual(
      known.map((body) => (body as { reason: string }).reason),
      [...Array<string>(10).fill('bad_credentials'), 'locked_out', 'locked_out'],
    )
    const right = await failLogin(auth, 'ann@example.org', PASSWORD)
    assert.equal(right.reason, 'locked_out', 'the right password is not told apart')
    assert.ok(right.retryAfterMs !== undefined && right.retryAfterMs > 0 && right.retryAfterMs <= 30_000)
  })

  it('waits longer after more failures, never more than a quarter of an hour, and not at all after a success', async (t) => {
    const auth = await openTestAuth(t)
    await auth.register()
    await failLogin(auth, 'ann@example.org')
    for (const [failures, waitMs] of [
      [10, 30_000],
      [11, 60_000],
      [14, 480_000],
      [15, 900_000],
      [2_000_000_000, 900_000],
    ] as const) {
      await auth.database.ask('update login_failure set failures = $1, failed_at = now()', [failures])
      const { reason, retryAfterMs = 0 } = await failLogin(auth, 'ann@example.org')
      assert.equal(reason, 'locked_out')
      assert.ok(retryAfterMs > waitMs - 10_000 && retryAfterMs <= waitMs + 1, `${failures}: ${retryAfterMs}`)
    }
    await auth.database.ask("update login_failure set failures = 12, failed_at = now() - interval '121 s'")
    assert.equal((await failLogin(auth, 'ann@example.org')).reason, 'bad_credentials', 'the wait is over')
    assert.equal(
      (await failLogin(auth, 'ann@example.org')).reason,
      'locked_out',
      'one guess, and the next wait',
    )
    await auth.database.ask("update login_failure set failed_at = now() - interval '1 hour'")
    await auth.anyone.login({ email: 'ann@example.org', password: PASSWORD })
    assert.deepEqual(await auth.database.ask('select * from login_failure'), [])
  })

  it('lets a crowd that guesses at the same time hardly past the limit', async (t) => {
    const auth = await openTestAuth(t)
    await auth.register()
    const start = auth.hashings()
    await Promise.all(Array.from({ length: 40 }, () => failLogin(auth, 'ann@example.org')))
    assert.ok(auth.hashings() - start <= 11, `${auth.hashings() - start} guesses`)
  })
})

describe('me', () => {
  it('tells when the account is gone', async (t) => {
    const auth = await openTestAuth(t)
    const { user } = await auth.register()
    await auth.database.ask('delete from account')
    await assert.rejects(auth.as(user).me({}), withReason('gone'))
    await assert.rejects(auth.as(user).createApiKey({ name: 'late', scopes: ['cart:read'] }), {
      code: 'not_found',
    })
  })
})
