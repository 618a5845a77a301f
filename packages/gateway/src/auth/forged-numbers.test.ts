/**
 * Signatures that are nearly good, made with the private keys themselves: what a check lets pass that looks at numbers, hashes or padding
 * less closely than the standards say.
 *
 * @source RFC 7518, 3.3 to 3.5; RFC 8017, 8 and 9; RFC 8032, 5.1.7; FIPS 186-5, 6.4.2
 */
import assert from 'node:assert/strict'
import { constants, createHash, type KeyObject, privateEncrypt, sign } from 'node:crypto'
import { describe, it } from 'node:test'
import {
  bytes,
  CLAIMS,
  ed,
  encoded,
  es256,
  type Forgeries,
  HEADER,
  KEYS,
  OLD,
  openTokens,
  partners,
  ps256,
  refuses,
  rs256,
  type Sign,
  token,
} from './forge.test.ts'

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
/** Of the numbers that the points of P-256 have. */
const FIELD = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
const ED_FIELD = 2n ** 255n - 19n

const inBytes = (value: bigint, length = 32): Buffer =>
  Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex')
const reversed = (value: bigint): Buffer => inBytes(value).reverse()
const numberOf = (part: Buffer): bigint => BigInt(`0x${part.toString('hex')}`)

const signed = (signature: Sign): Forgeries[string] => ['signature', token(HEADER, CLAIMS, signature)]
/** Numbers in place of r and s. */
const pair = (r: bigint, s: bigint): Forgeries[string] => signed(bytes(inBytes(r), inBytes(s)))
/** Our good signature with other numbers. */
const changed = (change: (r: bigint, s: bigint) => readonly [bigint, bigint]): Forgeries[string] =>
  signed((text) => {
    const good = es256()(text)
    const [r, s] = change(numberOf(good.subarray(0, 32)), numberOf(good.subarray(32)))
    return Buffer.concat([inBytes(r), inBytes(s)])
  })
/** The same signature in other bytes. */
const rewritten = (rewrite: (good: Buffer) => Buffer): Forgeries[string] =>
  signed((text) => rewrite(Buffer.from(es256()(text))))
/** Our key, another hash. */
const hashed = (hash: string): Forgeries[string] =>
  signed((text) => sign(hash, Buffer.from(text), { key: KEYS.ours.privateKey, dsaEncoding: 'ieee-p1363' }))
const inDer = (rewrite: (good: Buffer) => Buffer): Forgeries[string] =>
  signed((text) => rewrite(es256(KEYS.ours.privateKey, 'der')(text)))

const ecdsa: Forgeries = {
  'zero and one': pair(0n, 1n),
  'one and zero': pair(1n, 0n),
  'zero and the order': pair(0n, ORDER),
  'the order and zero': pair(ORDER, 0n),
  'one and the order': pair(1n, ORDER),
  'one and one less than the order': pair(1n, ORDER - 1n),
  'one less than the order, twice': pair(ORDER - 1n, ORDER - 1n),
  'one more than the order, twice': pair(ORDER + 1n, ORDER + 1n),
  'half of the order, twice': pair(ORDER / 2n, ORDER / 2n),
  'the field, twice': pair(FIELD, FIELD),
  'the field and one': pair(FIELD, 1n),
  'the field less the order, twice': pair(FIELD - ORDER, FIELD - ORDER),
  'x of the generator, and one': pair(
    0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    1n,
  ),
  'r below zero': changed((r, s) => [2n ** 256n - r, s]),
  's below zero': changed((r, s) => [r, 2n ** 256n - s]),
  'the order less r': changed((r, s) => [ORDER - r, s]),
  'r and one': changed((r, s) => [r + 1n, s]),
  's and one': changed((r, s) => [r, s + 1n]),
  'r for s, too': changed((r) => [r, r]),
  's for r, too': changed((_, s) => [s, s]),
  'r, and zero for s': changed((r) => [r, 0n]),
  'the bytes of each the other way round': rewritten((good) =>
    Buffer.concat([good.subarray(0, 32).reverse(), good.subarray(32).reverse()]),
  ),
  'all bytes the other way round': rewritten((good) => good.reverse()),
  'its numbers as text': rewritten((good) => Buffer.from(good.toString('hex'))),
  'itself in base64url once more': rewritten((good) => Buffer.from(good.toString('base64url'))),
  'a zero after each number': rewritten((good) =>
    Buffer.concat([good.subarray(0, 32), Buffer.alloc(1), good.subarray(32), Buffer.alloc(1)]),
  ),
  'as long as one of P-384': rewritten((good) =>
    Buffer.concat([Buffer.alloc(16), good.subarray(0, 32), Buffer.alloc(16), good.subarray(32)]),
  ),
  'a letter that says which key': rewritten((good) => Buffer.concat([Buffer.of(27), good])),
  'over SHA-1': hashed('sha1'),
  'over SHA-384': hashed('sha384'),
  'over SHA-512': hashed('sha512'),
  'over SHA3-256': hashed('sha3-256'),
  'over the hash of the hash': signed((text) => es256()(createHash('sha256').update(text).digest('binary'))),
  'as DER, cut to 64 bytes': inDer((good) => good.subarray(0, 64)),
  'as DER, its last 64 bytes': inDer((good) => good.subarray(-64)),
  'as DER, with a byte after it': inDer((good) => Buffer.concat([good, Buffer.alloc(1)])),
  'as DER, its length in two bytes': inDer((good) =>
    Buffer.concat([Buffer.of(0x30, 0x81), good.subarray(1)]),
  ),
  'as DER, of no certain length': inDer((good) =>
    Buffer.concat([Buffer.of(0x30, 0x80), good.subarray(2), Buffer.alloc(2)]),
  ),
  'as DER of no numbers': signed(bytes(Buffer.of(0x30, 0))),
  'by P-384, cut': signed((text) =>
    sign('sha256', Buffer.from(text), { key: KEYS.p384.privateKey, dsaEncoding: 'ieee-p1363' }).subarray(
      0,
      64,
    ),
  ),
}

const inEd = (signature: Sign): Forgeries[string] => [
  'signature',
  partners({}, { alg: 'EdDSA', kid: 'ed' }, signature),
]
const edRewritten = (rewrite: (good: Buffer) => Buffer): Forgeries[string] =>
  inEd((text) => rewrite(Buffer.from(ed()(text))))
/** Points that come to nothing when multiplied by eight, and other ways to write them. */
const SMALL: Readonly<Record<string, bigint>> = {
  'of order one': 1n,
  'of order two': ED_FIELD - 1n,
  'of order four': 0n,
  'of order four, of the other sign': 2n ** 255n,
  'of order eight': 0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  'of order one, beyond the field': ED_FIELD + 1n,
  'of order four, beyond the field': ED_FIELD,
  'that is none': 2n,
}
const smallPoints = Object.fromEntries(
  Object.entries(SMALL).map(([what, y]) => [
    `a point ${what}, and zero`,
    inEd(bytes(reversed(y), Buffer.alloc(32))),
  ]),
)

const edDsa: Forgeries = {
  ...smallPoints,
  'a byte less': edRewritten((good) => good.subarray(0, 63)),
  'its halves exchanged': edRewritten((good) => Buffer.concat([good.subarray(32), good.subarray(0, 32)])),
  'all ones': inEd(bytes(Buffer.alloc(64, 255))),
  'its highest bit set': edRewritten((good) => {
    good[63] = (good[63] as number) | 0x80
    return good
  }),
  'the sign of its point changed': edRewritten((good) => {
    good[31] = (good[31] as number) ^ 0x80
    return good
  }),
  'over the hash of the text': inEd((text) =>
    sign(null, createHash('sha512').update(text).digest(), KEYS.ed.privateKey),
  ),
  'by ECDSA': inEd(es256(KEYS.partner.privateKey)),
}

/** The signature that has exactly this padding: what only the owner of the key can make. */
const padded =
  (key: KeyObject, pad: (hash: Buffer) => Buffer): Sign =>
  (text) => {
    const block = pad(createHash('sha256').update(text).digest())
    return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, block)
  }
const inRs = (signature: Sign): Forgeries[string] => [
  'signature',
  token({ ...HEADER, alg: 'RS256', kid: 'rsa' }, { ...CLAIMS, iss: OLD, aud: 'old-shop' }, signature),
]
const inPs = (signature: Sign): Forgeries[string] => [
  'signature',
  partners({}, { alg: 'PS256', kid: 'ps' }, signature),
]
const RSA_BYTES = 256
/** What stands before a hash of SHA-256. */
const SHA256_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex')
/** The same without the NULL that belongs there. */
const SHORT_INFO = Buffer.from('302f300b0609608648016503040201 0420'.replaceAll(' ', ''), 'hex')
const SHA1_INFO = Buffer.from('3021300906052b0e03021a05000414', 'hex')
/** `lead`, ones, zero, then `end`, and so many zeros after it. */
function block(end: Buffer, lead = Buffer.of(0, 1), ones = RSA_BYTES - lead.length - 1 - end.length): Buffer {
  const made = Buffer.concat([lead, Buffer.alloc(ones, 255), Buffer.of(0), end])
  return Buffer.concat([made, Buffer.alloc(RSA_BYTES - made.length)])
}
const pkcs = (pad: (hash: Buffer) => Buffer): Forgeries[string] => inRs(padded(KEYS.old.privateKey, pad))
const modulusOf = (key: KeyObject): bigint =>
  numberOf(Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url'))

const rsa: Forgeries = {
  'RS256, eight ones and garbage after the hash': pkcs((hash) =>
    block(Buffer.concat([SHA256_INFO, hash]), Buffer.of(0, 1), 8),
  ),
  'RS256, ones and a zero after the hash': pkcs((hash) =>
    block(Buffer.concat([SHA256_INFO, hash, Buffer.of(0)])),
  ),
  'RS256, the block type of encryption': pkcs((hash) =>
    block(Buffer.concat([SHA256_INFO, hash]), Buffer.of(0, 2)),
  ),
  'RS256, no block type': pkcs((hash) => block(Buffer.concat([SHA256_INFO, hash]), Buffer.of(0, 0))),
  'RS256, the hash alone': pkcs((hash) => block(hash)),
  'RS256, without the NULL of its hash': pkcs((hash) => block(Buffer.concat([SHORT_INFO, hash]))),
  'RS256, a hash that says it is of SHA-1': pkcs((hash) =>
    block(Buffer.concat([SHA1_INFO, hash.subarray(0, 20)])),
  ),
  'RS256, a hash cut by a byte': pkcs((hash) => block(Buffer.concat([SHA256_INFO, hash.subarray(0, 31)]))),
  'RS256, zeros in place of ones': pkcs((hash) => {
    const good = block(Buffer.concat([SHA256_INFO, hash]))
    return good.fill(0, 2, good.indexOf(SHA256_INFO) - 1)
  }),
  'RS256, a one among the ones that is none': pkcs((hash) => {
    const good = block(Buffer.concat([SHA256_INFO, hash]))
    good[40] = 254
    return good
  }),
  'RS256, over SHA-1': inRs((text) => sign('sha1', Buffer.from(text), KEYS.old.privateKey)),
  'RS256, over SHA-512': inRs((text) => sign('sha512', Buffer.from(text), KEYS.old.privateKey)),
  'RS256, the modulus less it': inRs((text) =>
    inBytes(modulusOf(KEYS.old.publicKey) - numberOf(rs256()(text)), RSA_BYTES),
  ),
  'RS256, the modulus and it': inRs((text) =>
    inBytes(modulusOf(KEYS.old.publicKey) + numberOf(rs256()(text)), RSA_BYTES + 1),
  ),
  'RS256, the modulus': inRs(() => inBytes(modulusOf(KEYS.old.publicKey), RSA_BYTES)),
  'RS256, a byte after it': inRs((text) => Buffer.concat([rs256()(text), Buffer.alloc(1)])),
  'RS256, all ones': inRs(bytes(Buffer.alloc(RSA_BYTES, 255))),
  'PS256, over SHA-512': inPs((text) =>
    sign('sha512', Buffer.from(text), {
      key: KEYS.ps.privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    }),
  ),
  'PS256, a byte of salt less': inPs(ps256(KEYS.ps.privateKey, 31)),
  'PS256, a byte of salt more': inPs(ps256(KEYS.ps.privateKey, 33)),
  'PS256, as much salt as there is room for': inPs(ps256(KEYS.ps.privateKey, 222)),
  'PS256, its last byte changed': inPs((text) => {
    const good = Buffer.from(ps256()(text))
    good[RSA_BYTES - 1] = (good[RSA_BYTES - 1] as number) ^ 1
    return good
  }),
  'PS256, the modulus and it': inPs((text) =>
    inBytes(modulusOf(KEYS.ps.publicKey) + numberOf(ps256()(text)), RSA_BYTES + 1),
  ),
  'PS256, cut': inPs((text) => ps256()(text).subarray(0, RSA_BYTES - 1)),
  'PS256, the padded hash of the other padding': inPs(
    padded(KEYS.ps.privateKey, (hash) => block(Buffer.concat([SHA256_INFO, hash]))),
  ),
}

const name = (kid: unknown): Forgeries[string] => ['key name', token({ ...HEADER, kid })]
const NAMES = [
  '../es',
  './es',
  'es/../es',
  '%2e%2e%2fes',
  '..%2fes',
  'es%00',
  'es?x=1',
  'es#x',
  'es|id',
  '$(id)',
]
const MORE_NAMES = [
  '`id`',
  'file:///dev/null',
  "es' or '1'='1",
  'es\u200b',
  'ｅｓ',
  'es.',
  'es,es',
  '*',
  '{{7*7}}',
  '<es>',
]
const names: Forgeries = Object.fromEntries(
  [...NAMES, ...MORE_NAMES, true, [], {}, [['es']], 1e99].map((kid) => [
    `the name ${JSON.stringify(kid)}`,
    name(kid),
  ]),
)

const algorithm = (alg: string): Forgeries[string] => ['algorithm', token({ ...HEADER, alg })]
const algorithms: Forgeries = Object.fromEntries(
  [
    'ES256 ',
    ' ES256',
    'ES256\t',
    'Es256',
    'ＥＳ256',
    'ES256,none',
    'ES-256',
    'ECDSA',
    'SHA256withECDSA',
    'es256\u200b',
  ].map((alg) => [`the algorithm ${JSON.stringify(alg)}`, algorithm(alg)]),
)

const inner = token()
const nested: Forgeries = {
  'a good token as the header': ['json', `${encoded(inner)}.${encoded(CLAIMS)}.${'A'.repeat(86)}`],
  'a good token in a claim of one of no signature': [
    'algorithm',
    token({ ...HEADER, alg: 'none' }, { ...CLAIMS, jwt: inner }, bytes(Buffer.alloc(1))),
  ],
  'a good token as the claims, signed again': ['json', token(HEADER, inner)],
  'a good token as the signature': ['signature', token(HEADER, CLAIMS, bytes(Buffer.from(inner)))],
  'the claims of a good token in a claim': ['issuer', token(HEADER, { claims: CLAIMS })],
}

refuses('numbers of ECDSA', ecdsa)
refuses('numbers of EdDSA', edDsa)
refuses('numbers and padding of RSA', rsa)
refuses('other names of keys', names)
refuses('other words for an algorithm', algorithms)
refuses('tokens in tokens', nested)

/** Made in the same way, with nothing wrong: what is refused above is refused for its numbers. */
const good: Readonly<Record<string, Forgeries[string]>> = {
  'r and s as they are': changed((r, s) => [r, s]),
  'r and the order less s, which is another signature of the same': changed((r, s) => [r, ORDER - s]),
  'EdDSA as it is': edRewritten((its) => its),
  'RS256 with its own padding': pkcs((hash) => block(Buffer.concat([SHA256_INFO, hash]))),
  'PS256 as it is': inPs(ps256()),
}

describe('AccessTokens takes', () => {
  const { tokens } = openTokens()
  for (const [what, [, text]] of Object.entries(good))
    it(what, async () => assert.match((await tokens.verify(text)).user.id, /u1$/))
})
