import {
  bytes,
  CLAIMS,
  canary,
  encoded,
  es256,
  type Forgeries,
  HEADER,
  hs256,
  jwk,
  KEYS,
  OLD,
  OUR_KEYS,
  partners,
  ps256,
  refuses,
  rs256,
  token,
  withHeader,
  without,
} from './forge.test.ts'

const NOTHING = bytes()
const BYTE = bytes(Buffer.alloc(1))
const byStranger = es256(KEYS.stranger.privateKey)
const spki = (key = KEYS.ours.publicKey) => key.export({ type: 'spki', format: 'der' })
const pem = (key = KEYS.ours.publicKey) => key.export({ type: 'spki', format: 'pem' })
const ofOld = (alg: string, signed = rs256()): string =>
  token({ ...HEADER, alg, kid: 'rsa' }, { ...CLAIMS, iss: OLD, aud: 'old-shop' }, signed)
const oldPem = KEYS.old.publicKey.export({ type: 'pkcs1', format: 'pem' })
const hs = (secret: string | Buffer): string => withHeader({ alg: 'HS256' }, hs256(secret))
const alg = (value: unknown, signed = BYTE): readonly ['algorithm', string] => [
  'algorithm',
  withHeader({ alg: value }, signed),
]
const unsigned = (value: unknown): readonly ['form', string] => ['form', withHeader({ alg: value }, NOTHING)]
const { x = '', y = '' } = jwk(KEYS.ours.publicKey, 'es')
const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])

const algorithms: Forgeries = {
  'alg none and no signature': unsigned('none'),
  'alg None and no signature': unsigned('None'),
  'alg NONE and no signature': unsigned('NONE'),
  'alg nOnE and no signature': unsigned('nOnE'),
  'our alg and no signature': unsigned('ES256'),
  'alg none': alg('none'),
  'alg None': alg('None'),
  'alg NONE': alg('NONE'),
  'alg nOnE': alg('nOnE'),
  'alg none with spaces': alg(' none '),
  'alg none with a NUL': ['json', token('{"alg":"none\\u0000","kid":"es","typ":"at+jwt"}', CLAIMS, BYTE)],
  'alg none with a good signature': alg('none', es256()),
  'alg none of another issuer': ['algorithm', partners({}, { alg: 'none' })],
  'alg of no letters': alg('', es256()),
  'alg null': alg(null, es256()),
  'alg as a list': alg(['ES256'], es256()),
  'alg as a list of none and ours': alg(['none', 'ES256'], es256()),
  'alg as an object': alg({ name: 'ES256' }, es256()),
  'alg as a number': alg(256, es256()),
  'alg true': alg(true, es256()),
  'no alg': ['algorithm', token(without(HEADER, 'alg'))],
  'alg in small letters': alg('es256', es256()),
  'alg ES256K': alg('ES256K', es256()),
  'alg ES384 with a key of ES256': alg('ES384', es256()),
  'alg EdDSA with a key of ES256': alg('EdDSA', es256()),
  'alg dir': alg('dir', es256()),
  'alg PBES2': alg('PBES2-HS256+A128KW', es256()),
  'HS256 with our public key as PEM': ['algorithm', hs(pem())],
  'HS256 with our public key as PEM without its last line end': ['algorithm', hs(String(pem()).trim())],
  'HS256 with our public key as DER': ['algorithm', hs(spki())],
  'HS256 with our public key as JWK': ['algorithm', hs(JSON.stringify(OUR_KEYS.keys[0]))],
  'HS256 with our key set': ['algorithm', hs(JSON.stringify(OUR_KEYS))],
  'HS256 with the point of our key': ['algorithm', hs(point)],
  'HS256 with x of our key': ['algorithm', hs(Buffer.from(x, 'base64url'))],
  'HS256 with the name of our key': ['algorithm', hs('es')],
  'HS256 with an empty secret': ['algorithm', hs('')],
  'HS256 with "secret"': ['algorithm', hs('secret')],
  'HS384, by the public key': ['algorithm', withHeader({ alg: 'HS384' }, hs256(pem()))],
  'RS256 to HS256, by the public key as PEM': ['algorithm', ofOld('HS256', hs256(pem(KEYS.old.publicKey)))],
  'RS256 to HS256, by the public key as PKCS #1': ['algorithm', ofOld('HS256', hs256(oldPem))],
  'RS256 to HS256, by the public key as DER': ['algorithm', ofOld('HS256', hs256(spki(KEYS.old.publicKey)))],
  'RS256 to HS256, by the public key as JWK': [
    'algorithm',
    ofOld('HS256', hs256(JSON.stringify(jwk(KEYS.old.publicKey, 'rsa')))),
  ],
  'RS256 to none': ['algorithm', ofOld('none', BYTE)],
  'RS256 to PS256, which the key is not for': ['algorithm', ofOld('PS256', ps256(KEYS.old.privateKey))],
  'RS256 to RS1': ['algorithm', ofOld('RS1')],
  'RS256 by the key of PS256, of an issuer that does not do RS256': [
    'algorithm',
    partners({}, { alg: 'RS256', kid: 'ps' }, rs256(KEYS.ps.privateKey)),
  ],
}

const path = (kid: unknown, signed = es256()): readonly ['key name', string] => [
  'key name',
  withHeader({ kid }, signed),
]
const ofPartner = (kid: string, others: object, signed = es256(KEYS.partner.privateKey)): string =>
  partners({}, { kid, ...others }, signed)

const keyNames: Forgeries = {
  'no kid': ['key name', token(without(HEADER, 'kid'))],
  'a kid that is null': path(null),
  'a kid that is a number': path(1),
  'a kid that is a list': path(['es']),
  'a kid that is an object': path({ toString: 'es' }),
  'an empty kid': path(''),
  'a kid of 65 letters': path('e'.repeat(65)),
  'a kid that is a path, by an empty secret': [
    'key name',
    token({ ...HEADER, alg: 'HS256', kid: '../../../../../../dev/null' }, CLAIMS, hs256('')),
  ],
  'a kid that is /dev/null': path('/dev/null'),
  'a kid that is a path with backslashes': path('..\\..\\windows\\win.ini'),
  'a kid that is SQL': path("x' union select 'secret' -- "),
  'a kid that is a command': path('es;id'),
  'a kid that is an address': path(canary.url, byStranger),
  'a kid with a NUL': ['json', token('{"alg":"ES256","kid":"es\\u0000","typ":"at+jwt"}')],
  'a kid with a line end': path('es\n'),
  'a kid with a space': path('es '),
  'a kid beyond ASCII': path('еs'),
  'a kid of the prototype': ['unknown key', withHeader({ kid: '__proto__' })],
  'a kid that is a method': ['unknown key', withHeader({ kid: 'constructor' })],
  'an unknown kid': ['unknown key', withHeader({ kid: 'es2' })],
  'a kid in other letters': ['unknown key', withHeader({ kid: 'ES' })],
  'a key of 1,024 bits': ['unknown key', ofPartner('short', { alg: 'PS256' }, ps256(KEYS.short.privateKey))],
  'a key with the exponent 3': [
    'unknown key',
    ofPartner('three', { alg: 'PS256' }, ps256(KEYS.three.privateKey)),
  ],
  'a key for encryption': ['unknown key', ofPartner('enc', {})],
  'a key for signing only': ['unknown key', ofPartner('signing', {})],
  'a key of another algorithm': ['unknown key', ofPartner('es384', {})],
  'a key of another curve': ['unknown key', ofPartner('p384', {}, es256(KEYS.p384.privateKey))],
  'a key of an algorithm the issuer may not use': [
    'unknown key',
    ofPartner('rs', { alg: 'RS256' }, rs256(KEYS.ps.privateKey)),
  ],
  'a key whose private half is public': ['unknown key', ofPartner('private', {})],
  'a key whose name two have': ['unknown key', ofPartner('twice', {})],
  'a shared secret': [
    'unknown key',
    ofPartner('oct', { alg: 'HS256' }, hs256('a shared secret of 32 characters')),
  ],
  'a published key that is named like a path': ['key name', ofPartner('../keys/es', {})],
}

const own = jwk(KEYS.stranger.publicKey, 'es', { alg: 'ES256' })
/** Signed by us: nothing but the field is wrong. */
const steering = (field: object, signed = es256()): readonly ['steering header', string] => [
  'steering header',
  withHeader(field, signed),
]

const fields: Forgeries = {
  'an embedded key': steering({ kid: 'theirs', jwk: own }, byStranger),
  'an embedded key under the name of ours': steering({ jwk: own }, byStranger),
  'our own key, embedded': steering({ jwk: OUR_KEYS.keys[0] }),
  'an embedded key that is null': steering({ jwk: null }),
  'a jku': steering({ kid: 'theirs', jku: `${canary.url}/jwks` }, byStranger),
  'a jku under the name of our key': steering({ jku: `${canary.url}/jwks` }),
  'a jku with our name in it': steering({ jku: `${canary.url}/https://issuer.test/jwks` }),
  'a jku of a file': steering({ jku: 'file:///etc/passwd' }),
  'a jku that is no text': steering({ jku: [canary.url] }),
  'an x5u': steering({ x5u: `${canary.url}/x5u` }),
  'an x5u by a stranger': steering({ kid: 'theirs', x5u: `${canary.url}/x5u` }, byStranger),
  'an x5c': steering({ x5c: ['MIIB'] }),
  'an empty x5c': steering({ x5c: [] }),
  'a critical header that is there': steering({ crit: ['exp'], exp: 1 }),
  'a critical header that is not there': steering({ crit: ['x'] }),
  'an empty list of critical headers': steering({ crit: [] }),
  'critical headers that are no list': steering({ crit: 'x' }),
  'claims that are not encoded': steering({ b64: false, crit: ['b64'] }),
  'claims that are encoded, as it says': steering({ b64: true }),
  'claims that are compressed': steering({ zip: 'DEF' }),
  'a token in a token, by its header': steering({ cty: 'JWT' }),
  'a header of an encrypted token': steering({ alg: 'RSA-OAEP', enc: 'A256GCM' }),
  'a password to derive a key from, a billion times': steering({
    alg: 'PBES2-HS256+A128KW',
    p2s: 'AAAA',
    p2c: 1e9,
  }),
  'an ephemeral key': steering({ alg: 'ECDH-ES', epk: own }),
}

const typed = (typ: unknown): readonly ['type', string] => ['type', withHeader({ typ })]

const types: Forgeries = {
  'no type': ['type', token(without(HEADER, 'typ'))],
  'the type of any JWT': typed('JWT'),
  'the type of a logout token': typed('logout+jwt'),
  'the type of a proof of possession': typed('dpop+jwt'),
  'the type of a security event': typed('secevent+jwt'),
  'the type of a refresh token': typed('rt+jwt'),
  'the type of an introspection': typed('token-introspection+jwt'),
  'the type of a JWS': typed('JOSE'),
  'the type in other letters': typed('AT+JWT'),
  'the type with a parameter': typed('at+jwt; charset=utf-8'),
  'the type with a space': typed('at+jwt '),
  'the type of a longer name': typed('at+jwts'),
  'the type under another tree': typed('text/at+jwt'),
  'a type that is a list': typed(['at+jwt']),
  'a type that is null': typed(null),
}

const json = (header: unknown): readonly ['json', string] => ['json', token(header)]
const repeated = (header: string): readonly ['repeated key', string] => ['repeated key', token(header)]

const broken: Forgeries = {
  'a header that is not JSON': json('{"alg":'),
  'a header that is a list': json([HEADER]),
  'a header that is null': json('null'),
  'a header that is a text': json('"ES256"'),
  'a header with a comment': json('{/**/"alg":"ES256","kid":"es","typ":"at+jwt"}'),
  'a header with a comma too many': json('{"alg":"ES256","kid":"es","typ":"at+jwt",}'),
  'a header with single quotes': json("{'alg':'ES256','kid':'es','typ':'at+jwt'}"),
  'a header with something after it': json(`${JSON.stringify(HEADER)}{}`),
  'a header with a mark of byte order': json(`\ufeff${JSON.stringify(HEADER)}`),
  'a header that is UTF-16': json(Buffer.from(JSON.stringify(HEADER), 'utf16le')),
  'a header that is not UTF-8': json(
    Buffer.from('{"alg":"ES256","kid":"es","typ":"at+jwt","x":"\xff"}', 'latin1'),
  ),
  'a header with __proto__': json('{"__proto__":{"alg":"ES256"},"kid":"es","typ":"at+jwt"}'),
  'a header that is a token': json(token()),
  'two algs, the good one last': repeated('{"alg":"none","alg":"ES256","kid":"es","typ":"at+jwt"}'),
  'two algs, the good one first': repeated('{"alg":"ES256","kid":"es","typ":"at+jwt","alg":"none"}'),
  'two algs, one in escapes': repeated('{"\\u0061lg":"none","alg":"ES256","kid":"es","typ":"at+jwt"}'),
  'two kids that are the same': repeated('{"alg":"ES256","kid":"es","kid":"es","typ":"at+jwt"}'),
  'a header of one megabyte': ['size', withHeader({ x: 'a'.repeat(1_000_000) })],
  'a header that nests ten thousand deep': ['size', token(`${'['.repeat(10_000)}`)],
  'a header that nests two thousand deep': json(`{"x":${'['.repeat(2_000)}`),
  'a header that nests 33 deep': json(
    `${JSON.stringify(HEADER).slice(0, -1)},"x":${'['.repeat(32)}${']'.repeat(32)}}`,
  ),
  'a header of no bytes': ['form', `.${encoded(CLAIMS)}.${'A'.repeat(86)}`],
}

refuses('an algorithm', algorithms)
refuses('a name of a key', keyNames)
refuses('a field of the header', fields)
refuses('a type', types)
refuses('a header', broken)
