/**
 * Requests of HTTP/2 that must be refused, as frames.
 *
 * @source RFC 9113, 4 to 8; `docs/security.md` for what is stricter
 * @module
 */
import { block, END_HEADERS, END_STREAM, type Field, frame, headers, number, reset } from './frames.test.ts'

const AUTHORITY: Field = [':authority', 'gateway.test']
/** A request that is taken. */
export const GET: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':path', '/api/v1/seen'],
  AUTHORITY,
]
/** One with a body, without the type of it. */
export const POST: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':path', '/api/v1/echo'],
  AUTHORITY,
]
/** The type of `BODY`. */
export const JSON_TYPE: Field = ['content-type', 'application/json']
/** A body that is taken. */
export const BODY = Buffer.from('{"text":"a"}')

/** `fields` with some in the place of those of the same name. */
export function but(fields: readonly Field[], ...others: readonly Field[]): readonly Field[] {
  return fields.map((field) => others.find(([name]) => name === field[0]) ?? field)
}

/** `fields` but for some. */
export function without(fields: readonly Field[], ...names: readonly string[]): readonly Field[] {
  return fields.filter(([name]) => !names.includes(name))
}

/** A request with a body in these parts. */
export function post(fields: readonly Field[], ...parts: readonly Buffer[]): Buffer {
  const data = parts.map((part, index) => frame('data', index === parts.length - 1 ? END_STREAM : 0, 1, part))
  return Buffer.concat([headers(1, fields, END_HEADERS), ...data])
}

/** The stream is refused: by an answer with a status, or by being reset. */
export const refused: Readonly<Record<string, readonly [status: number | 'reset', bytes: Buffer]>> = {
  'no method': ['reset', headers(1, without(GET, ':method'))],
  'no scheme': ['reset', headers(1, without(GET, ':scheme'))],
  'no path': ['reset', headers(1, without(GET, ':path'))],
  'an empty path': ['reset', headers(1, but(GET, [':path', '']))],
  'no authority and no host': ['reset', headers(1, without(GET, ':authority'))],
  'an empty authority': ['reset', headers(1, but(GET, [':authority', '']))],
  'two methods': ['reset', headers(1, [...GET, [':method', 'GET']])],
  'two paths': ['reset', headers(1, [...GET, [':path', '/']])],
  'two authorities': ['reset', headers(1, [...GET, AUTHORITY])],
  'a pseudo-header of answers': ['reset', headers(1, [...GET, [':status', '200']])],
  'a pseudo-header that is none': ['reset', headers(1, [...GET, [':a', 'b']])],
  'a pseudo-header behind a header': ['reset', headers(1, [['a', 'b'], ...GET])],
  'an extended CONNECT': [
    'reset',
    headers(1, [...but(GET, [':method', 'CONNECT']), [':protocol', 'websocket']]),
  ],
  CONNECT: [501, headers(1, [[':method', 'CONNECT'], AUTHORITY])],
  'a method nobody knows': [501, headers(1, but(GET, [':method', 'BREW']))],
  'a method with a space': ['reset', headers(1, but(GET, [':method', 'GET /']))],
  'a method in small letters': [501, headers(1, but(GET, [':method', 'get']))],
  'another scheme': [400, headers(1, but(GET, [':scheme', 'http']))],
  'a whole URL for a path': ['reset', headers(1, but(GET, [':path', 'https://gateway.test/api/v1/seen']))],
  'a path without a slash': ['reset', headers(1, but(GET, [':path', 'api/v1/seen']))],
  'a star for a path': ['reset', headers(1, but(GET, [':path', '*']))],
  'a space in the path': ['reset', headers(1, but(GET, [':path', '/api/v1/seen a']))],
  'a line end in the path': ['reset', headers(1, but(GET, [':path', '/api/v1/seen\r\nx: y']))],
  'a NUL in the path': ['reset', headers(1, but(GET, [':path', '/api/v1/seen\0']))],
  'a fragment': [400, headers(1, but(GET, [':path', '/api/v1/seen#a']))],
  'dot segments': [400, headers(1, but(GET, [':path', '/api/v1/a/../seen']))],
  'an escaped slash': [400, headers(1, but(GET, [':path', '/api/v1/seen/a%2fb']))],
  'an authority with a user': [400, headers(1, but(GET, [':authority', 'a@gateway.test']))],
  'two authorities in one': [400, headers(1, but(GET, [':authority', 'gateway.test,evil.test']))],
  'a host that is another': [400, headers(1, [...GET, ['host', 'evil.test']])],
  'two hosts': ['reset', headers(1, [...GET, ['host', 'gateway.test'], ['host', 'gateway.test']])],
  'a name in capitals': ['reset', headers(1, [...GET, ['X-A', 'b']])],
  connection: ['reset', headers(1, [...GET, ['connection', 'close']])],
  'keep-alive': ['reset', headers(1, [...GET, ['keep-alive', '1']])],
  'proxy-connection': ['reset', headers(1, [...GET, ['proxy-connection', 'close']])],
  upgrade: ['reset', headers(1, [...GET, ['upgrade', 'websocket']])],
  'transfer-encoding': ['reset', post([...POST, JSON_TYPE, ['transfer-encoding', 'chunked']], BODY)],
  'another TE': ['reset', headers(1, [...GET, ['te', 'gzip']])],
  'a name with an underscore': [400, headers(1, [...GET, ['content_length', '1']])],
  'another method in a header': [400, headers(1, [...GET, ['x-http-method-override', 'DELETE']])],
  'two credentials': [
    400,
    headers(1, [...GET, ['authorization', 'Bearer a'], ['authorization', 'Bearer b']]),
  ],
  'more headers than it takes': [
    431,
    headers(1, [...GET, ...Array.from({ length: 100 }, (): Field => ['a', 'b'])]),
  ],
  'far more headers than it takes': [
    'reset',
    headers(1, [...GET, ...Array.from({ length: 200 }, (): Field => ['a', 'b'])]),
  ],
  'longer headers than it takes': [
    431,
    headers(1, [...GET, ['a', 'b'.repeat(16_000)], ['c', 'd'.repeat(200)]]),
  ],
  'a body that is too short': ['reset', post([...POST, JSON_TYPE, ['content-length', '13']], BODY)],
  'a body that is too long': ['reset', post([...POST, JSON_TYPE, ['content-length', '11']], BODY)],
  'a body in pieces that is too long': [
    'reset',
    post([...POST, JSON_TYPE, ['content-length', '13']], BODY, Buffer.from('  ')),
  ],
  'a length and no body': ['reset', headers(1, [...POST, JSON_TYPE, ['content-length', '12']])],
  'two lengths': [
    'reset',
    post([...POST, JSON_TYPE, ['content-length', '12'], ['content-length', '12']], BODY),
  ],
  'a length that is no number': ['reset', post([...POST, JSON_TYPE, ['content-length', '+12']], BODY)],
  'a body of GET': [400, post(GET, BODY)],
  'a body of DELETE': [400, post(but(GET, [':method', 'DELETE'], [':path', '/api/v1/seen/a']), BODY)],
  'a body that is reset': [
    'reset',
    Buffer.concat([headers(1, [...POST, JSON_TYPE], END_HEADERS), frame('data', 0, 1, BODY), reset(1)]),
  ],
  'a body that is reset without a reason': [
    'reset',
    Buffer.concat([headers(1, [...POST, JSON_TYPE], END_HEADERS), frame('data', 0, 1, BODY), reset(1, 0)]),
  ],
  'trailers with a length': [
    'reset',
    Buffer.concat([
      headers(1, [...POST, JSON_TYPE], END_HEADERS),
      frame('data', 0, 1, BODY),
      headers(1, [['content-length', '1']]),
    ]),
  ],
  'trailers with a pseudo-header': [
    'reset',
    Buffer.concat([
      headers(1, [...POST, JSON_TYPE], END_HEADERS),
      frame('data', 0, 1, BODY),
      headers(1, [[':path', '/']]),
    ]),
  ],
}

const LONG_BLOCK = block([...GET, ['a', 'b'.repeat(15_000)]])

/** The connection ends: what follows cannot be trusted. */
export const ended: Readonly<Record<string, Buffer>> = {
  'a frame longer than was agreed': frame('data', 0, 1, Buffer.alloc(16_385)),
  'data on stream 0': frame('data', 0, 0, BODY),
  'data on a stream that was never begun': frame('data', 0, 1, BODY),
  'a request on an even stream': headers(2, GET),
  'a header block that is not HPACK': frame(
    'headers',
    END_HEADERS | END_STREAM,
    1,
    Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  ),
  'an index outside the table': frame('headers', END_HEADERS | END_STREAM, 1, Buffer.from([0xfe])),
  'another frame within a header block': Buffer.concat([
    frame('headers', END_STREAM, 1, block(GET)),
    frame('ping', 0, 0, Buffer.alloc(8)),
  ]),
  'a continuation of nothing': frame('continuation', END_HEADERS, 1, block(GET)),
  'a header block without an end': Buffer.concat([
    frame('headers', END_STREAM, 1, LONG_BLOCK),
    ...Array.from({ length: 20 }, () => frame('continuation', 0, 1, block([['a', 'b'.repeat(15_000)]]))),
  ]),
  'many empty continuations': Buffer.concat([
    frame('headers', END_STREAM, 1, block(GET)),
    ...Array.from({ length: 1_000 }, () => frame('continuation', 0, 1)),
  ]),
  'a push': frame('push', END_HEADERS, 1, Buffer.concat([number(2), block(GET)])),
  'a ping of seven bytes': frame('ping', 0, 0, Buffer.alloc(7)),
  'settings on a stream': frame('settings', 0, 1),
  'settings of five bytes': frame('settings', 0, 0, Buffer.alloc(5)),
  'a window that is too large': frame('window', 0, 0, number(0x7f_ff_ff_ff)),
  'a window that grows by nothing': frame('window', 0, 0, number(0)),
  'a reset of what was never begun': reset(1),
  'padding longer than the frame': frame('data', 8, 0, Buffer.from([9])),
}
