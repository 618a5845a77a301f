/**
 * Request lines and Hosts that must be refused, and the rule that each breaks. Written from the RFCs; `G…` are our own rules, which are stricter.
 *
 * @source RFC 9110, RFC 9112, RFC 3986; `docs/security.md`
 * @module
 */
import type { Refused } from './strict-refused-framing.test.ts'
import { chunked, each, get, hosted, post, starting } from './strict-requests.test.ts'

const target = (value: string): string => get('', value)
const under = (method: string): string => get().replace('GET', method)
const HTTP10 = [/HTTP\/1\.1/, 'HTTP/1.0'] as const

/** Cases of request lines and Hosts. */
export const refusedLines: readonly Refused[] = [
  {
    rule: 'RFC 9112 3.2, RFC 9110 7.2: one Host, a name or an address',
    statuses: [400],
    cases: {
      'no Host': hosted(''),
      'no Host in HTTP/1.0': hosted('').replace(...HTTP10),
      'two Host': get('Host: gateway.test\r\n'),
      'two different Host': get('Host: evil.test\r\n'),
      ...each(
        'Host',
        [
          '',
          ' ',
          'me@gateway.test',
          'gateway.test/x',
          'gateway.test, evil.test',
          'a b',
          'gateway.test?',
          'gateway.test#',
          'a\\b',
        ],
        (host) => hosted(`Host: ${host}\r\n`),
      ),
      ...each(
        'Host',
        [
          'gateway.test:',
          'gateway.test:a',
          'gateway.test:80:80',
          'gateway.test:-1',
          'gateway.test:65536',
          'gateway.test:123456',
          ':80',
        ],
        (host) => hosted(`Host: ${host}\r\n`),
      ),
      ...each(
        'Host',
        [
          '[::1',
          '::1',
          '[::1]x',
          '[]',
          '[:::::]',
          '[1.2.3.4]',
          '[fe80::1%25eth0]',
          'a%2eb',
          'http://gateway.test',
          'a..b',
          '.a',
          '.',
          '\xe4.test',
        ],
        (host) => hosted(`Host: ${host}\r\n`),
      ),
      'a Host of 300 characters': hosted(`Host: ${'a'.repeat(300)}\r\n`),
    },
  },
  {
    rule: 'RFC 9112 3.2: a target is a path, names the Host, or is *',
    statuses: [400],
    cases: each(
      'the target',
      [
        'http://evil.test/api/v1/seen',
        'ftp://gateway.test/api/v1/seen',
        'http://me@gateway.test/api/v1/seen',
        'http:///api/v1/seen',
        'http://gateway.test:80/api/v1/seen',
        'http://gateway.test?tag=a',
        'http:/api/v1/seen',
        'api/v1/seen',
        'gateway.test:80',
        '*',
        '?tag=a',
        '/api/v1/seen#a',
      ],
      target,
    ),
  },
  {
    rule: 'RFC 3986 2, 3.3; G2: a path is text that everybody reads alike',
    statuses: [400],
    cases: {
      ...each(
        'the target',
        ['/a\\b', '/a%2fb', '/a%2Fb', '/a%5cb', '/a%00', '/a%0a', '/a%0d%0aX-A:%20b', '/a%7f', '/a%1f'],
        target,
      ),
      ...each(
        'the target',
        [
          '/a?b=%00',
          '/a?b=%0d%0a',
          '/a?b=%0A',
          '/a/../b',
          '/a/%2e%2e/b',
          '/a/.%2E/b',
          '/./a',
          '/a/..',
          '/a/%2e',
        ],
        target,
      ),
      ...each(
        'the target',
        [
          '/%c0%ae',
          '/%e2%82',
          '/%ff',
          '/%ed%a0%80',
          '/%f4%90%80%80',
          '/a?b=%80',
          '/%',
          '/%2',
          '/%zz',
          '/%u0041',
        ],
        target,
      ),
      ...each(
        'the target',
        [
          '/\xfc',
          '/a"b',
          '/a<b',
          '/a>b',
          '/a^b',
          '/a`b',
          '/a{b}',
          '/a|b',
          '/a[b]',
          '/a\x7fb',
          '/a\x01b',
          '/a\tb',
        ],
        target,
      ),
    },
  },
  {
    rule: 'RFC 9112 3: method, space, target, space, version',
    statuses: [400],
    cases: each(
      'the line',
      [
        'GET\t/api/v1/seen HTTP/1.1',
        'GET /api/v1/seen\tHTTP/1.1',
        ' GET /api/v1/seen HTTP/1.1',
        'GET /api/v1/seen HTTP/1.1 ',
        'GET /api/v1/seen HTTP/1.1\t',
        'GET /api/v1/seen x HTTP/1.1',
        'GET HTTP/1.1',
        'GET/api/v1/seen HTTP/1.1',
        'GET\x0b/api/v1/seen HTTP/1.1',
        'GET /api/v1/seen\x0cHTTP/1.1',
        'GET /api/v1/seen\0 HTTP/1.1',
        '/api/v1/seen HTTP/1.1',
        'HTTP/1.1 200 OK',
      ],
      starting,
    ),
  },
  {
    rule: 'RFC 9112 2.3: HTTP/1.1 or 1.0, written so',
    statuses: [400, 505],
    cases: {
      ...each(
        'the version',
        [
          'HTTP/1.2',
          'HTTP/1.10',
          'HTTP/01.1',
          'HTTP/1',
          'HTTP/1.',
          'HTTP/.1',
          'HTTP/3.0',
          'HTTP/2',
          'HTTP/1,1',
          'HTTP/1.1x',
        ],
        (version) => starting(`GET /api/v1/seen ${version}`),
      ),
      ...each(
        'the version',
        [
          'HTTP/2.0',
          'HTTP/0.9',
          'http/1.1',
          'Http/1.1',
          'HTTPS/1.1',
          'ICE/1.1',
          'HTTP 1.1',
          'HTTP/ 1.1',
          'HTTP\\1.1',
          'H',
          'HTTP/\xb9.1',
        ],
        (version) => starting(`GET /api/v1/seen ${version}`),
      ),
      'no version': 'GET /api/v1/seen\r\n\r\n',
      'a greeting of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'a greeting of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    },
  },
  {
    rule: 'RFC 9110 9.1: methods are names that we know, in capitals',
    statuses: [400, 501],
    cases: each(
      'the method',
      [
        'get',
        'Get',
        'GRAB',
        'GETX',
        'GE',
        'TRACE',
        'PROPFIND',
        'SEARCH',
        'LINK',
        'PURGE',
        'M-SEARCH',
        'QUERY',
        'G\0ET',
        'G\xcbT',
      ],
      under,
    ),
  },
  {
    rule: 'RFC 9110 7.8: no other protocol',
    statuses: [501],
    cases: each('Upgrade:', ['websocket', 'h2c', 'HTTP/2.0', 'TLS/1.0'], (protocol) =>
      get(`Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`),
    ),
  },
  {
    rule: 'G10: 8 KiB of target',
    statuses: [414],
    cases: { 'a query of 9,000 characters': target(`/api/v1/seen?tag=${'a'.repeat(9_000)}`) },
  },
  {
    rule: 'G10: 1 MiB of body',
    statuses: [413],
    isOpenEnded: true,
    cases: {
      'a body announced too long': post('Content-Length: 1048577\r\n', ''),
      'a body announced far too long': post('Content-Length: 999999999999999\r\n', ''),
      'a body in chunks that is too long': chunked(`100001\r\n${'a'.repeat(1_048_577)}\r\n`),
    },
  },
  {
    rule: 'G10: a head within its time',
    statuses: [408],
    isOpenEnded: true,
    cases: {
      'a head without an end': 'GET /api/v1/seen HTTP/1.1\r\nHost: gateway.test\r\nX-A: b',
      'a request line without an end': 'GET /api/v1/se',
      'nothing but empty lines': '\r\n\r\n',
    },
  },
]
