import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { User } from '@flotilla/core/caller'
import type { JSONWebKeySet } from 'jose'
import {
  AUDIENCE,
  CLAIMS,
  ed,
  es256,
  HEADER,
  ISSUERS,
  isRefusal,
  jwk,
  KEYS,
  NOW_S,
  OLD,
  OUR_KEYS,
  OURS,
  openTokens,
  PARTNER,
  PARTNERS,
  partners,
  ps256,
  rs256,
  token,
  withClaims,
  withHeader,
  without,
} from './forge.test.ts'
import type { Issuer } from './issuer.ts'

const USER: User = { id: 'u1', roles: ['user'], scopes: [], tier: 'free' }
const SELLER: User = { id: 'partner|u1', roles: ['seller'], scopes: [], tier: 'free' }
const nobody: User = { ...SELLER, roles: [] }

/** The order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
/** A valid signature in its other form, which anybody can make of it: with the order less s. */
const otherForm = (text: string): Buffer => {
  const good = es256()(text)
  const s = ORDER - BigInt(`0x${good.subarray(32).toString('hex')}`)
  return Buffer.concat([good.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
}
const ofOld = { ...without(CLAIMS, 'roles'), iss: OLD, aud: 'old-shop' }

/** What is taken, and whom it speaks of. */
const accepted: Readonly<Record<string, readonly [string, User]>> = {
  'one of ours': [token(), USER],
  'the type in its long form': [withHeader({ typ: 'application/at+jwt' }), USER],
  'fields of the header that say nothing to us': [withHeader({ x5t: 'AAAA', x: { alg: 'none' } }), USER],
  'other audiences beside ours': [withClaims({ aud: ['other', AUDIENCE] }), USER],
  'sixteen audiences': [withClaims({ aud: Array.from({ length: 16 }, () => AUDIENCE) }), USER],
  'clocks that go half a minute wrong': [withClaims({ nbf: NOW_S + 30, iat: NOW_S + 30 }), USER],
  'one that expired just now': [withClaims({ iat: NOW_S - 600, exp: NOW_S - 29 }), USER],
  'a lifetime of fifteen minutes': [withClaims({ iat: NOW_S, exp: NOW_S + 900 }), USER],
  'times in another notation': [
    token(HEADER, JSON.stringify(CLAIMS).replace(`${NOW_S + 600}`, '17.000006e8')),
    USER,
  ],
  'claims in other words and spaces': [
    token(HEADER, JSON.stringify(CLAIMS, undefined, 2).replace('"sub"', '"\\u0073ub"')),
    USER,
  ],
  'the names of claims further in': [
    withClaims({ x: [{ sub: 'admin' }, { sub: 'admin' }, '{"sub":'] }),
    USER,
  ],
  'fields in letters of another case': [withClaims({ SUB: 'admin', Roles: ['admin'] }), USER],
  'claims of 32 levels': [
    token(HEADER, `${JSON.stringify(CLAIMS).slice(0, -1)},"x":${'['.repeat(31)}${']'.repeat(31)}}`),
    USER,
  ],
  'text of all kinds': [withClaims({ name: 'Ünïcödé 🚢', text: '"}],:\\' }), USER],
  'a subject of 255 characters': [withClaims({ sub: 'u'.repeat(255) }), { ...USER, id: 'u'.repeat(255) }],
  'an empty list of roles': [withClaims({ roles: [] }), { ...USER, roles: [] }],
  'a scope': [
    withClaims({ scope: 'cart:read cart:write' }),
    { ...USER, scopes: ['cart:read', 'cart:write'] },
  ],
  'the other form of a signature': [token(HEADER, CLAIMS, otherForm), USER],
  'one of a partner, whose key has the name of ours': [partners(), SELLER],
  EdDSA: [partners({}, { alg: 'EdDSA', kid: 'ed' }, ed()), SELLER],
  PS256: [partners({}, { alg: 'PS256', kid: 'ps' }, ps256()), SELLER],
  'RS256, of the issuer that does it': [
    token({ ...HEADER, alg: 'RS256', kid: 'rsa' }, ofOld, rs256()),
    { id: 'old|u1', roles: [], scopes: [], tier: 'premium' },
  ],
  'a partner’s user with a name like ours': [
    partners({ sub: 'admin|u1' }),
    { ...SELLER, id: 'partner|admin|u1' },
  ],
  'groups that mean several roles, once each': [
    partners({ groups: ['heads', 'clerks', 'others'] }),
    { ...SELLER, roles: ['seller', 'admin'] },
  ],
  'groups that mean nothing': [
    partners({ groups: ['admin', 'seller', '__proto__', 'constructor', 'toString', ''] }),
    nobody,
  ],
  'a partner’s claims that are named like ours': [
    partners({ groups: [], roles: ['admin'], tier: 'none' }),
    nobody,
  ],
  'no groups': [token(HEADER, without(PARTNERS, 'groups'), es256(KEYS.partner.privateKey)), nobody],
}

/** Ours alone, with keys that are fetched as `fetch` says. */
function openOurs(fetch: () => Promise<JSONWebKeySet> = async () => OUR_KEYS) {
  let fetches = 0
  const keys = () => {
    fetches++
    return fetch()
  }
  const opened = openTokens([{ ...(ISSUERS[0] as Issuer), keys }])
  return { ...opened, fetches: () => fetches }
}

const unauthenticated = { code: 'unauthenticated' }
const otherKeys: JSONWebKeySet = { keys: [jwk(KEYS.stranger.publicKey, 'new', { alg: 'ES256' })] }

describe('AccessTokens', () => {
  const { tokens: all } = openTokens()
  for (const [name, [text, user]] of Object.entries(accepted)) {
    it(`takes ${name}`, async () => {
      const verified = await all.verify(text)
      assert.deepEqual(verified.user, user)
      assert.equal(all.known(text), verified.expiresAtMs > NOW_S * 1000 ? verified : undefined)
    })
  }

  it('remembers a token until it runs out', async () => {
    const { clock, tokens } = openTokens()
    const verified = await tokens.verify(token())
    assert.equal(verified.expiresAtMs, (NOW_S + 600) * 1000)
    assert.equal(tokens.known(token(HEADER, CLAIMS)), undefined, 'another signature is another token')
    const text = token()
    const its = await tokens.verify(text)
    assert.deepEqual(its, verified)
    assert.equal(tokens.known(text), its)
    assert.equal(await tokens.verify(text), its)
    await clock.advance(600_000)
    assert.equal(tokens.known(text), undefined)
    await clock.advance(31_000)
    await assert.rejects(tokens.verify(text), (error) => isRefusal(error, 'expired'))
  })

  it('forgets with the wall clock, also when somebody sets it', async () => {
    const { clock, tokens } = openTokens()
    const text = token()
    await tokens.verify(text)
    clock.jump(3_600_000)
    await assert.rejects(tokens.verify(text), (error) => isRefusal(error, 'expired'))
  })

  it('takes a new key at its first use', async () => {
    let keys = otherKeys
    const { clock, tokens, fetches } = openOurs(async () => keys)
    await assert.rejects(tokens.verify(token()), (error) => isRefusal(error, 'unknown key'))
    keys = OUR_KEYS
    await clock.advance(30_000)
    assert.equal((await tokens.verify(token())).user.id, 'u1')
    assert.equal(fetches(), 2)
  })

  it('drops a key that the issuer dropped, five minutes later', async () => {
    let keys = OUR_KEYS
    const { clock, tokens } = openOurs(async () => keys)
    await tokens.verify(token())
    keys = otherKeys
    await clock.advance(300_001)
    await assert.rejects(tokens.verify(token()), (error) => isRefusal(error, 'unknown key'))
  })

  it('fetches keys once in thirty seconds, however many unknown ones are named', async () => {
    const { clock, tokens, fetches } = openOurs()
    const flood = () =>
      Promise.allSettled(
        Array.from({ length: 500 }, (_, kid) => tokens.verify(withHeader({ kid: `k${kid}` }))),
      )
    await flood()
    await flood()
    assert.equal(fetches(), 1)
    await clock.advance(30_000)
    await flood()
    assert.equal(fetches(), 2)
  })

  it('asks an issuer for its keys only for a token that names it', async () => {
    const asked: string[] = []
    const issuers = ISSUERS.map((issuer) => ({
      ...issuer,
      keys: async () => {
        asked.push(issuer.issuer)
        return OUR_KEYS
      },
    }))
    const { tokens } = openTokens(issuers)
    await assert.rejects(tokens.verify(withClaims({ iss: 'https://evil.test' })), unauthenticated)
    await assert.rejects(tokens.verify(withHeader({ typ: 'JWT' })), unauthenticated)
    assert.deepEqual(asked, [])
    await tokens.verify(token())
    assert.deepEqual(asked, [OURS])
  })

  it('goes on with the keys it has while the issuer is away, for a day', async () => {
    let isAway = false
    const { clock, tokens, warnings } = openOurs(async () => {
      if (isAway) throw new Error('away')
      return OUR_KEYS
    })
    await tokens.verify(token())
    isAway = true
    const laterToken = (): string => {
      const nowS = Math.floor(clock.now() / 1000)
      return withClaims({ iat: nowS, exp: nowS + 600 })
    }
    await clock.advance(23 * 3_600_000)
    assert.equal((await tokens.verify(laterToken())).user.id, 'u1')
    assert.equal(warnings.length, 1)
    await clock.advance(2 * 3_600_000)
    await assert.rejects(tokens.verify(laterToken()), { code: 'unavailable' })
    isAway = false
    await clock.advance(30_000)
    assert.equal((await tokens.verify(laterToken())).user.id, 'u1')
  })

  for (const [what, keys] of Object.entries<unknown>({
    'it is away': undefined,
    'it answers with nothing': null,
    'it answers with something else': { error: 'no' },
    'it answers with no list': { keys: {} },
    'it answers with too many keys': { keys: Array.from({ length: 65 }, () => OUR_KEYS.keys[0]) },
  })) {
    it(`says unavailable, not unauthenticated, when it never had keys: ${what}`, async () => {
      const { tokens } = openOurs(async () => {
        if (keys === undefined) throw new Error('away')
        return keys as JSONWebKeySet
      })
      await assert.rejects(tokens.verify(token()), { code: 'unavailable' })
    })
  }

  it('keeps the keys it has when what it fetches is none', async () => {
    let keys: unknown = OUR_KEYS
    const { clock, tokens } = openOurs(async () => keys as JSONWebKeySet)
    await tokens.verify(token())
    keys = '<html>'
    await clock.advance(300_001)
    assert.equal((await tokens.verify(token())).user.id, 'u1')
  })

  it('uses the good keys among bad ones, and says what is wrong with the others', async () => {
    const keys = [
      ...OUR_KEYS.keys,
      null,
      'es',
      { kid: 'es3' },
      { ...OUR_KEYS.keys[0], kid: 'off', x: 'AAAA' },
    ]
    const { clock, tokens, warnings } = openOurs(async () => ({ keys }) as JSONWebKeySet)
    assert.equal((await tokens.verify(token())).user.id, 'u1')
    await clock.advance(300_001)
    await tokens.verify(token())
    const unusable = ['#1: no good name', '#2: no good name']
    unusable.push('es3: not for one algorithm of the issuer', 'off: cannot be read')
    assert.deepEqual(warnings, [{ issuer: OURS, unusable }], 'once, though they were fetched twice')
  })

  it('keeps issuers apart: one that is away is no matter to the tokens of another', async () => {
    const away = async (): Promise<never> => Promise.reject(new Error('away'))
    const { tokens } = openTokens(
      ISSUERS.map((its) => (its.issuer === PARTNER ? { ...its, keys: away } : its)),
    )
    await assert.rejects(tokens.verify(partners()), { code: 'unavailable' })
    assert.equal((await tokens.verify(token())).user.id, 'u1')
  })
})
