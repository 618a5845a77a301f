import {
  AUDIENCE,
  CLAIMS,
  ed,
  es256,
  type Forgeries,
  HEADER,
  KEYS,
  NOW_S,
  OLD,
  OURS,
  PARTNER,
  partners,
  refuses,
  rs256,
  token,
  withClaims,
  without,
} from './forge.test.ts'

type Row = Forgeries[string]
const times = (changes: object): Row => ['times', withClaims(changes)]
/** A token whose claims are this text, in which `EXP` stands for its end: for numbers that JSON has other words for. */
const written = (exp: string): string =>
  token(HEADER, JSON.stringify({ ...CLAIMS, exp: 'EXP' }).replace('"EXP"', exp))

const ages: Forgeries = {
  'one that has expired': ['expired', withClaims({ iat: NOW_S - 600, exp: NOW_S - 31 })],
  'one that expired on the second': ['expired', withClaims({ iat: NOW_S - 600, exp: NOW_S - 30 })],
  'one that is not valid yet': ['not valid yet', withClaims({ nbf: NOW_S + 31 })],
  'one that is valid at the end of time': ['not valid yet', withClaims({ nbf: 253_402_300_799 })],
  'one from the future': ['not valid yet', withClaims({ iat: NOW_S + 31, exp: NOW_S + 600 })],
  'one from tomorrow': ['not valid yet', withClaims({ iat: NOW_S + 86_400, exp: NOW_S + 86_500 })],
  'one that lives a second too long': ['lifetime', withClaims({ iat: NOW_S, exp: NOW_S + 901 })],
  'one that lives for a century': ['lifetime', withClaims({ exp: NOW_S + 3_153_600_000 })],
  'one that was issued at the beginning of time': ['lifetime', withClaims({ iat: 0 })],
  'one that ends before it begins': times({ iat: NOW_S + 20, exp: NOW_S - 20 }),
  'one that ends as it begins': times({ iat: NOW_S, exp: NOW_S }),
  'exp in milliseconds': times({ exp: (NOW_S + 600) * 1000 }),
  'exp as text': times({ exp: `${NOW_S + 600}` }),
  'exp as text of a date': times({ exp: '2099-01-01T00:00:00Z' }),
  'exp as 1e99': ['times', written('1e99')],
  'exp as 1e999': ['times', written('1e999')],
  'exp as -1': times({ exp: -1 }),
  'exp as zero': times({ exp: 0, iat: 0 }),
  'exp as null': times({ exp: null }),
  'exp as NaN': ['json', written('NaN')],
  'exp as Infinity': ['json', written('Infinity')],
  'exp in hexadecimal': ['json', written('0x7fffffff')],
  'exp with a leading zero': ['json', written(`0${NOW_S + 600}`)],
  'exp with a plus': ['json', written(`+${NOW_S + 600}`)],
  'exp with a fraction': times({ exp: NOW_S + 600.5 }),
  'exp beyond what a number holds': ['times', written('99999999999999999999999999')],
  'exp true': times({ exp: true }),
  'exp as a list': times({ exp: [NOW_S + 600] }),
  'exp as an object': times({ exp: { valueOf: NOW_S + 600 } }),
  'no exp': ['times', token(HEADER, without(CLAIMS, 'exp'))],
  'EXP in capitals only': ['times', token(HEADER, { ...without(CLAIMS, 'exp'), EXP: NOW_S + 600 })],
  'iat as text': times({ iat: `${NOW_S}` }),
  'iat null': times({ iat: null }),
  'iat below zero': times({ iat: -1 }),
  'iat with a fraction': times({ iat: NOW_S - 0.5 }),
  'no iat': ['times', token(HEADER, without(CLAIMS, 'iat'))],
  'nbf as text': times({ nbf: '0' }),
  'nbf null': times({ nbf: null }),
  'nbf below zero': times({ nbf: -1 }),
  'nbf as 1e99': times({ nbf: 1e99 }),
  'nbf as a list': times({ nbf: [] }),
}

const aud = (value: unknown): Row => ['audience', withClaims({ aud: value })]

const audiences: Forgeries = {
  'another audience': aud('other'),
  'the audience of another issuer': aud('old-shop'),
  'an audience that ours is the beginning of': aud(`${AUDIENCE}s`),
  'an audience that is the beginning of ours': aud('sho'),
  'our audience in capitals': aud('SHOP'),
  'our audience and a space': aud(`${AUDIENCE} `),
  'our audience in a list of words': aud(`other ${AUDIENCE}`),
  'our audience with a letter that looks the same': aud('ѕhop'),
  'an empty audience': aud(''),
  'no audience': ['audience', token(HEADER, without(CLAIMS, 'aud'))],
  'an audience that is null': aud(null),
  'an audience that is true': aud(true),
  'an audience that is an object': aud({ shop: true }),
  'an audience that is like a list': aud({ 0: AUDIENCE, length: 1 }),
  'an empty list of audiences': aud([]),
  'audiences without ours': aud(['other', 'shop2']),
  'our audience in a list within a list': aud([[AUDIENCE]]),
  'our audience beside a number': aud([AUDIENCE, 1]),
  'our audience beside null': aud([null, AUDIENCE]),
  'our audience beside a list': aud([AUDIENCE, []]),
  'our audience beside an object': aud([AUDIENCE, { includes: true }]),
  'our audience among seventeen': aud([...Array.from({ length: 16 }, (_, at) => `a${at}`), AUDIENCE]),
}

const sub = (value: unknown): Row => ['subject', withClaims({ sub: value })]

const subjects: Forgeries = {
  'no subject': ['subject', token(HEADER, without(CLAIMS, 'sub'))],
  'an empty subject': sub(''),
  'a subject that is null': sub(null),
  'a subject that is a number': sub(1),
  'a subject that is a list': sub(['u1']),
  'a subject that is an object': sub({ id: 'u1' }),
  'a subject with a space': sub('u1 '),
  'a subject with a line end': sub('u1\n'),
  'a subject that looks like another': sub('аdmin'),
  'a subject in full-width letters': sub('ａｄｍｉｎ'),
  'a subject that turns the direction of text': sub('\u202enimda'),
  'a subject with no width': sub('u1\u200b'),
  'a subject of 256 characters': sub('u'.repeat(256)),
  'a subject of ours that looks like a partner’s': sub('partner|u1'),
  'a subject with a NUL': ['json', withClaims({ sub: 'u1\0' })],
  'half of a surrogate pair': ['json', withClaims({ sub: 'u1\ud800' })],
}

const lacks = (changes: object): Row => ['roles and tier', withClaims(changes)]

const users: Forgeries = {
  'no roles': ['roles and tier', token(HEADER, without(CLAIMS, 'roles'))],
  'roles that are text': lacks({ roles: 'admin' }),
  'roles that are null': lacks({ roles: null }),
  'roles that are an object': lacks({ roles: { admin: true } }),
  'roles that are numbers': lacks({ roles: [1] }),
  'roles in a list within a list': lacks({ roles: [['admin']] }),
  'no tier': ['roles and tier', token(HEADER, without(CLAIMS, 'tier'))],
  'a tier that is a list': lacks({ tier: ['premium'] }),
  'a tier that is null': lacks({ tier: null }),
  'groups of a partner that are text': ['roles and tier', partners({ groups: 'heads' })],
  'groups of a partner with null': ['roles and tier', partners({ groups: ['heads', null] })],
  'an empty scope': ['scope', withClaims({ scope: '' })],
  'a scope of spaces': ['scope', withClaims({ scope: '  ' })],
  'a scope that is a list': ['scope', withClaims({ scope: ['cart:read'] })],
  'a scope that is null': ['scope', withClaims({ scope: null })],
  'a token bound to a certificate that cannot be': [
    'bound to a key',
    withClaims({ cnf: { 'x5t#S256': 'A' } }),
  ],
  'a token bound to a number': ['bound to a key', withClaims({ cnf: { 'x5t#S256': 1 } })],
  'a token bound to a certificate, padded': [
    'bound to a key',
    withClaims({ cnf: { 'x5t#S256': `${'A'.repeat(43)}=` } }),
  ],
  'a token bound to a certificate in another spelling': [
    'bound to a key',
    withClaims({ cnf: { 'x5t#S256': `${'A'.repeat(42)}B` } }),
  ],
  'a token bound to a certificate and a key': [
    'bound to a key',
    withClaims({ cnf: { 'x5t#S256': 'A'.repeat(43), jkt: 'A'.repeat(43) } }),
  ],
  'a token bound to nothing': ['bound to a key', withClaims({ cnf: {} })],
  'a token bound to a list': ['bound to a key', withClaims({ cnf: ['A'.repeat(43)] })],
  'a token bound to a key': ['bound to a key', withClaims({ cnf: { jkt: 'A' } })],
  'a token bound to null': ['bound to a key', withClaims({ cnf: null })],
  'an ID token with a nonce': ['other kind', withClaims({ nonce: 'n' })],
  'an ID token with the hash of an access token': ['other kind', withClaims({ at_hash: 'A' })],
  'an ID token with the hash of a code': ['other kind', withClaims({ c_hash: 'A' })],
  'a logout token': ['other kind', withClaims({ events: { logout: {} } })],
}

const iss = (value: unknown): Row => ['issuer', withClaims({ iss: value })]
const byPartner = es256(KEYS.partner.privateKey)

const issuers: Forgeries = {
  'no issuer': ['issuer', token(HEADER, without(CLAIMS, 'iss'))],
  'an unknown issuer': iss('https://evil.test'),
  'an issuer with a slash more': iss(`${OURS}/`),
  'an issuer with a slash less': ['issuer', partners({ iss: PARTNER.slice(0, -1) })],
  'an issuer in capitals': iss(OURS.toUpperCase()),
  'an issuer that ours is the beginning of': iss(`${OURS}.evil.test`),
  'an issuer with a user before it': iss('https://issuer.test@evil.test'),
  'an issuer with a fragment': iss(`${OURS}#`),
  'an issuer of another scheme': iss('http://issuer.test'),
  'an issuer with a letter that looks the same': iss('https://іssuer.test'),
  'a list of issuers': iss([OURS]),
  'an issuer that is an object': iss({ toString: OURS }),
  'an issuer that is null': iss(null),
  'an issuer that is a method of tables': iss('constructor'),
  'an empty issuer': iss(''),
  'ours, by the partner, whose key has the same name': ['signature', token(HEADER, CLAIMS, byPartner)],
  'ours, by another key of the partner': [
    'unknown key',
    token({ ...HEADER, alg: 'EdDSA', kid: 'ed' }, CLAIMS, ed()),
  ],
  'the partner’s, by us, where a key has the same name': ['signature', partners({}, {}, es256())],
  'the partner’s, by the old issuer': ['unknown key', partners({}, { alg: 'RS256', kid: 'rsa' }, rs256())],
  'the old issuer’s, by us': ['unknown key', withClaims({ iss: OLD, aud: 'old-shop' })],
  'the old issuer’s, for the audience of others': [
    'audience',
    token({ ...HEADER, alg: 'RS256', kid: 'rsa' }, { ...CLAIMS, iss: OLD }, rs256()),
  ],
  'the partner’s, for the audience of the old issuer': ['audience', partners({ aud: 'old-shop' })],
  'the partner’s, signed by the partner, in our name': [
    'signature',
    token({ ...HEADER, iss: PARTNER }, CLAIMS, byPartner),
  ],
}

const json = (claims: unknown): Row => ['json', token(HEADER, claims)]
const text = JSON.stringify(CLAIMS)
const more = (end: string): string => `${text.slice(0, -1)},${end}}`
const repeated = (claims: string): Row => ['repeated key', token(HEADER, claims)]

const broken: Forgeries = {
  'claims that are not JSON': json('{"sub":'),
  'claims that are a list': json([CLAIMS]),
  'claims that are null': json('null'),
  'claims that are a number': json('1'),
  'claims that are a text': json(JSON.stringify(text)),
  'claims of no letters but a space': json(' '),
  'claims with something after them': json(`${text}x`),
  'claims with a NUL after them': json(`${text}\0`),
  'claims with a mark of byte order': json(`\ufeff${text}`),
  'claims in UTF-16': json(Buffer.from(text, 'utf16le')),
  'claims that are not UTF-8': json(Buffer.from(more('"x":"\xc0\xaf"'), 'latin1')),
  'claims with half a letter at the end': json(Buffer.from(more('"x":"\xe2\x82"'), 'latin1')),
  'claims with __proto__': json(more('"__proto__":{"roles":["admin"]}')),
  'claims with __proto__ in escapes': json(more('"\\u005f_proto__":{"roles":["admin"]}')),
  'claims with constructor': json(more('"x":{"constructor":{}}')),
  'claims that nest 33 deep': json(more(`"x":${'['.repeat(32)}${']'.repeat(32)}`)),
  'claims that nest three thousand deep': json('['.repeat(3_000)),
  'claims that nest ten thousand deep': ['size', token(HEADER, '['.repeat(10_000))],
  'two issuers, ours last': repeated(`{"iss":"https://evil.test",${text.slice(1)}`),
  'two issuers, ours first': repeated(more('"iss":"https://evil.test"')),
  'two subjects': repeated(more('"sub":"admin"')),
  'two subjects, one in escapes': repeated(more('"\\u0073\\u0075b":"admin"')),
  'two subjects that are the same': repeated(more('"sub":"u1"')),
  'two lists of roles': repeated(more('"roles":["admin"]')),
  'two fields of the same name further in': repeated(more('"x":[{"a":1,"b":{},"a":2}]')),
  'two fields of no name': repeated(more('"":1,"":2')),
  'two fields with a quote in their name': repeated(more('"\\"":1,"\\u0022":2')),
  'a token in a token': json(token()),
  'a token in a text in a token': json(JSON.stringify(token())),
}

refuses('a time', ages)
refuses('an audience', audiences)
refuses('a subject', subjects)
refuses('claims about the user', users)
refuses('an issuer', issuers)
refuses('claims', broken)
