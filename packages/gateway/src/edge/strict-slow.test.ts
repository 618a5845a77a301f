import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import { readAnswers } from './strict-answers.test.ts'
import { openStrictGateway, type StrictGateway } from './strict-gateway.test.ts'
import { BODY, get, LENGTH, post } from './strict-requests.test.ts'

const HEAD_MS = 1_000
/** The gateway gives a whole request, and an answer that nobody reads, three times as long as a head. */
const REQUEST_MS = 3 * HEAD_MS
/** Node looks at its connections at intervals; and this machine may be busy. */
const LATE_MS = 8_000
const BETWEEN_MS = 50
const PER_ADDRESS = 20
/** More than the buffers of a connection hold. */
const PIPELINED = 900

/** A client that takes its time. */
interface Slow {
  readonly socket: Socket
  readonly text: () => string
  /** Milliseconds from its start to its end; undefined while it is open. */
  readonly tookMs: () => number | undefined
}

function open(t: TestContext, { port }: StrictGateway): Slow {
  const startMs = systemClock.monotonicMs()
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  let tookMs: number | undefined
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  // To be cut is what most of them are here for.
  socket.on('error', () => {})
  socket.on('close', () => {
    tookMs = systemClock.monotonicMs() - startMs
  })
  return { socket, text: () => text, tookMs: () => tookMs }
}

/** Sends `first` at once, then `more` a byte at a time, for ever. */
function dribble({ socket }: Slow, first: string, more: string): void {
  socket.write(first, 'latin1')
  let at = 0
  let timer = systemClock.schedule(BETWEEN_MS, function again(): void {
    socket.write(more.charAt(at++ % more.length), 'latin1')
    timer = systemClock.schedule(BETWEEN_MS, again)
  })
  socket.once('close', () => timer.cancel())
}

const statusesOf = (text: string): readonly number[] =>
  readAnswers(text, () => false).answers.map(({ status }) => status)

describe('A slow client', { timeout: 120_000 }, () => {
  const environment = { GATEWAY_HEAD_TIMEOUT_MS: String(HEAD_MS) }

  it('is closed when its time is up, while others are answered', async (t) => {
    const gateway = await openStrictGateway(t, environment)
    const silent = open(t, gateway)
    const head = open(t, gateway)
    dribble(head, 'GET /api/v1/seen HTTP/1.1\r\nHost: gateway.test\r\nX-A: ', 'a')
    const empty = open(t, gateway)
    dribble(empty, '\r\n', '\r\n')
    const body = open(t, gateway)
    dribble(body, post('Content-Length: 1000\r\n', '{"text":"'), 'a')
    const chunks = open(t, gateway)
    dribble(chunks, post('Transfer-Encoding: chunked\r\n', ''), '1\r\na\r\n')
    const extension = open(t, gateway)
    dribble(extension, post('Transfer-Encoding: chunked\r\n', 'c;a='), 'b')
    const second = open(t, gateway)
    dribble(second, `${get()}GET /api/v1/seen HTTP/1.1\r\nX-A: `, 'a')
    const all = { silent, head, empty, body, chunks, extension, second }
    const isOver = (): boolean => Object.values(all).every(({ tookMs }) => tookMs() !== undefined)
    let honest = 0
    await until(
      'all are closed',
      async () => {
        assert.deepEqual(statusesOf(await gateway.raw(get('Connection: close\r\n'))), [200])
        honest++
        return isOver()
      },
      REQUEST_MS + LATE_MS,
    )
    assert.ok(honest > 5, `${honest} honest requests`)
    for (const [name, { text, tookMs }] of Object.entries(all)) {
      const took = tookMs() ?? 0
      const isOfHead = ['silent', 'head', 'empty', 'second'].includes(name)
      assert.ok(took >= (isOfHead ? HEAD_MS : REQUEST_MS) - 100, `${name} was closed after ${took} ms`)
      assert.ok(took <= (isOfHead ? HEAD_MS : REQUEST_MS) + LATE_MS, `${name} was closed after ${took} ms`)
      const statuses = statusesOf(text())
      assert.deepEqual(statuses, name === 'second' ? [200, 408] : [408], name)
    }
    assert.deepEqual(
      gateway.calls.filter(({ operation }) => operation === 'echo'),
      [],
    )
  })

  it('is cut when it does not read its answer, whatever it sends', async (t) => {
    const gateway = await openStrictGateway(t, {
      // Answers of this length keep this process busy.
      GATEWAY_HEAD_TIMEOUT_MS: String(2 * HEAD_MS),
    })
    const startMs = systemClock.monotonicMs()
    const deaf = [1, PIPELINED].map((count) => {
      const its = open(t, gateway)
      its.socket.pause()
      dribble(its, get('', '/api/v1/long').repeat(count), '\r\n')
      return its
    })
    const reads = open(t, gateway)
    reads.socket.write(get('Connection: close\r\n', '/api/v1/long'))
    await until('who reads has it all', () => reads.tookMs() !== undefined, 2 * REQUEST_MS + LATE_MS)
    assert.deepEqual(statusesOf(reads.text()), [200])
    assert.deepEqual(statusesOf(await gateway.raw(get('Connection: close\r\n'))), [200])
    // They see that they are cut by what they write.
    await until(
      'both are cut',
      () => deaf.every(({ tookMs }) => tookMs() !== undefined),
      2 * REQUEST_MS + LATE_MS,
    )
    assert.ok(systemClock.monotonicMs() - startMs >= 2 * REQUEST_MS - 100)
  })

  it('does not keep a gateway that leaves', async (t) => {
    const gateway = await openStrictGateway(t, environment)
    const head = open(t, gateway)
    head.socket.write('GET /api/v1/seen HTTP/1.1\r\n')
    const body = open(t, gateway)
    body.socket.write(post('Content-Length: 1000\r\n', '{'))
    await until('they are open', () => [head, body].every(({ socket }) => socket.readyState === 'open'))
    assert.deepEqual(statusesOf(await gateway.raw(get('Connection: close\r\n'))), [200])
    const startMs = systemClock.monotonicMs()
    await gateway.app.hostOf('gateway').close()
    assert.ok(systemClock.monotonicMs() - startMs < HEAD_MS + LATE_MS)
  })

  it('cannot have more connections than one address may', async (t) => {
    const gateway = await openStrictGateway(t, {
      GATEWAY_HEAD_TIMEOUT_MS: '10000',
      GATEWAY_CONNECTIONS_PER_ADDRESS_MAX: String(PER_ADDRESS),
      GATEWAY_CONNECTIONS_MAX: '40',
    })
    const its = Array.from({ length: PER_ADDRESS }, () => open(t, gateway))
    for (const { socket } of its) socket.write('GET /api/v1/seen HTTP/1.1\r\n')
    await until('they are open', () => its.every(({ socket }) => socket.readyState === 'open'))
    const tooMany = open(t, gateway)
    await until('one more is cut', () => tooMany.tookMs() !== undefined)
    assert.equal(tooMany.text(), '')
    assert.ok(its.every(({ tookMs }) => tookMs() === undefined))
    its[0]?.socket.destroy()
    await until('there is room again', async () => {
      const text = await gateway.raw(get(`Connection: close\r\n`))
      return text !== '' && statusesOf(text)[0] === 200
    })
    its[1]?.socket.write(`Host: gateway.test\r\nConnection: close\r\n\r\n`)
    await until('the others are answered', () => its[1]?.tookMs() !== undefined)
    assert.deepEqual(statusesOf(its[1]?.text() ?? ''), [200])
    assert.deepEqual(statusesOf(await gateway.raw(post(`Connection: close\r\n${LENGTH}`, BODY))), [200])
    // A gateway that leaves would wait for them.
    for (const { socket } of its) socket.destroy()
  })
})
