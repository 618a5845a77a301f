import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { until } from '@flotilla/core/until'
import type { Flow } from './attempt.ts'
import { type Asking, ask, openRawServer, openUpstream, reset } from './open-server.test.ts'

const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'
const MiB = 1024 * 1024

/** What the server has said when it goes on no more, by the phase in which the request is then. */
const PHASES: Readonly<Record<string, string>> = {
  'before its head': '',
  'after an announcement': 'HTTP/1.1 100 Continue\r\n\r\n',
  'within its head': 'HTTP/1.1 200 OK\r\nX-A',
  'before its body': LENGTH,
  'within its body': `${LENGTH}ab`,
  'within a chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
  'in a body that ends with the connection': 'HTTP/1.1 200 OK\r\n\r\nab',
}

describe('A foreign server that does not go on', { timeout: 60_000 }, () => {
  for (const [phase, says] of Object.entries(PHASES)) {
    it(`is left when its time is over: ${phase}`, async (t) => {
      const server = await openRawServer(t, ({ socket }) => void socket.write(says))
      const upstream = openUpstream(t, [server.origin], { timeoutMs: 100 })
      const { error, head } = await ask(upstream)
      const hasHead = phase.includes('body') || phase.includes('chunk')
      assert.deepEqual([error?.status, head !== undefined], [502, hasHead])
      await until('it is left', () => server.seen[0]?.isClosed === true)
    })

    it(`is left by who has had enough: ${phase}`, async (t) => {
      const server = await openRawServer(t, ({ socket }) => void socket.write(says))
      const upstream = openUpstream(t, [server.origin])
      const cancellation = new Cancellation()
      const hungUp = new FlotillaError('canceled', 'The client hung up.')
      const answer = ask(upstream, { cancellation })
      await until('it is asked', () => (server.seen[0]?.text ?? '') !== '')
      cancellation.cancel(hungUp)
      assert.equal((await answer).error, hungUp)
      await until('it is left', () => server.seen[0]?.isClosed === true)
    })

    it(`is cut: ${phase}`, async (t) => {
      const server = await openRawServer(t, ({ socket }) => {
        socket.write(says)
        void reset(socket)
      })
      assert.equal((await ask(openUpstream(t, [server.origin]))).error?.status, 502)
    })
  }

  it('may take its time as long as something comes', async (t) => {
    const server = await openRawServer(t, ({ socket }) => {
      let left = 6
      const go = (): void => {
        socket.write(left === 6 ? 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n' : 'x')
        if (--left > 0) systemClock.schedule(250, go)
      }
      go()
    })
    const { body, error } = await ask(openUpstream(t, [server.origin], { timeoutMs: 800 }))
    assert.deepEqual([error, body], [undefined, 'xxxxx'])
  })

  it('is not waited for longer than two seconds before a connection is there', async (t) => {
    const server = await openRawServer(t, () => {})
    const upstream = openUpstream(t, [server.origin.replace('http:', 'https:')])
    const startMs = systemClock.monotonicMs()
    assert.equal((await ask(upstream)).error?.status, 502)
    const tookMs = systemClock.monotonicMs() - startMs
    assert.ok(tookMs > 1_900 && tookMs < 6_000, `${tookMs}`)
    await until('it is left', () => server.seen[0]?.isClosed === true)
  })
})

describe('A body', { timeout: 60_000 }, () => {
  const upload = (pieces: readonly string[], more: Asking = {}): Asking => ({
    method: 'POST',
    body: Readable.from(pieces.map((piece) => Buffer.from(piece))),
    ...more,
  })

  it('goes with the head, of a length or in chunks', async (t) => {
    const server = await openRawServer(t, ({ socket, text }) => {
      if (/(?:\r\n\r\nabcd|0\r\n\r\n)$/.test(text)) socket.write(`${LENGTH}good`)
    })
    const upstream = openUpstream(t, [server.origin])
    assert.equal((await ask(upstream, upload(['ab', 'cd'], { bodyBytes: 4 }))).body, 'good')
    assert.match(server.seen[0]?.text ?? '', /\r\ncontent-length: 4\r\n\r\nabcd$/)
    assert.equal((await ask(upstream, upload(['ab', '', 'cd']))).body, 'good')
    assert.match(
      server.seen[0]?.text ?? '',
      /\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n$/,
    )
    assert.equal((await ask(upstream, upload([]))).body, 'good')
    assert.equal(server.seen.length, 1)
  })

  it('that is not as long as it was said to be is cut', { timeout: 10_000 }, async (t) => {
    const server = await openRawServer(t, () => {})
    const upstream = openUpstream(t, [server.origin])
    for (const pieces of [['abc'], ['ab', 'cde'], ['abcde']]) {
      assert.equal((await ask(upstream, upload(pieces, { bodyBytes: 4 }))).error?.status, 502)
      await until('it is left', () => server.seen.at(-1)?.isClosed === true)
      assert.ok(!server.seen.at(-1)?.text.includes('abcde'))
    }
  })

  it('that fails is what the answer tells of, and the server is not blamed', async (t) => {
    const server = await openRawServer(t, () => {})
    const upstream = openUpstream(t, [server.origin])
    const late = new FlotillaError('invalid_argument', 'The body took too long.', { status: 408 })
    const body = new Readable({ read() {} })
    body.on('error', () => {})
    body.push('a')
    const answer = ask(upstream, { method: 'POST', body })
    await until('it is on its way', () => server.seen[0]?.text.endsWith('1\r\na\r\n') === true)
    body.destroy(late)
    assert.equal((await answer).error, late)
    await until('it is left', () => server.seen[0]?.isClosed === true)
  })

  it('waits for a server that does not read, and the server for who does not', async (t) => {
    let sent = 0
    let isReading = false
    const server = await openRawServer(t, ({ socket }) => {
      if (!isReading) socket.pause()
    })
    const upstream = openUpstream(t, [server.origin])
    const body = new Readable({
      read() {
        sent++
        this.push(sent > 64 ? null : Buffer.alloc(MiB))
      },
    })
    let flow: Flow | undefined
    let received = 0
    let parts = 0
    const answer = ask(upstream, {
      method: 'POST',
      body,
      bodyBytes: 64 * MiB,
      onPart: (part, its) => {
        flow = its
        received += part.length
        parts++
        return false
      },
    })
    await until('it is asked', () => server.seen.length === 1)
    let before = -1
    await until('no more is sent', async () => {
      await systemClock.sleep(100)
      const isSame = before === sent
      before = sent
      return isSame
    })
    assert.ok(sent < 32, `${sent} MiB were read for who reads nothing`)
    isReading = true
    const { socket } = server.seen[0] ?? assert.fail()
    socket.resume()
    await until('all of it is there', () => socket.bytesRead > 64 * MiB)
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n')
    for (let index = 0; index < 16; index++) socket.write(Buffer.alloc(MiB))
    await until('something has come', () => parts === 1)
    await systemClock.sleep(100)
    assert.ok(received <= 64 * 1024, `${received} bytes for who has enough`)
    while (received < 16 * MiB) {
      flow?.resume()
      await new Promise(setImmediate)
    }
    assert.equal((await answer).error, undefined)
  })

  it('of a client that is slow is no fault of the server', async (t) => {
    const server = await openRawServer(t, ({ socket, text }) => {
      if (text.endsWith('abcd')) socket.write(`${LENGTH}good`)
    })
    const upstream = openUpstream(t, [server.origin], { timeoutMs: 400 })
    const body = new Readable({ read() {} })
    body.push('ab')
    const answer = ask(upstream, { method: 'POST', body, bodyBytes: 4 })
    await systemClock.sleep(1_200)
    body.push('cd')
    body.push(null)
    assert.equal((await answer).body, 'good')
  })

  it('of a server that does not read it is cut when its time is over', async (t) => {
    const server = await openRawServer(t, ({ socket }) => void socket.pause())
    const upstream = openUpstream(t, [server.origin], { timeoutMs: 200 })
    const body = new Readable({
      read() {
        this.push(Buffer.alloc(MiB))
      },
    })
    assert.equal((await ask(upstream, { method: 'POST', body })).error?.status, 502)
    assert.ok(body.destroyed)
  })
})
