/**
 * Connections of HTTP/2, and of TLS, that are made to be expensive: every malformed request of the corpus as often as a connection
 * bears, every connection of it that must end, and the known floods.
 *
 * @source CVE-2023-44487 (rapid reset), CVE-2019-9511 to -9518, CVE-2024-27316 (continuations), CVE-2016-6581 (HPACK bomb)
 * @module
 */
import { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import {
  block,
  END_HEADERS,
  END_STREAM,
  type Field,
  frame,
  headers,
  number,
  PREFACE,
  reset,
} from './frames.test.ts'
import type { CostCase } from './strict-cost-case.test.ts'
import { BODY, but, ended, GET, JSON_TYPE, POST, post, refused } from './strict-http2-cases.test.ts'

/** As many as a connection bears of what is malformed. */
const REPEATS = 90
const FLOOD = 2_000
/** Long enough for what it sends to be read. */
const ENDED_AFTER_MS = 200
const LEAVES_AFTER_MS = 1_500
const FRAME_BYTES_MAX = 16_384
const GO_AWAY = frame('goAway', 0, 0, Buffer.concat([number(0), number(0)]))

/** Followed by a good-bye, so that the gateway closes when it has answered; some it would let stay, and listen to nothing. */
function connection(name: string, requests: number, ...parts: readonly Buffer[]): CostCase {
  const bytes = Buffer.concat([PREFACE, ...parts, GO_AWAY])
  return { name, kind: 'sent', protocol: 'h2', requests, bytes, leavesAfterMs: LEAVES_AFTER_MS }
}

/** The same frames for other streams: what is on stream 1 comes to be on `stream`. */
export function onStream(bytes: Buffer, stream: number): Buffer {
  const moved = Buffer.from(bytes)
  for (let at = 0; at + 9 <= moved.length; at += 9 + moved.readUIntBE(at, 3))
    if (moved.readUInt32BE(at + 5) === 1) moved.writeUInt32BE(stream, at + 5)
  return moved
}

const times = (count: number, part: (index: number) => Buffer): Buffer[] =>
  Array.from({ length: count }, (_, index) => part(index))
const streams = (count: number, bytes: Buffer): Buffer[] =>
  times(count, (index) => onStream(bytes, 2 * index + 1))

/** A field that is remembered, and then named by a byte as often as fits. */
function hpackBomb(): Buffer[] {
  const value = Buffer.alloc(4_000, 'a')
  const length = Buffer.from([0x7f, ...lengthAbove(value.length - 127)])
  const remembered = Buffer.concat([Buffer.from([0x40, 1]), Buffer.from('x'), length, value])
  const first = frame('headers', END_HEADERS | END_STREAM, 1, Buffer.concat([block(GET), remembered]))
  const named = Buffer.concat([block(GET), Buffer.alloc(FRAME_BYTES_MAX - 1_000, 0xbe)])
  return [
    first,
    ...times(REPEATS, (index) => frame('headers', END_HEADERS | END_STREAM, 2 * index + 3, named)),
  ]
}

function lengthAbove(rest: number): number[] {
  const bytes: number[] = []
  let left = rest
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) + 128)
  return [...bytes, left]
}

function floods(): CostCase[] {
  const begun = headers(1, [...POST, JSON_TYPE], END_HEADERS)
  const long: Field = ['x-a', 'a'.repeat(15_000)]
  return [
    connection('HTTP/2: requests', REPEATS, ...streams(REPEATS, headers(1, GET))),
    connection(
      'HTTP/2: pages',
      REPEATS,
      ...streams(REPEATS, headers(1, but(GET, [':path', '/api/v1/page']))),
    ),
    connection('HTTP/2: long heads', REPEATS, ...streams(REPEATS, headers(1, [...GET, long]))),
    connection('HTTP/2: bodies', REPEATS, ...streams(REPEATS, post([...POST, JSON_TYPE], BODY))),
    connection('HTTP/2: taken back', FLOOD, ...streams(FLOOD, Buffer.concat([headers(1, GET), reset(1)]))),
    connection('HTTP/2: begun, then taken back', FLOOD, ...streams(FLOOD, Buffer.concat([begun, reset(1)]))),
    connection('HTTP/2: more at once than may be', FLOOD, ...streams(FLOOD, begun)),
    connection('HTTP/2: pings', FLOOD, ...times(FLOOD, () => frame('ping', 0, 0, Buffer.alloc(8)))),
    connection('HTTP/2: settings', FLOOD, ...times(FLOOD, () => frame('settings', 0, 0))),
    connection(
      'HTTP/2: sizes of the table',
      FLOOD,
      ...times(FLOOD, (index) => frame('settings', 0, 0, tableOf(index % 2 === 0 ? 0 : 65_536))),
    ),
    connection('HTTP/2: empty data', FLOOD, begun, ...times(FLOOD, () => frame('data', 0, 1))),
    connection(
      'HTTP/2: data of one byte',
      20 * FLOOD,
      begun,
      ...times(20 * FLOOD, () => frame('data', 0, 1, Buffer.from(' '))),
    ),
    connection(
      'HTTP/2: data that is padding',
      FLOOD,
      begun,
      ...times(FLOOD, () => frame('data', 8, 1, Buffer.alloc(20, 19))),
    ),
    connection(
      'HTTP/2: priorities',
      20 * FLOOD,
      ...times(20 * FLOOD, (index) => frame('priority', 0, 2 * index + 1, Buffer.alloc(5, 16))),
    ),
    connection('HTTP/2: windows', 20 * FLOOD, ...times(20 * FLOOD, () => frame('window', 0, 0, number(1)))),
    connection('HTTP/2: frames nobody knows', 20 * FLOOD, ...times(20 * FLOOD, () => unknownFrame())),
    connection(
      'HTTP/2: resets of what was never begun',
      FLOOD,
      ...times(FLOOD, (index) => reset(2 * index + 1)),
    ),
    connection(
      'HTTP/2: continuations',
      FLOOD,
      frame('headers', END_STREAM, 1, block(GET)),
      ...times(FLOOD, () => frame('continuation', 0, 1, block([['a', 'b']]))),
    ),
    connection('HTTP/2: names for remembered fields', REPEATS, ...hpackBomb()),
  ]
}

function tableOf(bytes: number): Buffer {
  return Buffer.concat([Buffer.from([0, 1]), number(bytes)])
}

function unknownFrame(): Buffer {
  const bytes = frame('ping', 0, 0, Buffer.alloc(8))
  bytes[3] = 0x77
  return bytes
}

/** What a client says first, so that it need not be able to say anything else. */
const hello = await new Promise<Buffer>((resolve) => {
  const nobody = new Duplex({
    read() {},
    write: (chunk: Buffer) => resolve(chunk),
  })
  connect({ socket: nobody, ALPNProtocols: ['h2'], servername: 'gateway.test' }).on('error', () => {})
})

/** All of them. */
export function http2Cases(): CostCase[] {
  return [
    ...Object.entries(refused).map(([what, [, bytes]]) =>
      connection(`HTTP/2 refused: ${what}`, REPEATS, ...streams(REPEATS, bytes)),
    ),
    ...Object.entries(ended).map(([what, bytes]) => ({
      ...connection(`HTTP/2 ended: ${what}`, 1, bytes),
      leavesAfterMs: ENDED_AFTER_MS,
      atOnce: 40,
    })),
    ...floods(),
    {
      name: 'TLS: begun, and left',
      kind: 'sent',
      protocol: 'plain to TLS',
      bytes: hello,
      requests: 1,
      endsAtAnswer: true,
    },
    {
      name: 'TLS: plain text',
      kind: 'sent',
      protocol: 'plain to TLS',
      bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      requests: 1,
    },
  ]
}
