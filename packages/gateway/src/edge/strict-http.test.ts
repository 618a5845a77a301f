import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { sharedGateway } from './open-gateway.test.ts'

const HEAD_TIMEOUT_MS = 1_000
const BODY = '{"text":"a"}'

/** A GET that would be answered if `lines` were innocent. */
function get(lines = '', target = '/api/v1/things'): string {
  return `GET ${target} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n${lines}\r\n`
}

/** A POST that would be answered if `lines` and `body` were innocent. */
function post(lines: string, body: string): string {
  return `POST /api/v1/echo HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\nContent-Type: application/json\r\n${lines}\r\n${body}`
}

/** A body in chunks, its framing as `text` says. */
function chunked(text: string): string {
  return post('Transfer-Encoding: chunked\r\n', text)
}

const SMUGGLED = 'GET /api/v1/things HTTP/1.1\r\nHost: gateway.test\r\n\r\n'

/** Bytes, by what they are. */
type Cases = Readonly<Record<string, string>>

/** Whatever is in here gets one answer with this status, the connection closes, and no service hears of it. */
const refused: Readonly<Record<number, Cases>> = {
  400: {
    'two Content-Length': post('Content-Length: 12\r\nContent-Length: 12\r\n', BODY),
    'two different Content-Length': post('Content-Length: 12\r\nContent-Length: 5\r\n', BODY),
    'a list as Content-Length': post('Content-Length: 12, 12\r\n', BODY),
    'a signed Content-Length': post('Content-Length: +12\r\n', BODY),
    'a negative Content-Length': post('Content-Length: -12\r\n', BODY),
    'a hexadecimal Content-Length': post('Content-Length: 0xc\r\n', BODY),
    'an empty Content-Length': post('Content-Length: \r\n', BODY),
    'a fraction as Content-Length': post('Content-Length: 12.0\r\n', BODY),
    'a Content-Length with a space inside': post('Content-Length: 1 2\r\n', BODY),
    'a Content-Length beyond 64 bits': post('Content-Length: 99999999999999999999999\r\n', BODY),
    'Content-Length and Transfer-Encoding': post(
      'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n',
      `0\r\n\r\n${SMUGGLED}`,
    ),
    'Transfer-Encoding and Content-Length': post(
      'Transfer-Encoding: chunked\r\nContent-Length: 4\r\n',
      `0\r\n\r\n${SMUGGLED}`,
    ),
    'Transfer-Encoding: identity': post('Transfer-Encoding: identity\r\n', BODY),
    'Transfer-Encoding: gzip, chunked': post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: chunked, identity': post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: xchunked': post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    'Transfer-Encoding: "chunked"': post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
    'two Transfer-Encoding': post(
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n',
      '0\r\n\r\n',
    ),
    'two Transfer-Encoding, one of them nothing': post(
      'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n',
      '0\r\n\r\n',
    ),
    'an empty Transfer-Encoding': post('Transfer-Encoding:\r\n', BODY),
    'a vertical tab before chunked': post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
    'Transfer_Encoding with an underscore': post(
      'Content-Length: 12\r\nTransfer_Encoding: chunked\r\n',
      BODY,
    ),
    'Transfer-Encoding in HTTP/1.0': chunked('0\r\n\r\n').replace('HTTP/1.1', 'HTTP/1.0'),
    'a body with GET': get('Content-Length: 5\r\n') + BODY,
    'a chunked body with GET': `${get('Transfer-Encoding: chunked\r\n')}0\r\n\r\n`,
    'a body with DELETE': get('Content-Length: 5\r\n').replace('GET', 'DELETE') + BODY,
    'a chunk size that is not hexadecimal': chunked(`xyz\r\n${BODY}\r\n0\r\n\r\n`),
    'a chunk size with a sign': chunked(`+c\r\n${BODY}\r\n0\r\n\r\n`),
    'a chunk size with 0x': chunked(`0xc\r\n${BODY}\r\n0\r\n\r\n`),
    'a chunk size beyond 64 bits': chunked(`fffffffffffffffff\r\n${BODY}\r\n0\r\n\r\n`),
    'an empty chunk size': chunked(`\r\n${BODY}\r\n0\r\n\r\n`),
    'a chunk longer than its size': chunked(`5\r\n${BODY}\r\n0\r\n\r\n`),
    'a chunk that ends in a bare LF': chunked(`c\r\n${BODY}\n0\r\n\r\n`),
    'a chunk size that ends in a bare LF': chunked(`c\n${BODY}\r\n0\r\n\r\n`),
    'a chunk extension with a bare LF': chunked(`c;a\nb\r\n${BODY}\r\n0\r\n\r\n`),
    'a chunk extension without end': chunked(`c;${'a'.repeat(20_000)}\r\n${BODY}\r\n0\r\n\r\n`),
    'a continued header line': get('X-A: b\r\n  c\r\n'),
    'a continued Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    'a header line that ends in a bare LF': get('X-A: b\nX-B: c\r\n'),
    'a request line that ends in a bare LF': get().replace('HTTP/1.1\r\n', 'HTTP/1.1\n'),
    'a head that ends in bare LFs': get().replaceAll('\r\n', '\n'),
    'a bare CR in a value': get('X-A: b\rc\r\n'),
    'a NUL in a value': get('X-A: b\0c\r\n'),
    'a NUL in a name': get('X-A\0: b\r\n'),
    'a space before the colon': get('X-A : b\r\n'),
    'Content-Length, space, colon': post('Content-Length : 12\r\n', BODY),
    'a header without a colon': get('X-A\r\n'),
    'a header without a name': get(': b\r\n'),
    'a header name with a bracket': get('X(A): b\r\n'),
    'a header name that is not ASCII': get('X-\xe4: b\r\n'),
    'a space before the first header': get().replace('Host:', ' Host:'),
    'two Host': get('Host: gateway.test\r\n'),
    'two different Host': get('Host: evil.test\r\n'),
    'no Host': get().replace('Host: gateway.test\r\n', ''),
    'no Host in HTTP/1.0': get().replace('Host: gateway.test\r\n', '').replace('HTTP/1.1', 'HTTP/1.0'),
    'an empty Host': get().replace('gateway.test', ''),
    'a Host with a user': get().replace('gateway.test', 'me@gateway.test'),
    'a Host with a path': get().replace('gateway.test', 'gateway.test/x'),
    'a list as Host': get().replace('gateway.test', 'gateway.test, evil.test'),
    'two Authorization': get('Authorization: Bearer a\r\nAuthorization: Bearer b\r\n'),
    'two Content-Type': post('Content-Type: text/plain\r\nContent-Length: 12\r\n', BODY),
    'a method in another header': get('X-HTTP-Method-Override: DELETE\r\n'),
    'an absolute target elsewhere': get('', 'http://evil.test/api/v1/things'),
    'an absolute target of another scheme': get('', 'ftp://gateway.test/api/v1/things'),
    'an absolute target with a user': get('', 'http://me@gateway.test/api/v1/things'),
    'a target without a slash': get('', 'api/v1/things'),
    'an authority as target': get('', 'gateway.test:80'),
    '* with GET': get('', '*'),
    'a fragment': get('', '/api/v1/things#a'),
    'a backslash': get('', '/api\\v1\\things'),
    'an encoded slash': get('', '/api/v1/things%2f1'),
    'an encoded backslash': get('', '/api/v1/things%5C1'),
    'an encoded NUL': get('', '/api/v1/things/%00'),
    'an encoded line end': get('', '/api/v1/things/%0d%0aX-A:%20b'),
    'an encoded line end in the query': get('', '/api/v1/things?tag=%0d%0a'),
    'dot segments': get('', '/api/v1/other/../things'),
    'encoded dot segments': get('', '/api/v1/other/%2e%2e/things'),
    'a half encoded dot segment': get('', '/api/v1/other/.%2E/things'),
    'a single dot segment': get('', '/api/v1/./things'),
    'UTF-8 that is too long': get('', '/api/v1/things/%c0%ae%c0%ae'),
    'UTF-8 that is cut': get('', '/api/v1/things/%e2%82'),
    'a percent sign alone': get('', '/api/v1/things/%'),
    'a percent sign before no digits': get('', '/api/v1/things/%zz'),
    'bytes that are not ASCII': get('', '/api/v1/things/\xfc'),
    'a space in the target': get('', '/api/v1/things /x'),
    'a tab in the request line': get().replace('GET ', 'GET\t'),
    'HTTP/1.2': get().replace('HTTP/1.1', 'HTTP/1.2'),
    'another protocol': get().replace('HTTP/1.1', 'ICE/1.1'),
    'http in lower case': get().replace('HTTP/1.1', 'http/1.1'),
    'a method that does not exist': get().replace('GET', 'GRAB'),
    'a method in lower case': get().replace('GET', 'get'),
    'a TLS greeting': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    'a greeting of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'an idempotency key with a control character': post(
      'Idempotency-Key: a\tb\r\nContent-Length: 12\r\n',
      BODY,
    ),
  },
  408: { 'a head that never ends': 'GET /api/v1/things HTTP/1.1\r\nHost: gateway.test\r\nX-A: b' },
  413: { 'a body announced too long': post('Content-Length: 1048577\r\n', '') },
  414: { 'a target that is too long': get('', `/api/v1/things?tag=${'a'.repeat(9_000)}`) },
  415: { 'a compressed body': post('Content-Encoding: gzip\r\nContent-Length: 12\r\n', BODY) },
  417: { 'an expectation that is unknown': post('Expect: 200-maybe\r\nContent-Length: 12\r\n', BODY) },
  431: {
    'a head that is too long': get(`X-A: ${'a'.repeat(17_000)}\r\n`),
    'a request line that is too long': get('', `/${'a'.repeat(17_000)}`),
    'too many headers': get('X-A: b\r\n'.repeat(101)),
  },
  505: {
    'HTTP/2.0': get().replace('HTTP/1.1', 'HTTP/2.0'),
    'HTTP/0.9': 'GET /api/v1/things\r\n\r\n',
    'HTTP/0.9 by name': get().replace('HTTP/1.1', 'HTTP/0.9'),
  },
  501: {
    TRACE: get().replace('GET', 'TRACE'),
    'a method of WebDAV': get().replace('GET', 'PROPFIND'),
    'an upgrade to WebSocket': get('Upgrade: websocket\r\n').replace(
      'Connection: close',
      'Connection: Upgrade',
    ),
    'an upgrade to HTTP/2': get('Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n').replace(
      'Connection: close',
      'Connection: Upgrade, HTTP2-Settings',
    ),
  },
}

/** What these say is clear: they are answered, in this way. */
const taken: Readonly<Record<string, readonly [bytes: string, statuses: string, calls: readonly string[]]>> =
  {
    'a plain request': [get(), '200', ['list']],
    'a body with a length': [post('Content-Length: 12\r\n', BODY), '200', ['echo']],
    'a body in chunks': [chunked(`5\r\n{"tex\r\n7\r\nt":"a"}\r\n0\r\n\r\n`), '200', ['echo']],
    'a chunk extension': [chunked(`c;a=b\r\n${BODY}\r\n0\r\n\r\n`), '200', ['echo']],
    'trailers, which are dropped': [
      chunked(`c\r\n${BODY}\r\n0\r\nAuthorization: Bearer a\r\nX-A: b\r\n\r\n`),
      '200',
      ['echo'],
    ],
    'Chunked with a capital': [
      post('Transfer-Encoding: Chunked\r\n', `c\r\n${BODY}\r\n0\r\n\r\n`),
      '200',
      ['echo'],
    ],
    'an absolute target that names the Host': [get('', 'http://Gateway.test/api/v1/things'), '200', ['list']],
    'HTTP/1.0 with Host': [get().replace('HTTP/1.1', 'HTTP/1.0'), '200', ['list']],
    'Expect: 100-continue': [
      post('Expect: 100-continue\r\nContent-Length: 12\r\n', BODY),
      '100 200',
      ['echo'],
    ],
    'dots encoded twice, which are text': [get('', '/api/v1/things/%252e%252e'), '200', ['get']],
    'OPTIONS *': [get('', '*').replace('GET', 'OPTIONS'), '204', []],
    'a hundred headers': [get('X-A: b\r\n'.repeat(98)), '200', ['list']],
    'empty lines before a request': [`\r\n\r\n${get()}`, '200', ['list']],
    'two requests at once': [SMUGGLED + get('', '/api/v1/things/t1'), '200 200', ['list', 'get']],
    'what follows a request that closes': [get() + SMUGGLED, '200', ['list']],
  }

/** The statuses of all answers on a connection. */
function statusesOf(answers: string): string {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status).join(' ')
}

describe('The public server', { timeout: 120_000 }, () => {
  const gateway = sharedGateway({ GATEWAY_HEAD_TIMEOUT_MS: String(HEAD_TIMEOUT_MS) })

  for (const [status, cases] of Object.entries(refused)) {
    for (const [what, bytes] of Object.entries(cases)) {
      it(`refuses ${what}`, async () => {
        const { raw, calls } = gateway()
        const before = calls.length
        const answer = await raw(bytes)
        assert.equal(statusesOf(answer), status)
        assert.match(answer, /application\/problem\+json/)
        assert.deepEqual(calls.slice(before), [])
      })
    }
  }

  for (const [what, [bytes, statuses, wanted]] of Object.entries(taken)) {
    it(`takes ${what}`, async () => {
      const { raw, calls } = gateway()
      const before = calls.length
      assert.equal(statusesOf(await raw(bytes)), statuses)
      assert.deepEqual(calls.slice(before), wanted)
    })
  }

  it('answers what came before a malformed request, and then closes', async () => {
    const { raw, held, calls } = gateway()
    const malformed = get('X-A : b\r\n')
    assert.match(statusesOf(await raw(SMUGGLED + malformed)), /^200( 400)?$/)
    const before = calls.length
    const answers = raw(SMUGGLED.replace('/things', '/hold') + malformed)
    await until('the call has begun', () => calls.length > before)
    held.at(-1)?.letGo()
    // One answer only: a second could be taken for the answer to the first.
    assert.equal(statusesOf(await answers), '200')
    const bad = chunked(`xyz\r\n`)
    assert.doesNotMatch(statusesOf(await raw(SMUGGLED.replace('/things', '/hold') + bad)), /400/)
    held.at(-1)?.letGo()
  })

  it('never answers in the middle of a stream', async () => {
    const { raw, held, calls } = gateway()
    const before = calls.length
    const answer = await raw(SMUGGLED.replace('/things', '/watch') + get('X-A : b\r\n'))
    assert.doesNotMatch(answer, /HTTP\/1\.1 400/)
    assert.deepEqual(calls.slice(before), ['watch'])
    for (const { letGo } of held) letGo()
  })

  it('closes on CONNECT', async () => {
    const { raw } = gateway()
    assert.equal(await raw('CONNECT evil.test:80 HTTP/1.1\r\nHost: evil.test:80\r\n\r\n'), '')
  })
})
