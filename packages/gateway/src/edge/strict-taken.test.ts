/**
 * Requests that are taken, and exactly what the service behind sees of each. Many are odd; all are clear.
 *
 * @source RFC 9110, RFC 9112, RFC 3986
 * @module
 */
import type { Seen } from './strict-gateway.test.ts'
import { BODY, chunk, chunked, each, get, hosted, LENGTH, post, starting } from './strict-requests.test.ts'

/** Cases of one rule, all answered alike. */
export interface Taken {
  readonly rule: string
  readonly cases: Readonly<Record<string, string>>
  /** What the service sees, in order. */
  readonly seen: readonly Seen[]
  /** Of all answers, in order. Default 200 for each that the service sees. */
  readonly statuses?: readonly number[]
}

const list: Seen = { operation: 'list', input: {} }
const echo: Seen = { operation: 'echo', input: { text: 'a' } }
const of = (id: string): Seen => ({ operation: 'get', input: { id } })
const HTTP10 = [/HTTP\/1\.1/, 'HTTP/1.0'] as const
const ONE_BY_ONE = [...BODY].map((byte) => `1\r\n${byte}\r\n`).join('')
const put = (id: string): string =>
  `PUT /api/v1/seen/${id} HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n${LENGTH}\r\n${BODY}`

const clear: readonly Taken[] = [
  {
    rule: 'RFC 9110 5.1, RFC 9112 5: names in any case, space around values',
    seen: [list],
    cases: {
      'a plain request': get(),
      ...each(
        'the Host line',
        ['host: gateway.test', 'HOST: gateway.test', 'hOsT:gateway.test', 'Host:\tgateway.test'],
        (line) => hosted(`${line}\r\n`),
      ),
      ...each(
        'the Host line',
        ['Host:   gateway.test', 'Host: gateway.test  ', 'Host: gateway.test\t \t'],
        (line) => hosted(`${line}\r\n`),
      ),
      ...each(
        'the field',
        ['X-A:', 'X-A: ', 'X-A: b\tc', 'X-A: \xe4', 'X-A: b:c', "!#$%&'*+-.^`|~09aZ: b", 'A: b\r\nA: b'],
        (line) => get(`${line}\r\n`),
      ),
      'a hundred fields': get('X-A: b\r\n'.repeat(98)),
      'a value of 12,000 characters': get(`X-A: ${'a'.repeat(12_000)}\r\n`),
    },
  },
  {
    rule: 'RFC 9110 7.2, RFC 3986 3.2.2: a Host, with or without port',
    seen: [list],
    cases: each(
      'Host',
      [
        'a',
        'a.b',
        'GATEWAY.TEST',
        'gateway.test:80',
        'gateway.test:0',
        'gateway.test:65535',
        'gateway.test.',
        '127.0.0.1',
        '[::1]',
        '[::1]:8080',
        'xn--a-1ga.test',
      ],
      (host) => hosted(`Host: ${host}\r\n`),
    ),
  },
  {
    rule: 'RFC 9112 3.2.2: an absolute target that names the Host',
    seen: [list],
    cases: each(
      'the target',
      [
        'http://gateway.test/api/v1/seen',
        'http://Gateway.Test/api/v1/seen',
        'HTTP://gateway.test/api/v1/seen',
        'https://gateway.test/api/v1/seen?',
      ],
      (target) => get('', target),
    ),
  },
  {
    rule: 'RFC 9112 2.2: an empty line before a request',
    seen: [list],
    cases: { 'one of them': `\r\n${get()}`, 'three of them': `\r\n\r\n\r\n${get()}` },
  },
  {
    rule: 'RFC 9112 2.3: HTTP/1.0, which closes by itself',
    seen: [list],
    cases: {
      'HTTP/1.0 with Host': get().replace(...HTTP10),
      'HTTP/1.0 that is followed by more': get().replace(...HTTP10) + get(),
      'HTTP/1.0 with an expectation, which it does not know': get('Expect: 100-continue\r\n').replace(
        ...HTTP10,
      ),
    },
  },
  {
    rule: 'RFC 9112 9.3, C.2.2: HTTP/1.0 that asks to stay',
    seen: [list, list],
    cases: {
      'two of them': (get('Connection: keep-alive\r\n') + get('Connection: close\r\n')).replace(
        /HTTP\/1\.1/g,
        'HTTP/1.0',
      ),
    },
  },
  {
    rule: 'RFC 9112 9.3: the connection ends when either says so',
    seen: [list],
    cases: each(
      'Connection:',
      ['close', 'Close', 'close, te', 'te, close', 'keep-alive, close', 'close\r\nConnection: te'],
      (value) => get(`Connection: ${value}\r\n`).concat(get('', '/api/v1/seen/t1')),
    ),
  },
  {
    rule: 'RFC 9110 7.6.1: fields that Connection names are not ours to drop',
    seen: [list],
    cases: {
      ...each(
        'Connection:',
        ['Host', 'Host, Authorization', 'Content-Length', 'Transfer-Encoding', 'X-Request-Id', ', ,'],
        (value) => get(`Connection: ${value}\r\n`),
      ),
      'Upgrade without Connection': get('Upgrade: websocket\r\n'),
      'an offer of trailers': get('TE: trailers\r\nTrailer: X-A\r\n'),
    },
  },
  {
    rule: 'RFC 9112 6.2: a body of a length',
    seen: [echo],
    cases: {
      'a length': post(LENGTH, BODY),
      ...each('Content-Length:', ['12', '  12', ' 12  ', ' 012', ' 000000000000012'], (value) =>
        post(`Content-Length:${value}\r\n`, BODY),
      ),
      'a method with a body in HTTP/1.0': post(LENGTH, BODY).replace(...HTTP10),
      'Content-Type with its charset': post(LENGTH, BODY).replace('/json', '/json; charset=UTF-8'),
    },
  },
  {
    rule: 'RFC 9112 7.1: a body in chunks, whatever they are',
    seen: [echo],
    cases: {
      'one chunk': chunk('c'),
      'two chunks': chunked('5\r\n{"tex\r\n7\r\nt":"a"}\r\n0\r\n\r\n'),
      'a chunk for each byte': chunked(`${ONE_BY_ONE}0\r\n\r\n`),
      ...each(
        'the chunk size',
        ['C', '0c', '0000000c', 'c;a', 'c;a=b', 'c;a="b c"', 'c;a="\\""', 'c;a=b;c=d'],
        chunk,
      ),
      ...each('the coding', ['Chunked', 'CHUNKED', 'chunKed'], (coding) =>
        chunk('c').replace('chunked', coding),
      ),
      'a last chunk of many zeros': chunk('c', '0000\r\n\r\n'),
      'a last chunk with an extension': chunk('c', '0;a=b\r\n\r\n'),
    },
  },
  {
    rule: 'G4, RFC 9110 6.5.1: trailers are dropped',
    seen: [echo],
    cases: each(
      'the trailer',
      [
        'X-A: b',
        'Authorization: Bearer a',
        'Host: evil.test',
        'Content-Type: text/plain',
        'Idempotency-Key: a',
        'Connection: x\r\nX-A: b',
      ],
      (line) => chunk('c', `0\r\n${line}\r\n\r\n`),
    ),
  },
  {
    rule: 'RFC 9110 10.1.1: the gateway itself says 100, where there is a body to wait for',
    seen: [echo],
    statuses: [100, 200],
    cases: {
      ...each('Expect:', ['100-continue', '100-CONTINUE', '  100-continue  '], (value) =>
        post(`Expect:${value}\r\n${LENGTH}`, BODY),
      ),
      'with chunks': post(
        'Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n',
        `c\r\n${BODY}\r\n0\r\n\r\n`,
      ),
    },
  },
  {
    rule: 'RFC 9110 10.1.1: no 100 without a body',
    seen: [list],
    cases: {
      'a GET that expects': get('Expect: 100-continue\r\n'),
      'a GET of the length 0 that expects': get('Expect: 100-continue\r\nContent-Length: 0\r\n'),
    },
  },
  {
    rule: 'RFC 9110 8.6: a length of 0 is no body',
    seen: [list],
    cases: each('Content-Length:', ['0', '00', '000000000000000'], (value) =>
      get(`Content-Length: ${value}\r\n`),
    ),
  },
]

const paths: readonly Taken[] = [
  ...(
    [
      ['a%20b', 'a b'],
      ['%61', 'a'],
      ['%252e%252e', '%2e%2e'],
      ['%252f', '%2f'],
      ['%E2%82%AC', '€'],
      ['%f0%9f%98%80', '😀'],
      ['...', '...'],
      ['.a', '.a'],
      ['a;b=c', 'a;b=c'],
      ['a:@!$&()*+,=b', 'a:@!$&()*+,=b'],
      ["~-_'", "~-_'"],
      ['a%3Fb', 'a?b'],
      ['a%23b', 'a#b'],
      ['a+b', 'a+b'],
    ] as const
  ).map(([path, id]) => ({
    rule: `RFC 3986 2.1: ${path} is ${id}`,
    seen: [of(id)],
    cases: { 'one escape, read once': get('', `/api/v1/seen/${path}`) },
  })),
  {
    rule: 'RFC 3986 3.4: the query is apart from the path',
    seen: [{ operation: 'list', input: { tag: '/../a?b/' } }],
    cases: each('the query', ['tag=/../a?b/', 'tag=%2f..%2Fa?b/', 'tag=/%2e./a%3fb/'], (query) =>
      get('', `/api/v1/seen?${query}`),
    ),
  },
  {
    rule: 'RFC 9112 3.2.4: OPTIONS of everything',
    seen: [],
    statuses: [204],
    cases: { 'OPTIONS *': starting('OPTIONS * HTTP/1.1') },
  },
]

const several: readonly Taken[] = [
  {
    rule: 'RFC 9112 9.3.2: several requests at once, answered in order',
    seen: [list, echo, of('t1')],
    cases: {
      'with a length': get() + post(LENGTH, BODY) + get('', '/api/v1/seen/t1'),
      'with chunks': get() + chunk('c') + get('', '/api/v1/seen/t1'),
      'with trailers': get() + chunk('c', '0\r\nHost: evil.test\r\n\r\n') + get('', '/api/v1/seen/t1'),
      'with an empty line between them': `${get()}${post(LENGTH, BODY)}\r\n${get('', '/api/v1/seen/t1')}`,
    },
  },
  {
    rule: 'RFC 9110 9: what has a body and what has none',
    seen: [
      { operation: 'put', input: { id: 'a', text: 'a' } },
      { operation: 'remove', input: { id: 'b' } },
      { operation: 'put', input: { id: 'c', text: 'a' } },
    ],
    cases: { 'PUT, DELETE, PUT': put('a') + get('', '/api/v1/seen/b').replace('GET', 'DELETE') + put('c') },
  },
]

/** All of them. */
export const taken: readonly Taken[] = [...clear, ...paths, ...several]
