/**
 * Fields that must be refused, and the rule that each breaks. Written from the RFCs; `G…` are our own rules, which are stricter.
 *
 * @source RFC 9110, RFC 9112, RFC 3986; `docs/security.md`
 * @module
 */
import type { Refused } from './strict-refused-framing.test.ts'
import { BODY, chunk, each, get, hosted, LENGTH, post } from './strict-requests.test.ts'

const target = (value: string): string => get('', value)
const trailer = (line: string): string => chunk('c', `0\r\n${line}\r\n\r\n`)

/** Cases of fields. */
export const refusedFields: readonly Refused[] = [
  {
    rule: 'RFC 9112 5.2: no continued lines',
    statuses: [400],
    cases: {
      'a continued field': get('X-A: b\r\n  c\r\n'),
      'a field continued with a tab': get('X-A: b\r\n\tc\r\n'),
      'a continued Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
      'a continued Content-Length': post('Content-Length:\r\n 12\r\n', BODY),
      'a continued Host': hosted('Host:\r\n gateway.test\r\n'),
      'a continued trailer': trailer('X-A: b\r\n c'),
      'a space before the first field': get().replace('Host:', ' Host:'),
      'a tab before the first field': get().replace('Host:', '\tHost:'),
      'a line of one space': get(' \r\n'),
    },
  },
  {
    rule: 'RFC 9112 5.1, RFC 9110 5.1: a name is a token, then a colon',
    statuses: [400],
    cases: {
      ...each(
        'the field',
        ['X-A : b', 'X-A\t: b', 'X-A', ': b', ':', 'X A: b', 'X(A): b', 'X"A": b', 'X,A: b'],
        (line) => get(`${line}\r\n`),
      ),
      ...each(
        'the field',
        ['X/A: b', 'X;A: b', 'X=A: b', 'X@A: b', 'X[A]: b', 'X{A}: b', 'X\\A: b', 'X?A: b', 'X<A: b'],
        (line) => get(`${line}\r\n`),
      ),
      ...each('the field', ['X-A\0: b', 'X-\xe4: b', 'X-A\x7f: b', '\x0bX-A: b', 'GET / HTTP/1.1'], (line) =>
        get(`${line}\r\n`),
      ),
      'Content-Length, space, colon': post('Content-Length : 12\r\n', BODY),
      'Transfer-Encoding, space, colon': post(`${LENGTH}Transfer-Encoding : chunked\r\n`, BODY),
      'Host, space, colon': hosted('Host : gateway.test\r\n'),
    },
  },
  {
    rule: 'RFC 9110 5.5: no control characters in values',
    statuses: [400],
    cases: each(
      'the value',
      ['b\0c', 'b\x01c', 'b\x08c', 'b\x0bc', 'b\x0cc', 'b\x1bc', 'b\x7fc', '\0'],
      (value) => get(`X-A: ${value}\r\n`),
    ),
  },
  {
    rule: 'G3: no underscore in names',
    statuses: [400],
    cases: {
      ...each(
        'the name',
        ['Transfer_Encoding', 'Content_Length', 'X_User_Id', 'X-Forwarded_For', '_', 'Host_'],
        (name) => post(`${LENGTH}${name}: a\r\n`, BODY),
      ),
    },
  },
  {
    rule: 'G2: what decides is there once',
    statuses: [400],
    cases: each(
      'two of',
      [
        'Authorization',
        'X-Api-Key',
        'X-Request-Id',
        'Idempotency-Key',
        'If-Match',
        'If-None-Match',
        'Origin',
        'Traceparent',
        'User-Agent',
        'Content-Type',
        'Content-Encoding',
        'Access-Control-Request-Method',
      ],
      (name) => get(`${name}: a\r\n${name.toLowerCase()}: b\r\n`),
    ),
  },
  {
    rule: 'G6: the method stands in the request line',
    statuses: [400],
    cases: each('the field', ['X-HTTP-Method-Override', 'X-HTTP-Method', 'x-method-override'], (name) =>
      get(`${name}: DELETE\r\n`),
    ),
  },
  {
    rule: 'G5: bodies where the contract has one, and JSON as it is',
    statuses: [400],
    cases: {
      ...each(
        'a body with',
        ['GET', 'HEAD', 'DELETE', 'OPTIONS'],
        (method) => get(LENGTH).replace('GET', method) + BODY,
      ),
      ...each('chunks with', ['GET', 'HEAD', 'DELETE', 'OPTIONS'], (method) =>
        get('Transfer-Encoding: chunked\r\n').replace('GET', method).concat('0\r\n\r\n'),
      ),
    },
  },
  {
    rule: 'Idempotency-Key: printable ASCII, at most 255',
    statuses: [400],
    cases: each('the key', ['a\tb', 'a\xe4', '', 'a'.repeat(256)], (key) =>
      post(`Idempotency-Key: ${key}\r\n${LENGTH}`, BODY),
    ),
  },
  {
    rule: 'G5: no compressed bodies',
    statuses: [415],
    cases: each('Content-Encoding', ['gzip', 'br', 'deflate', 'identity', ''], (coding) =>
      post(`Content-Encoding: ${coding}\r\n${LENGTH}`, BODY),
    ),
  },
  {
    rule: 'RFC 9110 10.1.1: no expectation but 100-continue',
    statuses: [417],
    cases: each(
      'Expect:',
      [
        '200-maybe',
        '100-continue, 100-continue',
        'a, 100-continue',
        '100-continue;a=b',
        '"100-continue"',
        '100',
        '',
      ],
      (value) => post(`Expect: ${value}\r\n${LENGTH}`, BODY),
    ),
  },
  {
    rule: 'G10: bounds of a head',
    statuses: [431],
    cases: {
      'a value of 17,000 characters': get(`X-A: ${'a'.repeat(17_000)}\r\n`),
      'a name of 17,000 characters': get(`X-${'A'.repeat(17_000)}: b\r\n`),
      'a target of 17,000 characters': target(`/${'a'.repeat(17_000)}`),
      'a hundred fields of 200 characters': get(`X-A: ${'a'.repeat(200)}\r\n`.repeat(99)),
      'a hundred and one fields': get('X-A: b\r\n'.repeat(100)),
      'a thousand fields': get('A: b\r\n'.repeat(1_000)),
      'trailers of 17,000 characters': trailer(`X-A: ${'a'.repeat(17_000)}`),
    },
  },
]
