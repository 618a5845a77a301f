import assert from 'node:assert/strict'
import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import type { FlotillaError } from '@flotilla/core/error'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import type { JSONWebKeySet, JWK } from 'jose'
import { AccessTokens } from './access-token.ts'

const NOW_S = 1_700_000_000
const ISSUER = 'https://issuer.test'
const AUDIENCE = 'shop'
const ES = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const OTHER = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const SHORT_RSA = generateKeyPairSync('rsa', { modulusLength: 1024 })

function jwk(key: KeyObject, kid: string, alg: string): JWK {
  return { ...(key.export({ format: 'jwk' }) as JWK), kid, alg, use: 'sig' }
}

const KEYS: JSONWebKeySet = {
  keys: [
    jwk(ES.publicKey, 'es', 'ES256'),
    jwk(RSA.publicKey, 'rsa', 'RS256'),
    jwk(SHORT_RSA.publicKey, 'short', 'RS256'),
  ],
}

const HEADER = { alg: 'ES256', kid: 'es', typ: 'at+jwt' }
const CLAIMS = {
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'u1',
  iat: NOW_S - 10,
  exp: NOW_S + 600,
  roles: ['user'],
  tier: 'free',
}

function encoded(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

function withoutField(from: object, name: string): object {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))
}

function ecSignature(
  text: string,
  key = ES.privateKey,
  dsaEncoding: 'der' | 'ieee-p1363' = 'ieee-p1363',
): Buffer {
  return createSign('sha256').update(text).sign({ key, dsaEncoding })
}

/** A token signed as its header says, or as `sign` says. Header and claims may be texts, to be malformed. */
function token(
  header: object | string = HEADER,
  claims: object | string = CLAIMS,
  sign: (text: string) => Buffer = (text) => ecSignature(text),
): string {
  const text = `${encoded(header)}.${encoded(claims)}`
  return `${text}.${sign(text).toString('base64url')}`
}

const withClaims = (changes: object): string => token(HEADER, { ...CLAIMS, ...changes })
const withHeader = (changes: object): string => token({ ...HEADER, ...changes })
const rs256 = (text: string, key = RSA.privateKey): Buffer => createSign('sha256').update(text).sign(key)
const hs256 =
  (secret: string | Buffer) =>
  (text: string): Buffer =>
    createHmac('sha256', secret).update(text).digest()

const pem = RSA.publicKey.export({ type: 'spki', format: 'pem' })
const der = RSA.publicKey.export({ type: 'spki', format: 'der' })
const point = ES.publicKey.export({ type: 'spki', format: 'der' })
const none = (): Buffer => Buffer.alloc(0)
const [head = '', body = '', signature = ''] = token().split('.')
const lastChanged = (text: string): string => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A')

/** What is refused, by what it is. */
const refused: Readonly<Record<string, string>> = {
  'alg none': token({ ...HEADER, alg: 'none' }, CLAIMS, none),
  'alg none with a signature': withHeader({ alg: 'none' }),
  'alg None': withHeader({ alg: 'None' }),
  'alg NONE': withHeader({ alg: 'NONE' }),
  'no alg': token(withoutField(HEADER, 'alg')),
  'alg that is no text': withHeader({ alg: ['ES256'] }),
  'HS256 with the public key as PEM': token({ ...HEADER, alg: 'HS256', kid: 'rsa' }, CLAIMS, hs256(pem)),
  'HS256 with the public key as DER': token({ ...HEADER, alg: 'HS256', kid: 'rsa' }, CLAIMS, hs256(der)),
  'HS256 with the public key as JWK': token(
    { ...HEADER, alg: 'HS256' },
    CLAIMS,
    hs256(JSON.stringify(KEYS.keys[0])),
  ),
  'HS256 with the point of the curve': token({ ...HEADER, alg: 'HS256' }, CLAIMS, hs256(point)),
  'HS256 with an empty secret': token({ ...HEADER, alg: 'HS256' }, CLAIMS, hs256('')),
  'ES384 with the key of ES256': withHeader({ alg: 'ES384' }),
  'PS256, which is not taken': withHeader({ alg: 'PS256', kid: 'rsa' }),
  'RS256 with the kid of another algorithm': token({ ...HEADER, alg: 'RS256' }, CLAIMS, rs256),
  'RS256 with a key of 1024 bits': token({ ...HEADER, alg: 'RS256', kid: 'short' }, CLAIMS, (text) =>
    rs256(text, SHORT_RSA.privateKey),
  ),
  'no kid': token(withoutField(HEADER, 'kid')),
  'the kid of another key': withHeader({ kid: 'rsa' }),
  'a kid that is a path': withHeader({ kid: '../../../dev/null' }),
  'a kid that is SQL': withHeader({ kid: "es' or '1'='1" }),
  'a kid that is no text': withHeader({ kid: ['es'] }),
  'a kid of the prototype': withHeader({ kid: '__proto__' }),
  'an embedded key': token(
    { ...HEADER, kid: 'mine', jwk: jwk(OTHER.publicKey, 'mine', 'ES256') },
    CLAIMS,
    (text) => ecSignature(text, OTHER.privateKey),
  ),
  'an embedded key under a known kid': token(
    { ...HEADER, jwk: jwk(OTHER.publicKey, 'es', 'ES256') },
    CLAIMS,
    (text) => ecSignature(text, OTHER.privateKey),
  ),
  'a jku': token({ ...HEADER, kid: 'mine', jku: 'https://evil.test/jwks' }, CLAIMS, (text) =>
    ecSignature(text, OTHER.privateKey),
  ),
  'an x5u': token({ ...HEADER, x5u: 'https://evil.test/x5u' }, CLAIMS, (text) =>
    ecSignature(text, OTHER.privateKey),
  ),
  'an x5c': token({ ...HEADER, x5c: ['MIIB'] }, CLAIMS, (text) => ecSignature(text, OTHER.privateKey)),
  'a critical header': withHeader({ crit: ['exp'], exp: 1 }),
  'an empty list of critical headers': withHeader({ crit: [] }),
  'a payload that is not encoded': withHeader({ b64: false, crit: ['b64'] }),
  'the type of an ID token': withHeader({ typ: 'JWT' }),
  'no type': token(withoutField(HEADER, 'typ')),
  'the type of a logout token': withHeader({ typ: 'logout+jwt' }),
  expired: withClaims({ iat: NOW_S - 600, exp: NOW_S - 31 }),
  'not valid yet': withClaims({ nbf: NOW_S + 31 }),
  'issued in the future': withClaims({ iat: NOW_S + 31, exp: NOW_S + 600 }),
  'issued far in the future, short-lived': withClaims({ iat: NOW_S + 86_400, exp: NOW_S + 86_500 }),
  'a lifetime above fifteen minutes': withClaims({ exp: NOW_S + 900 }),
  'exp as text': withClaims({ exp: `${NOW_S + 600}` }),
  'exp as 1e99': withClaims({ exp: 1e99 }),
  'exp as -1': withClaims({ exp: -1 }),
  'exp as null': withClaims({ exp: null }),
  'iat as text': withClaims({ iat: `${NOW_S}` }),
  'nbf as text': withClaims({ nbf: '0' }),
  'another issuer': withClaims({ iss: 'https://evil.test' }),
  'an issuer with a slash more': withClaims({ iss: `${ISSUER}/` }),
  'a list of issuers': withClaims({ iss: [ISSUER] }),
  'another audience': withClaims({ aud: 'other' }),
  'audiences without ours': withClaims({ aud: ['other', 'shop2'] }),
  'an audience that is an object': withClaims({ aud: { shop: true } }),
  'an empty subject': withClaims({ sub: '' }),
  'a subject that is a number': withClaims({ sub: 1 }),
  'a subject that is an object': withClaims({ sub: { id: 'u1' } }),
  'roles that are text': withClaims({ roles: 'admin' }),
  'roles that are numbers': withClaims({ roles: [1] }),
  'no tier': token(HEADER, withoutField(CLAIMS, 'tier')),
  ...Object.fromEntries(
    ['iss', 'aud', 'sub', 'iat', 'exp', 'roles'].map((name) => [
      `no ${name}`,
      token(HEADER, withoutField(CLAIMS, name)),
    ]),
  ),
  'claims of which the last wins': token(
    HEADER,
    `${JSON.stringify(CLAIMS).slice(0, -1)},"iss":"https://evil.test"}`,
  ),
  'claims that are a list': token(HEADER, '[]'),
  'claims that are null': token(HEADER, 'null'),
  'claims that are not JSON': token(HEADER, '{"sub":'),
  'claims that nest deep': token(HEADER, '['.repeat(3_000)),
  'a token within a token': token({ ...HEADER, cty: 'JWT' }, token()),
  'a header that is not JSON': token('{"alg":'),
  'a header that is a list': token('[]'),
  'no signature': `${head}.${body}.`,
  'two parts': `${head}.${body}`,
  'four parts': `${token()}.${signature}`,
  'five parts, as encrypted ones have': `${token()}.a.b`,
  'one part': head,
  nothing: '',
  dots: '..',
  'a cut signature': token().slice(0, -4),
  'a signature of zeros': token(HEADER, CLAIMS, () => Buffer.alloc(64)),
  'a signature as DER': token(HEADER, CLAIMS, (text) => ecSignature(text, ES.privateKey, 'der')),
  'a signature with bytes after it': token(HEADER, CLAIMS, (text) =>
    Buffer.concat([ecSignature(text), Buffer.alloc(1)]),
  ),
  'the signature of another key': token(HEADER, CLAIMS, (text) => ecSignature(text, OTHER.privateKey)),
  'the signature of other claims': `${head}.${encoded({ ...CLAIMS, sub: 'admin' })}.${signature}`,
  'the signature under another header': `${encoded({ ...HEADER, x: 1 })}.${body}.${signature}`,
  'bits to spare in the signature': `${head}.${body}.${signature.slice(0, -1)}${spare(signature)}`,
  'a changed end of the claims': `${head}.${lastChanged(body)}.${signature}`,
  padding: `${token()}==`,
  'the other base64': `${head}.${body}.${signature.slice(0, -2)}+/`,
  'a space before': ` ${token()}`,
  'a line end after': `${token()}\n`,
  'a NUL after': `${token()}\0`,
  'letters beyond ASCII': `${token()}é`,
  'more than 8 KiB': withClaims({ more: 'a'.repeat(8_192) }),
}

/** The last character of `text` with a bit set that decoders ignore. */
function spare(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(text.at(-1) as string) | 1] as string
}

function createTokens(keys: () => Promise<JSONWebKeySet> = async () => KEYS) {
  const clock = new VirtualClock(NOW_S * 1000)
  let fetches = 0
  const tokens = new AccessTokens({
    issuer: ISSUER,
    audience: AUDIENCE,
    clock,
    fetchKeys: () => {
      fetches++
      return keys()
    },
  })
  return { clock, tokens, fetches: () => fetches }
}

const isRefusal = (error: unknown): boolean => {
  const { code, status } = error as FlotillaError
  return code === 'unauthenticated' && status === 401
}

describe('AccessTokens', () => {
  it('takes what the issuer signed', async () => {
    const { tokens } = createTokens()
    const user = { id: 'u1', roles: ['user'], scopes: [], tier: 'free' }
    assert.deepEqual(await tokens.verify(token()), { user, expiresAtMs: (NOW_S + 600) * 1000 })
    const rsa = token({ ...HEADER, alg: 'RS256', kid: 'rsa' }, CLAIMS, rs256)
    assert.deepEqual((await tokens.verify(rsa)).user, user)
    const leeway = withClaims({ nbf: NOW_S + 29, iat: NOW_S + 29, aud: ['other', AUDIENCE] })
    assert.deepEqual((await tokens.verify(leeway)).user, user)
    assert.deepEqual((await tokens.verify(withClaims({ iat: NOW_S - 600, exp: NOW_S - 29 }))).user, user)
  })

  for (const [what, text] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      const { tokens } = createTokens()
      await assert.rejects(tokens.verify(text), isRefusal)
      await assert.rejects(tokens.verify(text), isRefusal, 'again')
      assert.equal(tokens.known(text), undefined)
    })
  }

  it('remembers a token until it runs out', async () => {
    const { clock, tokens } = createTokens()
    const verified = await tokens.verify(token())
    assert.equal(tokens.known(token(HEADER, CLAIMS)), undefined, 'another signature is another token')
    const text = token()
    const its = await tokens.verify(text)
    assert.deepEqual(its, verified)
    assert.equal(tokens.known(text), its)
    assert.equal(await tokens.verify(text), its)
    await clock.advance(600_000)
    assert.equal(tokens.known(text), undefined)
    await clock.advance(31_000)
    await assert.rejects(tokens.verify(text), /has expired/)
  })

  it('forgets with the wall clock, also when somebody sets it', async () => {
    const { clock, tokens } = createTokens()
    const text = token()
    await tokens.verify(text)
    clock.jump(3_600_000)
    await assert.rejects(tokens.verify(text), isRefusal)
  })

  it('takes a new key at its first use', async () => {
    let keys: JSONWebKeySet = { keys: [jwk(OTHER.publicKey, 'old', 'ES256')] }
    const { clock, tokens, fetches } = createTokens(async () => keys)
    await assert.rejects(tokens.verify(token()), isRefusal)
    keys = KEYS
    await clock.advance(30_000)
    assert.equal((await tokens.verify(token())).user.id, 'u1')
    assert.equal(fetches(), 2)
  })

  it('drops a key that the issuer dropped, five minutes later', async () => {
    let keys = KEYS
    const { clock, tokens } = createTokens(async () => keys)
    await tokens.verify(token())
    keys = { keys: [jwk(OTHER.publicKey, 'new', 'ES256')] }
    await clock.advance(300_001)
    await assert.rejects(tokens.verify(token()), isRefusal)
  })

  it('fetches keys once in thirty seconds, however many unknown ones are named', async () => {
    const { clock, tokens, fetches } = createTokens()
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

  it('goes on with the keys it has while the issuer is away, for a day', async () => {
    let isAway = false
    const { clock, tokens } = createTokens(async () => {
      if (isAway) throw new Error('away')
      return KEYS
    })
    await tokens.verify(token())
    isAway = true
    const laterToken = (): string => {
      const nowS = Math.floor(clock.now() / 1000)
      return withClaims({ iat: nowS, exp: nowS + 600 })
    }
    await clock.advance(23 * 3_600_000)
    assert.equal((await tokens.verify(laterToken())).user.id, 'u1')
    await clock.advance(2 * 3_600_000)
    await assert.rejects(tokens.verify(laterToken()), { code: 'unavailable' })
    isAway = false
    await clock.advance(30_000)
    assert.equal((await tokens.verify(laterToken())).user.id, 'u1')
  })

  it('says unavailable, not unauthenticated, when it never had keys', async () => {
    const { tokens } = createTokens(async () => {
      throw new Error('away')
    })
    await assert.rejects(tokens.verify(token()), { code: 'unavailable' })
  })
})
