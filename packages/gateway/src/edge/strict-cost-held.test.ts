/**
 * Connections that stay as they are, for the memory that each holds: what a client begins and does not end, and answers that it does
 * not read.
 *
 * @module
 */
import { block, END_HEADERS, END_STREAM, frame, headers, PREFACE } from './frames.test.ts'
import type { CostCase } from './strict-cost-case.test.ts'
import { BODY_BYTES_MAX } from './strict-cost-floods.test.ts'
import { onStream } from './strict-cost-http2.test.ts'
import { but, GET, JSON_TYPE, POST } from './strict-http2-cases.test.ts'
import { get, post } from './strict-requests.test.ts'

const STREAMS = 100
const UNREAD = 900
const HEAD_CHARS = 16_000

const h1 = (name: string, text: string, isDeaf = false): CostCase => ({
  name: `held: ${name}`,
  kind: 'held',
  protocol: 'h1',
  bytes: Buffer.from(text, 'latin1'),
  requests: 1,
  isDeaf,
})
const h2 = (name: string, parts: readonly Buffer[], isDeaf = false): CostCase => ({
  name: `held: HTTP/2, ${name}`,
  kind: 'held',
  protocol: 'h2',
  bytes: Buffer.concat([PREFACE, ...parts]),
  requests: 1,
  isDeaf,
})

/** All of them. */
export function heldCases(): CostCase[] {
  const streams = (bytes: Buffer): Buffer[] =>
    Array.from({ length: STREAMS }, (_, index) => onStream(bytes, 2 * index + 1))
  const begun = headers(1, [...POST, JSON_TYPE], END_HEADERS)
  const chunks = post('Transfer-Encoding: chunked\r\n', '1\r\n \r\n'.repeat(BODY_BYTES_MAX - 100))
  const small = frame('data', 0, 1, Buffer.from(' '))
  return [
    h1('a connection', 'G'),
    h1('a head', `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(HEAD_CHARS)}`),
    h1('a body', post(`Content-Length: ${BODY_BYTES_MAX}\r\n`, 'a'.repeat(BODY_BYTES_MAX - 1))),
    h1('a body in chunks of one byte', chunks),
    h1('behind a body', post('Content-Length: 1000\r\n', '{') + 'a'.repeat(900)),
    h1('pages nobody reads', get('', '/api/v1/page').repeat(UNREAD), true),
    h1('kept pages nobody reads', get('', '/api/v1/kept/a').repeat(UNREAD), true),
    h2('a connection', []),
    h2(
      'heads of a hundred streams',
      streams(headers(1, [...POST, JSON_TYPE, ['x-a', 'a'.repeat(15_000)]], END_HEADERS)),
    ),
    h2('half a head', [frame('headers', END_STREAM, 1, block([...GET, ['x-a', 'a'.repeat(15_000)]]))]),
    h2(
      'bodies of a hundred streams',
      streams(Buffer.concat([begun, frame('data', 0, 1, Buffer.alloc(10_000, ' '))])),
    ),
    h2('a body in frames of one byte', [begun, ...Array.from({ length: 60_000 }, () => small)]),
    h2('pages nobody reads', streams(headers(1, but(GET, [':path', '/api/v1/page']))), true),
  ]
}
