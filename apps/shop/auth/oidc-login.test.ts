import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import { systemRandom } from '@flotilla/core/random'
import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { byPublicKey, type CrookedProvider, openCrookedProvider, SECRET } from './crooked-provider.test.ts'
import { isLocalPath, newFlow, openFlow, openWaiting, sealFlow, sealWaiting } from './oidc-flow.ts'
import { Seal } from './sealing.ts'
import { ENVIRONMENT, openTestAuth, PASSWORD, type TestAuth, withReason } from './testing.test.ts'

const GATEWAY = 'https://shop.test'

interface Bed {
  readonly auth: TestAuth
  readonly provider: CrookedProvider
  readonly other: CrookedProvider
}

/** The service with two providers, `one` and `two`. */
async function openBed(t: { after(cleanUp: () => Promise<void>): void }): Promise<Bed> {
  const [provider, other] = [await openCrookedProvider(t), await openCrookedProvider(t)]
  const shared = { clientId: 'shop', clientSecret: SECRET, algorithm: 'ES256' }
  const auth = await openTestAuth(t, {
    environment: {
      AUTH_PUBLIC_URL: GATEWAY,
      AUTH_OIDC_PROVIDERS: JSON.stringify([
        { ...shared, name: 'one', issuer: provider.issuer },
        { ...shared, name: 'two', issuer: other.issuer },
      ]),
    },
  })
  return { auth, provider, other }
}

/** Sets out and comes back as an honest browser would; `changes` on top. */
async function goThere({ auth, provider }: Bed, changes: object = {}, returnTo?: string) {
  const { url, login } = await auth.anyone.startOidc({
    provider: 'one',
    ...(returnTo === undefined ? {} : { returnTo }),
  })
  const state = new URL(url).searchParams.get('state') as string
  const code = provider.grant(url)
  return { url, back: { provider: 'one', login, state, code, iss: provider.issuer, ...changes } }
}

describe('startOidc', () => {
  it('sends the browser to the provider with a proof key, and tells nobody the secrets', async (t) => {
    const bed = await openBed(t)
    const { url, back } = await goThere(bed)
    const { origin, searchParams } = new URL(url)
    assert.equal(origin, bed.provider.issuer)
    const { state, nonce, code_challenge, ...others } = Object.fromEntries(searchParams)
    for (const secret of [state, nonce, code_challenge]) assert.match(secret ?? '', /^[\w-]{43}$/)
    assert.deepEqual(others, {
      client_id: 'shop',
      redirect_uri: `${GATEWAY}/api/v1/auth/oidc/one/callback`,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    })
    assert.match(back.login, /^[\w-]+$/)
    assert.ok(
      !Buffer.from(back.login, 'base64url')
        .toString('latin1')
        .includes(state ?? ''),
    )
    const again = await goThere(bed)
    assert.notEqual(again.back.state, state)
  })

  it('knows no provider that is not configured, and no return but to this site', async (t) => {
    const { auth } = await openBed(t)
    await assert.rejects(auth.anyone.startOidc({ provider: 'three' }), withReason('no_provider'))
    await assert.rejects(
      auth.anyone.startOidc({ provider: 'one', returnTo: '//evil.test' }),
      withReason('bad_return'),
    )
  })

  it('is unavailable while the provider is, or is another than was meant; and works again later', async (t) => {
    const bed = await openBed(t)
    bed.provider.bends.metadata = { issuer: bed.other.issuer }
    await assert.rejects(bed.auth.anyone.startOidc({ provider: 'one' }), { code: 'unavailable' })
    bed.provider.bends.metadata = {}
    await bed.auth.anyone.startOidc({ provider: 'one' })
  })
})

describe('takeOidcSession', () => {
  const KEY = `${'k'.repeat(42)}A`

  it('gives its session to the page that a browser goes on to, once, bound to a key if it proves one', async (t) => {
    const bed = await openBed(t)
    const { anyone } = bed.auth
    const waiting = async () => (await anyone.finishOidc((await goThere(bed, {}, '/cart?x=1')).back)).login
    const { returnTo } = await anyone.finishOidc((await goThere(bed, {}, '/cart?x=1')).back)
    assert.equal(returnTo, '/cart?x=1')
    const [login, another] = [await waiting(), await waiting()]
    const session = await anyone.takeOidcSession({ login })
    assert.deepEqual([session.login, session.tokenType, session.user.name], ['', 'Bearer', 'Ann'])
    const { refreshToken } = await anyone.refresh({ refreshToken: session.refreshToken })
    const bound = await anyone.takeOidcSession({ login: another, provenKey: KEY })
    assert.deepEqual(decodeJwt(bound.accessToken)['cnf'], { jkt: KEY })
    await assert.rejects(anyone.takeOidcSession({ login }), withReason('no_login'))
    await assert.rejects(anyone.refresh({ refreshToken }), withReason('bad_token'), 'as of a stolen one')
  })

  it('gives none for what is no login that waits', async (t) => {
    const bed = await openBed(t)
    const { back } = await goThere(bed, {}, '/cart')
    for (const login of [undefined, '', 'x', back.login])
      await assert.rejects(
        bed.auth.anyone.takeOidcSession(login === undefined ? {} : { login }),
        withReason('no_login'),
      )
    const { login } = await bed.auth.anyone.finishOidc(back)
    await assert.rejects(
      bed.auth.anyone.finishOidc({ ...back, login }),
      withReason('not_begun_here'),
      'neither is it one that has begun',
    )
  })
})

describe('finishOidc', () => {
  it('opens an account at the first time, finds it again, and gives sessions like any other', async (t) => {
    const bed = await openBed(t)
    const { auth, provider } = bed
    const first = await auth.anyone.finishOidc((await goThere(bed)).back)
    assert.deepEqual([first.returnTo, first.login, first.tokenType], [undefined, '', 'Bearer'])
    assert.deepEqual(
      [first.user.email, first.user.name, first.user.roles],
      ['ann@example.org', 'Ann', ['customer']],
    )
    assert.ok(decodeJwt(first.accessToken)['sid'])
    provider.bends.claims = { email: 'new@example.org', email_verified: false, name: 'Other' }
    const second = await auth.anyone.finishOidc((await goThere(bed)).back)
    assert.deepEqual(second.user, first.user, 'by the subject, whatever else is said of it')
    const refreshed = await auth.anyone.refresh({ refreshToken: second.refreshToken })
    await auth.anyone.logout({ refreshToken: refreshed.refreshToken })
    const { sessionIds } = await auth.gateway.endedSessions({ after: 0, limit: 10 })
    assert.deepEqual(sessionIds, [decodeJwt(second.accessToken)['sid']])
    await assert.rejects(
      auth.anyone.login({ email: 'ann@example.org', password: PASSWORD }),
      withReason('bad_credentials'),
      'there is no password',
    )
    const [form] = provider.asked
    assert.equal(form?.get('redirect_uri'), `${GATEWAY}/api/v1/auth/oidc/one/callback`)
  })

  it('takes people of two providers for two, whatever names they have there', async (t) => {
    const bed = await openBed(t)
    const ann = await bed.auth.anyone.finishOidc((await goThere(bed)).back)
    bed.other.bends.claims = { email: 'ben@example.org' }
    const { url, login } = await bed.auth.anyone.startOidc({ provider: 'two' })
    const state = new URL(url).searchParams.get('state') as string
    const ben = await bed.auth.anyone.finishOidc({
      provider: 'two',
      login,
      state,
      code: bed.other.grant(url),
      iss: bed.other.issuer,
    })
    assert.notEqual(ben.user.id, ann.user.id)
  })

  it('never takes over an account by its e-mail address', async (t) => {
    const bed = await openBed(t)
    await bed.auth.register()
    await assert.rejects(bed.auth.anyone.finishOidc((await goThere(bed)).back), withReason('email_taken'))
    assert.deepEqual(await bed.auth.database.ask('select * from identity'), [])
  })

  it('keeps out who is blocked', async (t) => {
    const bed = await openBed(t)
    const { user } = await bed.auth.anyone.finishOidc((await goThere(bed)).back)
    await bed.auth.database.ask('update account set blocked_at = now() where id = $1', [user.id])
    await assert.rejects(bed.auth.anyone.finishOidc((await goThere(bed)).back), withReason('blocked'))
  })

  it('takes a return once', async (t) => {
    const bed = await openBed(t)
    const { back } = await goThere(bed)
    await bed.auth.anyone.finishOidc(back)
    await assert.rejects(bed.auth.anyone.finishOidc(back), withReason('not_begun_here'))
    assert.equal(bed.provider.asked.length, 1, 'the provider does not hear of it')
    const many = (await goThere(bed)).back
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () => bed.auth.anyone.finishOidc(many)),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  it('takes no return for which the time is over', async (t) => {
    const bed = await openBed(t)
    const seal = new Seal(ENVIRONMENT.AUTH_SEALING_KEY, systemRandom)
    for (const [ageMs, reason] of [
      [599_000, 'bad_answer'],
      [600_001, 'not_begun_here'],
    ] as const) {
      const flow = newFlow(systemRandom, Date.now() - ageMs, 'one', '/')
      const back = { provider: 'one', state: flow.state, code: 'c', iss: bed.provider.issuer }
      await assert.rejects(
        bed.auth.anyone.finishOidc({ ...back, login: sealFlow(seal, flow) }),
        withReason(reason),
      )
    }
  })

  /** What is wrong with a return, each with the reason that is given. */
  const returns: Readonly<Record<string, readonly [string, (bed: Bed) => Promise<object> | object]>> = {
    'another state': ['not_begun_here', () => ({ state: 'x'.repeat(43) })],
    'no cookie': ['not_begun_here', () => ({ login: undefined })],
    'the cookie of another browser': [
      'not_begun_here',
      async (bed) => ({ login: (await goThere(bed)).back.login }),
    ],
    'the state of another browser': [
      'not_begun_here',
      async (bed) => ({ state: (await goThere(bed)).back.state }),
    ],
    'a cookie that we did not seal': [
      'not_begun_here',
      () => {
        const flow = newFlow(systemRandom, Date.now(), 'one', '/')
        return {
          login: sealFlow(new Seal('another key, long enough', systemRandom), flow),
          state: flow.state,
        }
      },
    ],
    'a return to another provider than was set out for': ['not_begun_here', () => ({ provider: 'two' })],
    'the issuer of another provider (mix-up)': ['bad_answer', ({ other }) => ({ iss: other.issuer })],
    'no issuer, of a provider that always says it': ['bad_answer', () => ({ iss: undefined })],
    'no code': ['bad_answer', () => ({ code: undefined })],
    'a code of nobody': ['bad_answer', () => ({ code: 'stolen' })],
    'a code that was asked for with another proof key': [
      'bad_answer',
      async (bed) => ({ code: (await goThere(bed)).back.code }),
    ],
    'a refusal': ['refused', () => ({ code: undefined, error: 'access_denied' })],
    'a refusal in the name of another provider': [
      'bad_answer',
      ({ other }) => ({ code: undefined, error: 'access_denied', iss: other.issuer }),
    ],
  }
  for (const [name, [reason, changes]] of Object.entries(returns)) {
    it(`refuses ${name}`, async (t) => {
      const bed = await openBed(t)
      const { back } = await goThere(bed)
      const changed = Object.entries({ ...back, ...(await changes(bed)) }).filter(
        ([, value]) => value !== undefined,
      )
      await assert.rejects(
        bed.auth.anyone.finishOidc(Object.fromEntries(changed) as typeof back),
        withReason(reason),
      )
      assert.deepEqual(await bed.auth.database.ask('select * from session'), [])
    })
  }

  const nowS = Math.floor(Date.now() / 1000)
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  /** What a provider may not say, each as it is bent for it. */
  const answers: Readonly<Record<string, Partial<CrookedProvider['bends']>>> = {
    'another nonce': { claims: { nonce: 'another' } },
    'no nonce': { claims: { nonce: undefined } },
    'another issuer': { claims: { iss: 'https://evil.test' } },
    'another audience': { claims: { aud: 'another' } },
    'several audiences, for another party': { claims: { aud: ['shop', 'another'], azp: 'another' } },
    'a time that is over': { claims: { iat: nowS - 900, exp: nowS - 600 } },
    'no end': { claims: { exp: undefined } },
    'no subject': { claims: { sub: undefined } },
    'no signature (alg none)': { header: { alg: 'none' }, signature: () => Buffer.alloc(0) },
    'no signature': { signature: () => Buffer.alloc(0) },
    'HS256, with the public key for a secret': { header: { alg: 'HS256' }, signature: byPublicKey },
    'an algorithm that is not its own': { header: { alg: 'RS256' } },
    'the signature of somebody else': {
      signature: (text) => sign('sha256', Buffer.from(text), { key: stranger, dsaEncoding: 'ieee-p1363' }),
    },
    'a key that it does not publish': { header: { kid: 'k2' } },
    'no identity token': {
      tokenAnswer: { status: 200, body: '{"access_token":"a","token_type":"Bearer"}' },
    },
    'what is no JSON': { tokenAnswer: { status: 200, body: '<html>' } },
    'a redirect': { tokenAnswer: { status: 302, body: '{}' } },
  }
  for (const [name, bends] of Object.entries(answers)) {
    it(`does not believe a provider that gives ${name}`, async (t) => {
      const bed = await openBed(t)
      const { back } = await goThere(bed)
      Object.assign(bed.provider.bends, bends)
      await assert.rejects(bed.auth.anyone.finishOidc(back), withReason('bad_answer'))
      assert.deepEqual(await bed.auth.database.ask('select * from account'), [])
    })
  }

  for (const [name, claims] of Object.entries({
    'an address that it has not verified': { email_verified: false },
    'an address of which it says it in text': { email_verified: 'true' },
    'no address': { email: undefined },
    'what is no address': { email: 'ann at example.org' },
  })) {
    it(`opens no account for ${name}`, async (t) => {
      const bed = await openBed(t)
      bed.provider.bends.claims = claims
      await assert.rejects(bed.auth.anyone.finishOidc((await goThere(bed)).back), withReason('no_email'))
      assert.deepEqual(await bed.auth.database.ask('select * from account'), [])
    })
  }

  it('is unavailable while the provider fails, or says too much', async (t) => {
    const bed = await openBed(t)
    for (const tokenAnswer of [
      { status: 500, body: '{}' },
      { status: 200, body: ' '.repeat(300_000) },
    ]) {
      const { back } = await goThere(bed)
      bed.provider.bends.tokenAnswer = tokenAnswer
      await assert.rejects(bed.auth.anyone.finishOidc(back), { code: 'unavailable' })
    }
  })
})

describe('isLocalPath', () => {
  it('takes paths of this site', () => {
    for (const path of ['/', '/cart', '/products/1?q=a%20b&x=1#top', '/a/b/'])
      assert.ok(isLocalPath(path), path)
  })

  it('refuses what some browser might take for another site', () => {
    const texts = [
      '',
      'cart',
      '//evil.test',
      '/\\evil.test',
      '\\\\evil.test',
      'https://evil.test',
      '/a//evil.test',
    ]
    texts.push(
      '/\t/evil.test',
      '/\n/evil.test',
      ' //evil.test',
      'javascript:alert(1)',
      '/./\\evil',
      '/ä',
      '///x',
    )
    texts.push(`/${'a'.repeat(1_000)}`, '/a?u=//evil.test')
    for (const text of texts) assert.ok(!isLocalPath(text), text)
  })

  it('stays on the site, whatever it takes', () => {
    const pieces = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      ':',
      '@',
      '//',
      '%2f',
      '%5c',
      'evil.test',
      '?',
      '#',
      '\t',
      ' ',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        const text = `/${parts.join('')}`
        if (!isLocalPath(text)) return
        const url = new URL(text, 'https://shop.test')
        assert.equal(url.origin, 'https://shop.test')
        assert.equal(new URL(url.pathname, 'https://shop.test').origin, 'https://shop.test')
      }),
    )
  })
})

describe('openWaiting', () => {
  it('gives back what was sealed, for two minutes', () => {
    const seal = new Seal(ENVIRONMENT.AUTH_SEALING_KEY, systemRandom)
    const text = sealWaiting(seal, 'token', 0)
    assert.equal(openWaiting(seal, text, 119_999), 'token')
    assert.equal(openWaiting(seal, text, 120_000), undefined)
    assert.equal(openFlow(seal, text, 0), undefined)
    assert.equal(openWaiting(seal, sealFlow(seal, newFlow(systemRandom, 0, 'one', '/')), 0), undefined)
  })
})

describe('openFlow', () => {
  it('gives back what was sealed, and nothing of what was changed', () => {
    const seal = new Seal(ENVIRONMENT.AUTH_SEALING_KEY, systemRandom)
    const flow = newFlow(systemRandom, 0, 'one', '/cart')
    const text = sealFlow(seal, flow)
    assert.deepEqual(openFlow(seal, text, 599_999), flow)
    assert.equal(openFlow(seal, text, 600_000), undefined)
    const bytes = Buffer.from(text, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes)
      changed[index] = (changed[index] as number) ^ 1
      assert.equal(openFlow(seal, changed.toString('base64url'), 0), undefined)
    }
    for (const nothing of ['', 'x', text.slice(0, -4)]) assert.equal(openFlow(seal, nothing, 0), undefined)
  })
})
