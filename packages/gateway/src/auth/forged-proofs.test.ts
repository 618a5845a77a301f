import assert from 'node:assert/strict'
import { createPublicKey, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  bytes,
  canary,
  ed,
  encoded,
  es256,
  hs256,
  KEYS,
  NOW_S,
  token as press,
  ps256,
  rs256,
  withClaims,
  without,
} from './forge.test.ts'
import {
  ATH,
  CLAIMS,
  EXPECTED,
  HEADER,
  isRefusedProof,
  JWK_OF_CLIENT,
  ORIGIN,
  openProofs,
  proof,
  publicJwk,
  REQUEST,
} from './press-proofs.test.ts'
import type { ProofRule } from './token-refusal.ts'

type Forgeries = Readonly<Record<string, readonly [ProofRule, string]>>

const stranger = publicJwk(KEYS.stranger.publicKey)
const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })
const htu = (text: string): string => proof({}, { htu: text })
const [head = '', body = '', signature = ''] = proof().split('.')

const forms: Forgeries = {
  nothing: ['form', ''],
  'a word': ['form', 'proof'],
  'two parts': ['form', `${head}.${body}`],
  'an empty signature': ['form', `${head}.${body}.`],
  'four parts': ['form', `${head}.${body}.${signature}.${signature}`],
  'two proofs in one header': ['form', `${proof()}, ${proof()}`],
  padding: ['form', `${head}.${body}.${signature}==`],
  'a space at its end': ['form', `${proof()} `],
  'bits to spare that are not zero': [
    'form',
    `${head}.${body}.${signature.slice(0, -1)}${signature.endsWith('B') ? 'C' : 'B'}`,
  ],
  'too long': ['size', proof({}, { more: 'x'.repeat(4_096) })],
  'a header that is no JSON': ['json', press('{', CLAIMS, es256())],
  'claims that are a list': ['json', press(HEADER, [CLAIMS], es256())],
  'a header with __proto__': ['json', press('{"__proto__":{"typ":"dpop+jwt"}}', CLAIMS, es256())],
  'htm twice': [
    'repeated key',
    press(HEADER, `${JSON.stringify(CLAIMS).slice(0, -1)},"htm":"GET"}`, es256()),
  ],
  'a key with x twice': [
    'repeated key',
    press(JSON.stringify(HEADER).replace('"x":', `"x":"${stranger.x}","x":`), CLAIMS, es256()),
  ],
}

const headers: Forgeries = {
  'an access token': ['type', withClaims({})],
  'no type': ['type', press(without(HEADER, 'typ'), CLAIMS, es256())],
  'type JWT': ['type', proof({ typ: 'JWT' })],
  'type DPOP+JWT': ['type', proof({ typ: 'DPOP+JWT' })],
  'type application/dpop+jwt': ['type', proof({ typ: 'application/dpop+jwt' })],
  'a type that is a list': ['type', proof({ typ: ['dpop+jwt'] })],
  'a jku beside its key': ['steering header', proof({ jku: canary.url })],
  'an x5u beside its key': ['steering header', proof({ x5u: canary.url })],
  'an x5c beside its key': ['steering header', proof({ x5c: [] })],
  crit: ['steering header', proof({ crit: ['exp'], exp: 1 })],
  'b64 false': ['steering header', proof({ b64: false })],
  zip: ['steering header', proof({ zip: 'DEF' })],
  'no algorithm': ['algorithm', press(without(HEADER, 'alg'), CLAIMS, es256())],
  'algorithm none': ['algorithm', proof({ alg: 'none' }, {}, bytes(Buffer.from('x')))],
  'algorithm NonE': ['algorithm', proof({ alg: 'NonE' }, {}, bytes(Buffer.from('x')))],
  'HS256 with the public key': ['algorithm', proof({ alg: 'HS256' }, {}, hs256(spki(KEYS.ours.publicKey)))],
  'HS256 with a shared key that it brings': [
    'algorithm',
    proof({ alg: 'HS256', jwk: { kty: 'oct', k: 'c2VjcmV0' } }, {}, hs256('secret')),
  ],
  'algorithm RS256': ['algorithm', proof({ alg: 'RS256', jwk: publicJwk(KEYS.old.publicKey) }, {}, rs256())],
  'algorithm ES384': ['algorithm', proof({ alg: 'ES384', jwk: publicJwk(KEYS.p384.publicKey) })],
  'algorithms in a list': ['algorithm', proof({ alg: ['ES256'] })],
}

const keys: Forgeries = {
  'no key': ['key', press(without(HEADER, 'jwk'), CLAIMS, es256())],
  'a name of a key': ['key', press({ ...without(HEADER, 'jwk'), kid: EXPECTED }, CLAIMS, es256())],
  'a key that is null': ['key', proof({ jwk: null })],
  'a key that is a text': ['key', proof({ jwk: JSON.stringify(JWK_OF_CLIENT) })],
  'a list of keys': ['key', proof({ jwk: [JWK_OF_CLIENT] })],
  'a private key': ['key', proof({ jwk: publicJwk(KEYS.ours.privateKey) })],
  'a private key of RSA without d': [
    'key',
    proof({ alg: 'PS256', jwk: without(publicJwk(KEYS.ps.privateKey), 'd') }, {}, ps256()),
  ],
  'a secret beside a public key': ['key', proof({ jwk: { ...JWK_OF_CLIENT, k: 'AAAA' } })],
  'a key of another curve': ['key', proof({ jwk: publicJwk(KEYS.p384.publicKey) })],
  'a key for another algorithm': ['key', proof({ jwk: { ...JWK_OF_CLIENT, alg: 'ES384' } })],
  'a key for encryption': ['key', proof({ jwk: { ...JWK_OF_CLIENT, use: 'enc' } })],
  'a key of RSA for ES256': ['key', proof({ jwk: publicJwk(KEYS.ps.publicKey) })],
  'a short key of RSA': ['key', proof({ alg: 'PS256', jwk: publicJwk(KEYS.short.publicKey) })],
  'a key of RSA with the exponent 3': ['key', proof({ alg: 'PS256', jwk: publicJwk(KEYS.three.publicKey) })],
  'a point that is not on the curve': ['key', proof({ jwk: { ...JWK_OF_CLIENT, y: JWK_OF_CLIENT.x } })],
  'a key with padding': ['key', proof({ jwk: { ...JWK_OF_CLIENT, x: `${JWK_OF_CLIENT.x}=` } })],
  'a key with a number for x': ['key', proof({ jwk: { ...JWK_OF_CLIENT, x: 1 } })],
  "a stranger's key, by the stranger": [
    'another key',
    proof({ jwk: stranger }, {}, es256(KEYS.stranger.privateKey)),
  ],
  "a stranger's key of another kind": [
    'another key',
    proof({ alg: 'EdDSA', jwk: publicJwk(KEYS.ed.publicKey) }, {}, ed()),
  ],
}

const claims: Forgeries = {
  'no id': ['id', press(HEADER, without(CLAIMS, 'jti'), es256())],
  'an empty id': ['id', proof({}, { jti: '' })],
  'an id that is a number': ['id', proof({}, { jti: 1 })],
  'an id that is too long': ['id', proof({}, { jti: 'x'.repeat(257) })],
  'no method': ['method', press(HEADER, without({ ...CLAIMS, jti: 'a' }, 'htm'), es256())],
  'another method': ['method', proof({}, { htm: 'GET' })],
  'the method in small letters': ['method', proof({}, { htm: 'post' })],
  'methods in a list': ['method', proof({}, { htm: ['POST'] })],
  'no target': ['target', press(HEADER, without({ ...CLAIMS, jti: 'b' }, 'htu'), es256())],
  'a target that is a list': ['target', proof({}, { htu: [CLAIMS.htu] })],
  'a path for a target': ['target', htu(REQUEST.path)],
  'another host': ['target', htu(`https://evil.example${REQUEST.path}`)],
  'another host that begins alike': ['target', htu(`https://shop.example.evil.example${REQUEST.path}`)],
  'our host as a user': ['target', htu(`https://shop.example@evil.example${REQUEST.path}`)],
  'a user at our host': ['target', htu(`https://me@shop.example${REQUEST.path}`)],
  'our host behind a backslash': ['target', htu(`https:\\\\shop.example${REQUEST.path}`)],
  'plain text where there is TLS': ['target', htu(`http://shop.example${REQUEST.path}`)],
  'another port': ['target', htu(`https://shop.example:8443${REQUEST.path}`)],
  'another scheme': ['target', htu(`ftp://shop.example${REQUEST.path}`)],
  'another path': ['target', htu(`${ORIGIN}/api/v1/carts`)],
  'a longer path': ['target', htu(`${ORIGIN}${REQUEST.path}/o1`)],
  'a slash at its end': ['target', htu(`${ORIGIN}${REQUEST.path}/`)],
  'the path in capitals': ['target', htu(`${ORIGIN}/API/v1/orders`)],
  'an escaped slash': ['target', htu(`${ORIGIN}/api%2Fv1/orders`)],
  'a tab in the path': ['target', htu(`${ORIGIN}/api/v1/or\tders`)],
  'a space before it': ['target', htu(` ${ORIGIN}${REQUEST.path}`)],
  'a target without end': ['target', htu(`${ORIGIN}${REQUEST.path}?${'x'.repeat(2_048)}`)],
  'no time': ['time', press(HEADER, without({ ...CLAIMS, jti: 'c' }, 'iat'), es256())],
  'a time in text': ['time', proof({}, { iat: String(NOW_S) })],
  'a time with a fraction': ['time', proof({}, { iat: NOW_S + 0.5 })],
  'a time beyond all': [
    'time',
    press(HEADER, JSON.stringify({ ...CLAIMS, jti: 'd' }).replace(String(NOW_S), '1e99'), es256()),
  ],
  'made 61 seconds ago': ['time', proof({}, { iat: NOW_S - 61 })],
  'made in 31 seconds': ['time', proof({}, { iat: NOW_S + 31 })],
  'no token': ['token', press(HEADER, without({ ...CLAIMS, jti: 'e' }, 'ath'), es256())],
  'another token': ['token', proof({}, { ath: `${ATH.slice(0, -1)}${ATH.endsWith('A') ? 'E' : 'A'}` })],
  'the token itself': ['token', proof({}, { ath: REQUEST.token })],
  'the hash in hexadecimal': ['token', proof({}, { ath: Buffer.from(ATH, 'base64url').toString('hex') })],
  'no token, as null': ['token', proof({}, { ath: null })],
}

const signatures: Forgeries = {
  "a stranger's signature": ['signature', proof({}, {}, es256(KEYS.stranger.privateKey))],
  'a signature of zeros': ['signature', proof({}, {}, bytes(Buffer.alloc(64)))],
  'a signature in DER': ['signature', proof({}, {}, es256(KEYS.ours.privateKey, 'der'))],
  'a signature with something behind it': [
    'signature',
    proof({}, {}, (text) => Buffer.concat([es256()(text), Buffer.alloc(1)])),
  ],
  'the claims of another': ['signature', `${head}.${encoded({ ...CLAIMS, jti: 'mine' })}.${signature}`],
  'PS256 with a salt of no length': [
    'another key',
    proof({ alg: 'PS256', jwk: publicJwk(KEYS.ps.publicKey) }, {}, ps256(KEYS.ps.privateKey, 0)),
  ],
}

const groups = { forms, headers, keys, claims, signatures }

describe('Proofs refuses', () => {
  const { proofs, shared } = openProofs()
  for (const [group, forgeries] of Object.entries(groups)) {
    for (const [name, [rule, forged]] of Object.entries(forgeries)) {
      it(`${name} (${group})`, async () => {
        await assert.rejects(proofs.check(forged, REQUEST, EXPECTED), (error) => isRefusedProof(error, rule))
        assert.equal(canary.hits, 0, 'something was fetched')
        assert.equal(shared.size, 0, 'it was written down')
      })
    }
  }

  it('more than ninety', () => {
    assert.ok(Object.values(groups).flatMap((its) => Object.keys(its)).length > 90)
  })

  it('a signature of a key that it brings, where any key would do', async () => {
    for (const forged of [
      proof({ jwk: stranger }),
      proof({ alg: 'EdDSA', jwk: publicJwk(KEYS.ed.publicKey) }, {}, ed(KEYS.otherEd.privateKey)),
      proof({ alg: 'PS256', jwk: publicJwk(KEYS.ps.publicKey) }, {}, ps256(KEYS.ps.privateKey, 0)),
      proof(
        { alg: 'PS256', jwk: publicJwk(createPublicKey(KEYS.ps.privateKey)) },
        {},
        rs256(KEYS.ps.privateKey),
      ),
    ])
      await assert.rejects(proofs.check(forged, REQUEST), (error) => isRefusedProof(error, 'signature'))
  })

  it('a proof for a token where none is shown', async () => {
    const check = proofs.check(proof(), { ...REQUEST, token: undefined })
    await assert.rejects(check, (error) => isRefusedProof(error, 'token'))
  })
})
