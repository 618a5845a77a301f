/**
 * Ways around a rate limit that somebody may try: each a client and what it sends, 25 and more.
 *
 * @module
 */

/** One request, as it is written. */
export interface Attempt {
  /** Default GET. */
  readonly method?: string
  readonly target?: string
  /** Default 1.1. */
  readonly version?: string
  /** Default `shop.test`. */
  readonly host?: string
  /** As the proxy in front tells it. Default the address of the evasion. */
  readonly from?: string
  /** Further fields. */
  readonly fields?: readonly string[]
  readonly body?: string
  /** Sent so many times on one connection, without waiting for answers. Default 1. */
  readonly times?: number
}

/** Somebody with an account. */
export interface Customer {
  readonly email: string
  /** Access tokens of several sessions. */
  readonly tokens: readonly string[]
  readonly apiKeys: readonly string[]
  readonly productId: string
}

/** What is tried. */
export interface Evasion {
  readonly name: string
  /** The limit that must hold all the same. */
  readonly limit: 'anonymous' | 'free' | 'strict' | 'address'
  /** Default false: the customer is somebody who is there anyway. */
  readonly needsCustomer?: boolean
  readonly attempt: (n: number, customer: Customer) => Attempt
}

/** Cheap to answer. */
export const TARGET = '/.well-known/jwks.json'
const json = 'Content-Type: application/json'
const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T
/** An address that no other request has. */
const elsewhere = (n: number): string => `198.51.${100 + (n >> 8)}.${n & 255}`
const bearer = (token: string, scheme = 'Bearer'): string => `Authorization: ${scheme} ${token}`

const byAddress: readonly Evasion[] = [
  { name: 'nothing special', limit: 'anonymous', attempt: () => ({}) },
  {
    name: 'inventing hops of X-Forwarded-For',
    limit: 'anonymous',
    attempt: (n) => ({ from: `${elsewhere(n)}, 203.0.113.201` }),
  },
  {
    name: 'sending X-Forwarded-For twice',
    limit: 'anonymous',
    // The proxy adds its field below what the client sent.
    attempt: (n) => ({ from: `${elsewhere(n)}\r\nX-Forwarded-For: 203.0.113.202` }),
  },
  {
    name: 'naming an address in other fields',
    limit: 'anonymous',
    attempt: (n) => ({
      fields: ['X-Real-IP', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Client-IP'].map(
        (name) => `${name}: ${elsewhere(n)}`,
      ),
    }),
  },
  {
    name: 'naming an address in Forwarded',
    limit: 'anonymous',
    attempt: (n) => ({ fields: [`Forwarded: for=${elsewhere(n)};proto=https`] }),
  },
  {
    name: 'moving within an IPv6 /64',
    limit: 'anonymous',
    attempt: (n) => ({ from: `2001:db8:1:2:${n.toString(16)}:${(n * 7).toString(16)}::${n}` }),
  },
  {
    name: 'spelling an IPv6 address differently',
    limit: 'anonymous',
    attempt: (n) => ({
      from: pick(['2001:db8:0:3::1', '2001:0DB8:0:3:0:0:0:1', '2001:DB8::3:0:0:0:2', '2001:db8:0:03::a'], n),
    }),
  },
  {
    name: 'writing an IPv4 address as an IPv6 one',
    limit: 'anonymous',
    attempt: (n) => ({ from: pick(['203.0.113.203', '::ffff:203.0.113.203'], n) }),
  },
  {
    name: 'asking for something slightly different',
    limit: 'anonymous',
    attempt: (n) => ({
      target: `/api/v1/products?limit=${1 + (n % 5)}&sort=${pick(['newest', 'rating'], n)}`,
    }),
  },
  {
    name: 'asking on other routes in turn',
    limit: 'anonymous',
    attempt: (n) => ({
      target: pick([TARGET, '/api/v1/categories', '/api/v1/home', '/api/v1/products?limit=1'], n),
    }),
  },
  {
    name: 'changing method',
    limit: 'anonymous',
    attempt: (n) => ({ method: pick(['GET', 'HEAD'], n) }),
  },
  {
    name: 'writing names of fields differently, in another order',
    limit: 'anonymous',
    attempt: (n) => ({
      fields: n % 2 === 0 ? ['ACCEPT: */*', 'uSER-aGENT: a'] : ['user-agent: a', 'accept: */*'],
    }),
  },
  {
    name: 'being another program each time',
    limit: 'anonymous',
    attempt: (n) => ({
      fields: [
        `User-Agent: bot/${n}`,
        `Cookie: session=${n}`,
        `X-Request-Id: r${n}`,
        `Accept-Language: x-${n}`,
      ],
    }),
  },
  {
    name: 'naming the host differently',
    limit: 'anonymous',
    attempt: (n) => ({
      host: pick(['shop.test', 'shop.test.', 'SHOP.test', 'shop.test:8080', 'other.test'], n),
    }),
  },
  {
    name: 'writing whole URLs as targets',
    limit: 'anonymous',
    attempt: (n) => ({
      target: pick([`http://shop.test${TARGET}`, `HTTPS://SHOP.test${TARGET}`, TARGET], n),
    }),
  },
  { name: 'speaking HTTP/1.0', limit: 'anonymous', attempt: () => ({ version: '1.0' }) },
  { name: 'pipelining', limit: 'anonymous', attempt: () => ({ times: 5 }) },
  {
    name: 'asking whether what it has is current',
    limit: 'anonymous',
    attempt: (_, { productId }) => ({
      target: `/api/v1/products/${productId}`,
      fields: ['If-None-Match: *'],
    }),
  },
  {
    name: 'starting a trace of its own, with a priority',
    limit: 'anonymous',
    attempt: (n) => ({
      fields: [
        `traceparent: 00-${String(n).padStart(32, '1')}-${'2'.repeat(16)}-01`,
        'X-Criticality: critical_plus',
        'X-Flotilla-Service: auth',
      ],
    }),
  },
]

const byTarget: readonly Evasion[] = [
  {
    name: 'escaping letters of the path, of upper case, with double or last slashes, with parameters',
    limit: 'address',
    attempt: (n) => ({
      target: pick(
        [
          '/.well-known/%6awks.json',
          '/.WELL-known/jwks.json',
          '/.well-known//jwks.json',
          '/.well-known/jwks.json/',
          '/.well-known/jwks.json;x=1',
          `${TARGET}?&&`,
          TARGET,
        ],
        n,
      ),
    }),
  },
  {
    name: 'looking for what is not there',
    limit: 'address',
    attempt: (n) => ({ target: `/nothing/${n}` }),
  },
  {
    name: 'overriding the method',
    limit: 'address',
    attempt: (n) => ({
      method: pick(['GET', 'POST', 'OPTIONS'], n),
      fields: [`${pick(['X-HTTP-Method-Override', 'X-Method-Override'], n)}: GET`],
    }),
  },
  { name: 'asking what may be asked', limit: 'address', attempt: () => ({ method: 'OPTIONS' }) },
  {
    name: 'leaving and entering folders',
    limit: 'address',
    attempt: (n) => ({
      target: pick(['/.well-known/x/../jwks.json', '/.well-known/./jwks.json', TARGET], n),
    }),
  },
  {
    name: 'showing tokens that are worth nothing',
    limit: 'address',
    attempt: (n) => ({ fields: [bearer(`a.${n}.c`)] }),
  },
]

const byUser: readonly Evasion[] = [
  {
    name: 'coming from many addresses',
    limit: 'free',
    needsCustomer: true,
    attempt: (n, { tokens }) => ({ from: elsewhere(n), fields: [bearer(pick(tokens, 0))] }),
  },
  {
    name: 'using the tokens of several sessions',
    limit: 'free',
    needsCustomer: true,
    attempt: (n, { tokens }) => ({ from: elsewhere(n), fields: [bearer(pick(tokens, n))] }),
  },
  {
    name: 'using several API keys, and a token',
    limit: 'free',
    needsCustomer: true,
    attempt: (n, { apiKeys, tokens }) => ({
      from: elsewhere(n),
      fields: [
        n % 4 === 3
          ? bearer(pick(tokens, n), pick(['bearer', 'BEARER'], n))
          : `X-Api-Key: ${pick(apiKeys, n)}`,
      ],
    }),
  },
  {
    name: 'repeating one command with its Idempotency-Key',
    limit: 'free',
    needsCustomer: true,
    attempt: (n, { tokens, productId }) => ({
      method: 'POST',
      target: `/api/v1/products/${productId}/reviews`,
      from: elsewhere(n),
      fields: [bearer(pick(tokens, n)), json, 'Idempotency-Key: the-same'],
      body: JSON.stringify({ rating: 5, text: 'Very good.' }),
    }),
  },
]

const login = (email: string, password = 'not this one'): Attempt => ({
  method: 'POST',
  target: '/api/v1/auth/login',
  fields: [json],
  body: `{"email":"${email}","password":"${password}"}`,
})

const byGuessing: readonly Evasion[] = [
  {
    name: 'guessing at one account from many addresses',
    limit: 'strict',
    needsCustomer: true,
    attempt: (n, { email }) => ({ ...login(email, `guess ${n}`), from: elsewhere(n) }),
  },
  {
    name: 'spelling the account differently',
    limit: 'strict',
    needsCustomer: true,
    attempt: (n, { email }) => ({
      ...login(
        pick([email, email.toUpperCase(), email.replace('a', '\\u0061'), email.replace('@', '\\u0040')], n),
      ),
      from: elsewhere(n),
    }),
  },
  {
    name: 'guessing at many accounts',
    limit: 'strict',
    attempt: (n) => login(`somebody-${n}@shop.test`),
  },
]

/** All of them. */
export const evasions: readonly Evasion[] = [...byAddress, ...byTarget, ...byUser, ...byGuessing]
