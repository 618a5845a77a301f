import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { ask, headsIn, openRawServer, openUpstream } from './open-server.test.ts'

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = 'Transfer-Encoding: chunked\r\n'

interface Case {
  /** What the server says to the first request. */
  readonly says: string
  readonly method?: string
  /** Then it closes. */
  readonly closes?: boolean
  /** What is passed on; absent: nothing but that it cannot be. */
  readonly gives?: readonly [status: number, body: string]
  /** The next request goes on the same connection. */
  readonly isKept?: boolean
  /** Fields that are passed on: names and values in turn. */
  readonly fields?: readonly string[]
  /** It fails after its head. */
  readonly isCut?: boolean
}

/** Much less than an upstream has: nothing here may have to wait. */
const PROMPT_MS = 10_000
const long = (count: number): string => 'x'.repeat(count)
const kept = (gives: readonly [number, string], says: string, more: Partial<Case> = {}): Case => ({
  says,
  gives,
  isKept: true,
  ...more,
})
const closed = (gives: readonly [number, string], says: string, more: Partial<Case> = {}): Case => ({
  says,
  gives,
  ...more,
})
const refused = (says: string, more: Partial<Case> = {}): Case => ({ says, ...more })
const cut = (says: string, more: Partial<Case> = {}): Case => ({ says, isCut: true, ...more })

const cases: Readonly<Record<string, Case>> = {
  'a length': kept([200, 'ab'], `${OK}Content-Length: 2\r\n\r\nab`),
  'no space after the status': kept([200, ''], 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n'),
  'no reason': kept([200, ''], 'HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n'),
  'a reason of other letters': kept([404, ''], 'HTTP/1.1 404 f\xfcr\tnichts\r\nContent-Length: 0\r\n\r\n'),
  'a length with zeros before': kept([200, 'ab'], `${OK}Content-Length: 0002\r\n\r\nab`),
  'space around a value': kept([200, ''], `${OK}X-A: \t b \t\r\nContent-Length:0\r\n\r\n`, {
    fields: ['x-a', 'b'],
  }),
  'an underscore in a name': kept([200, ''], `${OK}x_a: b\r\nContent-Length: 0\r\n\r\n`, {
    fields: ['x_a', 'b'],
  }),
  'the same field twice': kept(
    [200, ''],
    `${OK}Set-Cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n`,
    {
      fields: ['set-cookie', 'a', 'set-cookie', 'b'],
    },
  ),
  'fields of the connection': kept(
    [200, ''],
    `${OK}Connection: keep-alive, x-Mine\r\nX-Mine: a\r\nX-A: b\r\nServer: s\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n`,
    { fields: ['x-a', 'b'] },
  ),
  chunks: kept([200, 'abc'], `${OK}${CHUNKED}\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`),
  'chunks in capitals': kept([200, 'a'], `${OK}TRANSFER-ENCODING: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`),
  'chunks with extensions': kept([200, 'a'], `${OK}${CHUNKED}\r\n1;a=b;c="d e"\r\na\r\n0;x\r\n\r\n`),
  'chunks with trailers': kept([200, 'a'], `${OK}${CHUNKED}\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n`, {
    fields: [],
  }),
  'no content': kept([204, ''], 'HTTP/1.1 204 No Content\r\n\r\n'),
  'no content of no length': kept([204, ''], 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n'),
  'not modified, with the length of what it is not': kept(
    [304, ''],
    'HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n',
  ),
  'not modified, with chunks that it has not': kept([304, ''], `HTTP/1.1 304 Not Modified\r\n${CHUNKED}\r\n`),
  'a head of a length': kept([200, ''], `${OK}Content-Length: 100\r\n\r\n`, { method: 'HEAD' }),
  'a head of chunks': kept([200, ''], `${OK}${CHUNKED}\r\n`, { method: 'HEAD' }),
  'a head without either': kept([200, ''], `${OK}\r\n`, { method: 'HEAD' }),
  announcements: kept(
    [200, 'a'],
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${OK}Content-Length: 1\r\n\r\na`,
    { fields: [] },
  ),
  'a head as long as may be': kept([200, ''], `${OK}X-A: ${long(16_336)}\r\nContent-Length: 0\r\n\r\n`),
  'it says that it closes': closed([200, 'ab'], `${OK}Connection: Close\r\nContent-Length: 2\r\n\r\nab`),
  'among others it says that it closes': closed(
    [200, ''],
    `${OK}Connection: x\r\nConnection: a,close\r\nContent-Length: 0\r\n\r\n`,
  ),
  'a body until it closes': closed([200, 'all of it'], `${OK}\r\nall of it`, { closes: true }),
  'nothing until it closes': closed([200, ''], `${OK}\r\n`, { closes: true }),
  'HTTP/1.0': closed([200, 'ab'], 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab'),
  'HTTP/1.0 that would stay': closed(
    [200, 'ab'],
    'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nab',
  ),
  'HTTP/1.0 until it closes': closed([200, 'ab'], 'HTTP/1.0 200 OK\r\n\r\nab', { closes: true }),
  'it waits for no time': closed([200, ''], `${OK}Keep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n`),
  'a second answer': closed(
    [200, 'ab'],
    `${OK}Content-Length: 2\r\n\r\nab${OK}Content-Length: 4\r\n\r\nevil`,
  ),
  'a second answer after chunks': closed([200, 'a'], `${OK}${CHUNKED}\r\n1\r\na\r\n0\r\n\r\n${GOOD}`),
  'a second answer after none': closed([204, ''], `HTTP/1.1 204 No Content\r\n\r\n${GOOD}`),
  'a body that is too long': closed([200, 'ab'], `${OK}Content-Length: 2\r\n\r\nabc`),
  'an empty line too many': closed([200, 'ab'], `${OK}Content-Length: 2\r\n\r\nab\r\n`),
  'a body for who asked for a head': closed([200, ''], `${OK}Content-Length: 2\r\n\r\nab`, {
    method: 'HEAD',
  }),
  'a body of what is not modified': closed([304, ''], 'HTTP/1.1 304 No\r\nContent-Length: 2\r\n\r\nab'),
  'a body of nothing': closed([204, ''], 'HTTP/1.1 204 No\r\n\r\nab'),

  'two lengths': refused(`${OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc`),
  'the same length twice': refused(`${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab`),
  'a list of lengths': refused(`${OK}Content-Length: 2, 2\r\n\r\nab`),
  'a length with a sign': refused(`${OK}Content-Length: +2\r\n\r\nab`),
  'a length below nothing': refused(`${OK}Content-Length: -1\r\n\r\n`),
  'a length in another number system': refused(`${OK}Content-Length: 0x2\r\n\r\nab`),
  'a length of letters': refused(`${OK}Content-Length: two\r\n\r\nab`),
  'an empty length': refused(`${OK}Content-Length:\r\n\r\n`),
  'a length without end': refused(`${OK}Content-Length: 99999999999999999999\r\n\r\n`),
  'a length and chunks': refused(`${OK}Content-Length: 2\r\n${CHUNKED}\r\n2\r\nab\r\n0\r\n\r\n`),
  'chunks and a length': refused(`${OK}${CHUNKED}Content-Length: 2\r\n\r\n2\r\nab\r\n0\r\n\r\n`),
  'chunks twice': refused(`${OK}${CHUNKED}${CHUNKED}\r\n0\r\n\r\n`),
  'chunks within another coding': refused(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
  'another coding': refused(`${OK}Transfer-Encoding: identity\r\n\r\nab`),
  'no coding': refused(`${OK}Transfer-Encoding:\r\n\r\nab`),
  'chunks of HTTP/1.0': refused(`HTTP/1.0 200 OK\r\n${CHUNKED}\r\n0\r\n\r\n`),
  'no content of some length': refused('HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nab'),
  'no content in chunks': refused(`HTTP/1.1 204 No Content\r\n${CHUNKED}\r\n0\r\n\r\n`),
  'an announcement with a body': refused(`HTTP/1.1 103 Early\r\nContent-Length: 2\r\n\r\nab${GOOD}`),
  'an announcement of a body that does not come': refused(
    `HTTP/1.1 103 Early\r\nContent-Length: 2\r\n\r\n${GOOD}`,
  ),
  'announcements without end': refused('HTTP/1.1 100 Continue\r\n\r\n'.repeat(9) + GOOD),
  'another protocol that nobody asked for': refused(
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n',
  ),
  'a folded line': refused(`${OK}X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n`),
  'a folded line with a tab': refused(`${OK}X-A: a\r\n\tb\r\nContent-Length: 0\r\n\r\n`),
  'a folded first line': refused(`${OK} X-A: a\r\nContent-Length: 0\r\n\r\n`),
  'a space in a name': refused(`${OK}X A: a\r\nContent-Length: 0\r\n\r\n`),
  'a space after a name': refused(`${OK}Content-Length : 0\r\n\r\n`),
  'a field without a name': refused(`${OK}: a\r\nContent-Length: 0\r\n\r\n`),
  'a line without a colon': refused(`${OK}X-A\r\nContent-Length: 0\r\n\r\n`),
  'bare line ends': refused('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
  'a bare line end among others': refused(`${OK}X-A: a\nX-B: b\r\nContent-Length: 0\r\n\r\n`),
  'a bare carriage return': refused(`${OK}X-A: a\rX-B: b\r\nContent-Length: 0\r\n\r\n`),
  'a NUL in a value': refused(`${OK}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`),
  'a control character in a value': refused(`${OK}X-A: a\x01b\r\nContent-Length: 0\r\n\r\n`),
  'a control character in the reason': refused('HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n'),
  'an empty line before': refused(`\r\n${GOOD}`),
  'a space before': refused(` ${GOOD}`),
  'two spaces': refused('HTTP/1.1  200 OK\r\nContent-Length: 0\r\n\r\n'),
  'a tab': refused('HTTP/1.1\t200 OK\r\nContent-Length: 0\r\n\r\n'),
  'another version': refused('HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n'),
  'HTTP/2': refused('HTTP/2 200\r\nContent-Length: 0\r\n\r\n'),
  'HTTP/0.9': refused('<html></html>', { closes: true }),
  'another protocol': refused('SSH-2.0-OpenSSH_9.2\r\n'),
  'small letters': refused('http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
  'a status of two digits': refused('HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n'),
  'a status of four digits': refused('HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n'),
  'a status below all': refused('HTTP/1.1 099 No\r\nContent-Length: 0\r\n\r\n'),
  'a status above all': refused('HTTP/1.1 600 No\r\nContent-Length: 0\r\n\r\n'),
  'too long a head': refused(`${OK}X-A: ${long(16_400)}\r\nContent-Length: 0\r\n\r\n`),
  'a head without end': refused(`${OK}X-A: ${long(20_000)}`),
  'half a head': refused(`${OK}X-A: a`, { closes: true }),
  nothing: refused('', { closes: true }),
  'nothing but an announcement': refused('HTTP/1.1 100 Continue\r\n\r\n', { closes: true }),

  'half a body': cut(`${OK}Content-Length: 5\r\n\r\nab`, { gives: [200, 'ab'], closes: true }),
  'half a chunk': cut(`${OK}${CHUNKED}\r\n5\r\nab`, { gives: [200, 'ab'], closes: true }),
  'chunks without the last': cut(`${OK}${CHUNKED}\r\n2\r\nab\r\n`, { gives: [200, 'ab'], closes: true }),
  'chunks without the line behind the last': cut(`${OK}${CHUNKED}\r\n2\r\nab\r\n0\r\n`, {
    gives: [200, 'ab'],
    closes: true,
  }),
  'a chunk of no size': cut(`${OK}${CHUNKED}\r\nxyz\r\n`, { gives: [200, ''] }),
  'a chunk of too great a size': cut(`${OK}${CHUNKED}\r\n100000000\r\n`, { gives: [200, ''] }),
  'a chunk of a size with a sign': cut(`${OK}${CHUNKED}\r\n+2\r\nab\r\n0\r\n\r\n`, { gives: [200, ''] }),
  'a chunk of a size with 0x': cut(`${OK}${CHUNKED}\r\n0x2\r\nab\r\n0\r\n\r\n`, { gives: [200, ''] }),
  'a space after a size': cut(`${OK}${CHUNKED}\r\n2 \r\nab\r\n0\r\n\r\n`, { gives: [200, ''] }),
  'bare line ends of chunks': cut(`${OK}${CHUNKED}\r\n2\nab\n0\n\n`, { gives: [200, ''] }),
  'a chunk that is longer than it says': cut(`${OK}${CHUNKED}\r\n2\r\nabc\r\n0\r\n\r\n`, {
    gives: [200, 'ab'],
  }),
  'an extension without end': cut(`${OK}${CHUNKED}\r\n2;a=${long(2_000)}`, { gives: [200, ''] }),
  'trailers without end': cut(`${OK}${CHUNKED}\r\n0\r\nX-A: ${long(20_000)}`, { gives: [200, ''] }),
  'a trailer that is none': cut(`${OK}${CHUNKED}\r\n0\r\nX A\r\n\r\n`, { gives: [200, ''] }),
  'a trailer that tells of framing': cut(`${OK}${CHUNKED}\r\n0\r\nContent-Length: 5\r\n\r\n`, {
    gives: [200, ''],
  }),
}

describe('The answer of a foreign server', { timeout: 60_000 }, () => {
  for (const [name, { says, method, closes, gives, isKept, fields, isCut }] of Object.entries(cases)) {
    it(`${gives === undefined ? 'is refused' : isCut ? 'is cut' : isKept ? 'is taken' : 'is taken, and the connection left'}: ${name}`, {
      timeout: PROMPT_MS,
    }, async (t) => {
      const server = await openRawServer(t, ({ socket, text }, index) => {
        if (index > 0 || headsIn(text) > 1) return socket.write(GOOD)
        socket.write(says, 'latin1')
        return closes && socket.end()
      })
      const upstream = openUpstream(t, [server.origin])
      const first = await ask(upstream, { method: method ?? 'GET' })
      const isWhole = gives !== undefined && !isCut
      assert.equal(first.error?.status, isWhole ? undefined : 502, String(first.error))
      assert.deepEqual(first.head && [first.head.status, first.body], gives)
      if (fields !== undefined) assert.deepEqual(first.head?.fields, fields)
      const second = await ask(upstream)
      assert.deepEqual([second.head?.status, second.body], [200, 'good'])
      assert.equal(server.seen.length, isKept ? 1 : 2)
      if (!isKept) await until('the connection is left', () => server.seen[0]?.isClosed === true)
    })
  }
})
