/**
 * What the tests of access tokens share: issuers with real keys, a press for tokens of any kind, and how a table of forgeries is
 * held against the check.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { constants, createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { FlotillaError } from '@flotilla/core/error'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import type { JSONWebKeySet, JWK } from 'jose'
import { AccessTokens } from './access-token.ts'
import type { Issuer } from './issuer.ts'
import type { TokenRule } from './token-refusal.ts'

export const NOW_S = 1_700_000_000
export const OURS = 'https://issuer.test'
export const PARTNER = 'https://partner.test/'
export const OLD = 'https://old.test'
export const AUDIENCE = 'shop'

const ec = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent })
export const KEYS = {
  ours: ec(),
  partner: ec(),
  stranger: ec(),
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ed: generateKeyPairSync('ed25519'),
  otherEd: generateKeyPairSync('ed25519'),
  ps: rsa(2_048),
  old: rsa(2_048),
  short: rsa(1_024),
  three: rsa(2_048, 3),
}

/** The public half as issuers publish it. */
export function jwk(key: KeyObject, kid: string, others: object = {}): JWK {
  return { ...(key.export({ format: 'jwk' }) as JWK), kid, use: 'sig', ...others }
}

/** Answers with a stranger's keys, for tokens that say where their keys are. Nobody must ever ask. */
export const canary = { url: '', hits: 0 }
const server = createServer((_, response) => {
  canary.hits++
  response.end(JSON.stringify({ keys: [jwk(KEYS.stranger.publicKey, 'theirs')] }))
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
server.unref()
canary.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

export const OUR_KEYS: JSONWebKeySet = { keys: [jwk(KEYS.ours.publicKey, 'es', { alg: 'ES256' })] }

/** Also what no issuer should publish, and what is not used when it does. */
const PARTNER_KEYS: JSONWebKeySet = {
  keys: [
    // Its name is also that of a key of ours.
    jwk(KEYS.partner.publicKey, 'es'),
    jwk(KEYS.ed.publicKey, 'ed', { alg: 'EdDSA', key_ops: ['verify'] }),
    jwk(KEYS.ps.publicKey, 'ps'),
    jwk(KEYS.ps.publicKey, 'rs', { alg: 'RS256' }),
    jwk(KEYS.short.publicKey, 'short'),
    jwk(KEYS.three.publicKey, 'three'),
    jwk(KEYS.partner.publicKey, 'enc', { use: 'enc' }),
    jwk(KEYS.partner.publicKey, 'signing', { key_ops: ['sign'] }),
    jwk(KEYS.partner.publicKey, 'es384', { alg: 'ES384' }),
    jwk(KEYS.p384.publicKey, 'p384'),
    jwk(KEYS.partner.privateKey, 'private'),
    jwk(KEYS.partner.publicKey, 'twice'),
    jwk(KEYS.stranger.publicKey, 'twice'),
    jwk(KEYS.partner.publicKey, '../keys/es'),
    { kty: 'oct', k: Buffer.from('a shared secret of 32 characters').toString('base64url'), kid: 'oct' },
  ],
}
const OLD_KEYS: JSONWebKeySet = { keys: [jwk(KEYS.old.publicKey, 'rsa', { alg: 'RS256' })] }

export const ISSUERS: readonly Issuer[] = [
  { issuer: OURS, audience: AUDIENCE, algorithms: ['ES256'], keys: async () => OUR_KEYS },
  {
    issuer: PARTNER,
    audience: AUDIENCE,
    algorithms: ['ES256', 'EdDSA', 'PS256'],
    keys: PARTNER_KEYS,
    claims: {
      name: 'partner',
      rolesClaim: 'groups',
      roles: { clerks: ['seller'], heads: ['seller', 'admin'] },
    },
  },
  {
    issuer: OLD,
    audience: 'old-shop',
    algorithms: ['RS256'],
    keys: async () => OLD_KEYS,
    claims: { name: 'old', tier: 'premium' },
  },
]

export const HEADER = { alg: 'ES256', kid: 'es', typ: 'at+jwt' }
export const CLAIMS = {
  iss: OURS,
  aud: AUDIENCE,
  sub: 'u1',
  iat: NOW_S - 10,
  exp: NOW_S + 600,
  roles: ['user'],
  tier: 'free',
}
export const PARTNERS = {
  iss: PARTNER,
  aud: AUDIENCE,
  sub: 'u1',
  iat: NOW_S - 10,
  exp: NOW_S + 600,
  groups: ['clerks'],
}

/** Makes the signature over a text. */
export type Sign = (text: string) => Buffer

export const es256 =
  (key = KEYS.ours.privateKey, dsaEncoding: 'der' | 'ieee-p1363' = 'ieee-p1363'): Sign =>
  (text) =>
    sign('sha256', Buffer.from(text), { key, dsaEncoding })
export const ed =
  (key = KEYS.ed.privateKey): Sign =>
  (text) =>
    sign(null, Buffer.from(text), key)
export const rs256 =
  (key = KEYS.old.privateKey): Sign =>
  (text) =>
    sign('sha256', Buffer.from(text), key)
export const ps256 =
  (key = KEYS.ps.privateKey, saltLength = 32): Sign =>
  (text) =>
    sign('sha256', Buffer.from(text), { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
export const hs256 =
  (secret: string | Buffer): Sign =>
  (text) =>
    createHmac('sha256', secret).update(text).digest()
export const bytes =
  (...values: readonly Buffer[]): Sign =>
  () =>
    Buffer.concat(values)

/** A part of a token: base64url of a text, of bytes, or of anything as JSON. */
export function encoded(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString('base64url')
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** A token of any header and claims, also such as are no JSON. Default: one of ours, signed by us. */
export function token(header: unknown = HEADER, claims: unknown = CLAIMS, signed: Sign = es256()): string {
  const text = `${encoded(header)}.${encoded(claims)}`
  return `${text}.${signed(text).toString('base64url')}`
}

/** One of ours, signed by us, but for a change of its header. */
export const withHeader = (changes: object, signed?: Sign): string =>
  token({ ...HEADER, ...changes }, CLAIMS, signed)
/** One of ours, signed by us, but for a change of its claims. */
export const withClaims = (changes: object): string => token(HEADER, { ...CLAIMS, ...changes })
/** One of the partner's, signed by them. */
export const partners = (
  changes: object = {},
  header: object = {},
  signed = es256(KEYS.partner.privateKey),
): string => token({ ...HEADER, ...header }, { ...PARTNERS, ...changes }, signed)

export function without(from: object, name: string): object {
  return Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))
}

/** The check, its clock at `NOW_S`. */
export function openTokens(issuers: readonly Issuer[] = ISSUERS) {
  const clock = new VirtualClock(NOW_S * 1000)
  const warnings: object[] = []
  const log = { warn: (_: string, fields: object = {}) => void warnings.push(fields) }
  return { clock, warnings, tokens: new AccessTokens({ issuers, clock, log }) }
}

/** Forged tokens by what they are, each with the rule that it breaks: it is refused for that, and not by accident. */
export type Forgeries = Readonly<Record<string, readonly [TokenRule, string]>>

const CPU_MS_MAX = 50
const TRIES = 3

/** One test for each. */
export function refuses(what: string, forgeries: Forgeries): void {
  describe(`AccessTokens refuses ${what}`, () => {
    const { tokens } = openTokens()
    for (const [name, [rule, forged]] of Object.entries(forgeries)) {
      it(name, async () => {
        let cpuMs = Number.POSITIVE_INFINITY
        // The least of several: what the process does beside it is not the token's.
        for (let tries = 0; tries < TRIES && (tries < 2 || cpuMs > CPU_MS_MAX); tries++) {
          const before = process.cpuUsage()
          await assert.rejects(tokens.verify(forged), (error) => isRefusal(error, rule))
          const { user, system } = process.cpuUsage(before)
          cpuMs = Math.min(cpuMs, (user + system) / 1000)
        }
        assert.equal(tokens.known(forged), undefined)
        assert.ok(cpuMs <= CPU_MS_MAX, `${cpuMs} ms of CPU`)
        assert.equal(canary.hits, 0, 'something was fetched')
      })
    }
  })
}

/** Whether it is the refusal for that rule, and says nothing of it to the outside. */
export function isRefusal(error: unknown, rule: TokenRule): boolean {
  const { cause, status } = error as FlotillaError
  assert.equal(cause, rule)
  assert.equal(status, 401)
  const message = `The access token ${rule === 'expired' ? 'has expired' : 'is not valid'}.`
  assert.deepEqual((error as FlotillaError).toBody(), { code: 'unauthenticated', message, executed: 'no' })
  return true
}
