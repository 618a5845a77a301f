import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import fc from 'fast-check'
import { ClientConnection } from './client-connection.ts'

/** What comes of bytes on a connection: what is heard of the answer, and how often the connection was free. */
interface Heard {
  readonly head: unknown
  readonly body: string
  readonly end: 'whole' | 'failed' | 'none'
}

/** Gives the bytes to a connection piece by piece, and then their end. */
async function hear(pieces: readonly string[], method: string): Promise<Heard> {
  let heard: Heard = { head: undefined, body: '', end: 'none' }
  let isGone = false
  const socket = new Duplex({ read() {}, write: (_part, _encoding, done) => done() })
  const options = {
    clock: systemClock,
    wheel: new TimerWheel(systemClock),
    timeoutMs: 10_000,
    dial: (onOpen: () => void) => {
      setImmediate(onOpen)
      return socket as Socket
    },
  }
  const gone = (): void => {
    isGone = true
  }
  new ClientConnection({ freed() {}, gone }, options, {
    ...{ method, text: '', body: undefined, bodyBytes: undefined, wantsSocket: false, place: undefined },
    head: ({ status, fields }) => {
      heard = { ...heard, head: { status, fields } }
    },
    part: (part) => {
      heard = { ...heard, body: heard.body + part.toString('latin1') }
      return true
    },
    end: () => {
      assert.equal(heard.end, 'none')
      heard = { ...heard, end: 'whole' }
    },
    fail: () => {
      assert.equal(heard.end, 'none')
      heard = { ...heard, end: 'failed' }
    },
    opened: () => assert.fail('nobody asked for that'),
  })
  await new Promise(setImmediate)
  for (const piece of pieces) {
    if (socket.destroyed) break
    socket.push(Buffer.from(piece, 'latin1'))
    await new Promise(setImmediate)
  }
  socket.push(null)
  await new Promise(setImmediate)
  assert.ok(isGone && socket.destroyed, 'at its end the connection is gone')
  return heard
}

const body = fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ':', '\xff'), maxLength: 20 })
const chunked = fc
  .array(
    fc.tuple(
      body.filter((text) => text !== ''),
      fc.constantFrom('', ';a=b', ';a="b c"'),
    ),
    { maxLength: 3 },
  )
  .chain((parts) =>
    fc.constantFrom('', 'X-Sum: a\r\n').map((trailers) => ({
      body: parts.map(([text]) => text).join(''),
      coded: `${parts.map(([text, its]) => `${text.length.toString(16)}${its}\r\n${text}\r\n`).join('')}0\r\n${trailers}\r\n`,
    })),
  )
const framed = fc.oneof(
  body.map((text) => ({ body: text, coded: `Content-Length: ${text.length}\r\n\r\n${text}` })),
  chunked.map(({ body: text, coded }) => ({
    body: text,
    coded: `Transfer-Encoding: chunked\r\n\r\n${coded}`,
  })),
  body.map((text) => ({ body: text, coded: `Connection: close\r\n\r\n${text}` })),
)
const answer = fc
  .record({
    interim: fc.constantFrom('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n', 'HTTP/1.1 100 \r\n\r\n'),
    status: fc.constantFrom(200, 299, 404, 500),
    fields: fc.array(fc.constantFrom('X-A: b\r\n', 'x-b:\t \xe9 \r\n', 'Date: now\r\n'), { maxLength: 3 }),
    framed,
  })
  .map(({ interim, status, fields, framed: its }) => ({
    status,
    body: its.body,
    bytes: `${interim}HTTP/1.1 ${status} Yes\r\n${fields.join('')}${its.coded}`,
  }))
const cuts = fc.array(fc.nat(400), { maxLength: 8 })

function split(bytes: string, at: readonly number[]): string[] {
  const edges = [...new Set([0, ...at.map((one) => one % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  )
  return edges.slice(1).map((edge, index) => bytes.slice(edges[index], edge))
}

describe('An answer in pieces', { timeout: 60_000 }, () => {
  it('is what it says, wherever it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(answer, cuts, async ({ status, body: its, bytes }, at) => {
        const heard = await hear(split(bytes, at), 'GET')
        assert.deepEqual(
          [(heard.head as { status: number }).status, heard.body, heard.end],
          [status, its, 'whole'],
        )
      }),
      { numRuns: 300 },
    )
  })

  it('comes to the same as in one piece, even if it is none', async () => {
    const odd = fc.constantFrom(
      '\r',
      '\n',
      ' ',
      '\0',
      ':',
      '\r\n',
      '\r\n\r\n',
      'HTTP/1.1 200 OK\r\n',
      'Content-Length: 3\r\n',
    )
    await fc.assert(
      fc.asyncProperty(answer, fc.nat(400), fc.nat(3), odd, cuts, async ({ bytes }, where, gone, put, at) => {
        const from = where % (bytes.length + 1)
        const mutated = bytes.slice(0, from) + put + bytes.slice(from + gone)
        for (const method of ['GET', 'HEAD']) {
          const whole = await hear([mutated], method)
          assert.deepEqual(await hear(split(mutated, at), method), whole)
          assert.deepEqual(await hear(mutated.split(''), method), whole)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('is never whole before its end', async () => {
    await fc.assert(
      fc.asyncProperty(
        answer.filter(({ bytes }) => !bytes.includes('Connection: close')),
        fc.nat(400),
        async ({ bytes }, cut) => {
          const heard = await hear([bytes.slice(0, cut % bytes.length)], 'GET')
          assert.equal(heard.end, 'failed')
        },
      ),
      { numRuns: 300 },
    )
  })
})
