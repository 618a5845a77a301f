import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { migrate } from '@flotilla/core/migrate'
import { systemRandom } from '@flotilla/core/random'
import { openTestDatabase } from '@flotilla/core/test-database'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { signAccessToken } from './access-token.ts'
import { prune } from './prune.ts'
import { Seal } from './sealing.ts'
import { SigningKeys } from './signing-keys.ts'
import { FOLDER, openTestAuth, PASSWORD, testContext } from './testing.test.ts'

const DAY_MS = 86_400_000

/** Instances of the service on one database, at a time that the test decides. */
async function openKeys(t: TestContext) {
  const test = await openTestDatabase(t)
  await migrate(test.url, [{ name: 'auth', folder: `${FOLDER}/auth/migrations` }])
  const startMs = systemClock.now()
  const clock = { ...systemClock, days: 0, now: () => startMs + clock.days * DAY_MS }
  const ctx = testContext(test, clock)
  const instance = (secret = 'the secret of these instances') =>
    new SigningKeys(new Seal(secret, systemRandom))
  return { test, clock, ctx, instance }
}

const kidsOf = (keys: SigningKeys): unknown[] => keys.published.map(({ kid }) => kid)

describe('SigningKeys', () => {
  it('publishes each key a day before it signs, and a day after', async (t) => {
    const { clock, ctx, instance, test } = await openKeys(t)
    const keys = instance()
    const seen: string[] = []
    for (clock.days = 0; clock.days <= 65; clock.days += 0.5) {
      const before = kidsOf(keys)
      await keys.refresh(ctx())
      const signing = keys.current(clock.now()).kid
      assert.ok(clock.days === 0 || before.includes(signing), `day ${clock.days}: known before it is used`)
      if (seen.at(-1) !== signing) seen.push(signing)
      assert.ok(kidsOf(keys).length <= 3)
      const previous = seen.at(-2)
      const isFresh = clock.days % 30 < 1
      if (previous !== undefined && isFresh) assert.ok(kidsOf(keys).includes(previous), `day ${clock.days}`)
      if (previous !== undefined && !isFresh) assert.ok(!kidsOf(keys).includes(previous), `day ${clock.days}`)
    }
    assert.equal(seen.length, 3)
    await prune(ctx())
    const rows = await test.ask<{ kid: string }>('select kid from signing_key order by ordinal')
    assert.deepEqual(
      rows.map(({ kid }) => kid),
      kidsOf(keys),
      'the others are gone',
    )
  })

  it('is the same for all instances, also when they make a key at the same time', async (t) => {
    const { clock, ctx, instance } = await openKeys(t)
    const instances = Array.from({ length: 6 }, () => instance())
    for (const days of [0, 29.5, 30.5, 500]) {
      clock.days = days
      await Promise.all(instances.map((keys) => keys.refresh(ctx())))
      // Who read before another wrote has the newest at its next turn; what it signs with is known to all at once.
      const signing = new Set(instances.map((keys) => keys.current(clock.now()).kid))
      assert.equal(signing.size, 1, `day ${days}`)
      for (const keys of instances) assert.ok(kidsOf(keys).includes([...signing][0]))
    }
  })

  it('makes one usable at once after a long sleep', async (t) => {
    const { clock, ctx, instance, test } = await openKeys(t)
    const keys = instance()
    await keys.refresh(ctx())
    const first = keys.current(clock.now()).kid
    clock.days = 400
    assert.throws(() => keys.current(clock.now()), { code: 'unavailable' })
    await prune(ctx())
    await keys.refresh(ctx())
    assert.notEqual(keys.current(clock.now()).kid, first)
    assert.ok(!kidsOf(keys).includes(first))
    const ordinals = await test.ask('select ordinal from signing_key order by 1')
    assert.deepEqual(ordinals, [{ ordinal: 1 }, { ordinal: 2 }], 'it goes on counting')
  })

  it('keeps private parts out of what it publishes, and sealed in the database', async (t) => {
    const { ctx, instance, test } = await openKeys(t)
    const keys = instance()
    await keys.refresh(ctx())
    assert.deepEqual(
      keys.published.map((key) => Object.keys(key).sort()),
      [['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    )
    const [row] = await test.ask<{ public_key: object; sealed_private_key: Buffer }>(
      'select * from signing_key',
    )
    assert.ok(!('d' in (row?.public_key ?? {})))
    assert.ok(!row?.sealed_private_key.toString('latin1').includes('"kty"'))
    await assert.rejects(instance('another secret').refresh(ctx()), {
      code: 'failed_precondition',
      message: /does not open with this sealing key/,
    })
    await instance().refresh(ctx())
  })

  it('signs what its published keys verify', async (t) => {
    const { clock, ctx, instance } = await openKeys(t)
    const keys = instance()
    await keys.refresh(ctx())
    const somebody = { id: 'u1', roles: ['customer'], tier: 'free' }
    const session = { id: 's1', provenKey: undefined }
    const ports = { clock, newId: () => 'j1' }
    const token = await signAccessToken(keys.current(clock.now()), somebody, session, ports)
    await jwtVerify(token, createLocalJWKSet({ keys: keys.published as never }))
    const { iat = 0, exp, ...claims } = decodeJwt(token)
    assert.equal(exp, iat + 900)
    assert.deepEqual(claims, {
      iss: 'flotilla-shop',
      aud: 'flotilla-shop-api',
      sub: 'u1',
      jti: 'j1',
      roles: ['customer'],
      tier: 'free',
      sid: 's1',
    })
    const header = { alg: 'ES256', typ: 'at+jwt', kid: keys.published[0]?.['kid'] }
    assert.deepEqual(decodeProtectedHeader(token), header)
  })
})

describe('jwks', () => {
  it('has the key of every access token, and nothing private', async (t) => {
    const auth = await openTestAuth(t)
    await auth.register()
    const { accessToken } = await auth.anyone.login({ email: 'ann@example.org', password: PASSWORD })
    const { keys } = await auth.anyone.jwks({})
    assert.equal(keys[0]?.['kid'], decodeProtectedHeader(accessToken).kid)
    assert.ok(keys.every((key) => !('d' in key)))
  })
})
