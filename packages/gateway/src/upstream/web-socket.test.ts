import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import type { FlotillaError } from '@flotilla/core/error'
import { until } from '@flotilla/core/until'
import { ask, openRawServer, openUpstream } from './open-server.test.ts'
import type { Upstream } from './upstream.ts'

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n'
const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood'

interface Opened {
  readonly status: number | undefined
  readonly socket: Socket | undefined
  readonly read: string
  readonly error: FlotillaError | undefined
}

function open(upstream: Upstream): Promise<Opened> {
  const request = {
    method: 'GET',
    path: '/',
    host: undefined,
    lines: '',
    body: undefined,
    bodyBytes: undefined,
  }
  return new Promise((resolve) => {
    let status: number | undefined
    const tell = (its: Partial<Opened>): void =>
      resolve({ status, socket: undefined, read: '', error: undefined, ...its })
    upstream.send(
      { ...request, cancellation: new Cancellation() },
      {
        head: (head) => {
          status = head.status
        },
        part: () => true,
        end: () => tell({}),
        fail: (error) => tell({ error }),
        opened: (head, socket, read) => tell({ status: head.status, socket, read: read.toString() }),
      },
    )
  })
}

describe('A WebSocket with a foreign server', { timeout: 60_000 }, () => {
  it('is asked for, and has what has come already', async (t) => {
    const server = await openRawServer(t, ({ socket, text }) => {
      if (text.endsWith('\r\n\r\n')) socket.write(`${SWITCHING}first`)
      else socket.write(`you said ${text.split('\r\n\r\n')[1]}`)
    })
    const { status, socket, read } = await open(openUpstream(t, [server.origin]))
    assert.deepEqual([status, read], [101, 'first'])
    assert.match(server.seen[0]?.text ?? '', /\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n$/)
    let text = ''
    socket?.on('data', (part: Buffer) => {
      text += part.toString()
    })
    socket?.resume()
    socket?.write('hello')
    await until('it goes both ways', () => text === 'you said hello')
    socket?.destroy()
  })

  it('takes no place of those for requests', async (t) => {
    const server = await openRawServer(t, ({ socket, text }) => {
      socket.write(text.includes('upgrade') ? SWITCHING : GOOD)
    })
    const upstream = openUpstream(t, [server.origin], { connections: 1 })
    const [one, two] = [await open(upstream), await open(upstream)]
    assert.equal((await ask(upstream)).body, 'good')
    one.socket?.destroy()
    two.socket?.destroy()
  })

  it('that is not wanted is answered like any request', async (t) => {
    const server = await openRawServer(t, ({ socket }) => {
      socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
    })
    const upstream = openUpstream(t, [server.origin])
    assert.deepEqual([(await open(upstream)).status, (await open(upstream)).status], [403, 403])
    assert.equal(server.seen.length, 1)
  })

  it('is none where the server goes on with something else', async (t) => {
    for (const says of [
      SWITCHING.replace('WebSocket', 'h2c'),
      SWITCHING.replace('Upgrade: WebSocket\r\n', ''),
      SWITCHING.replace('Connection: upgrade\r\n', ''),
      SWITCHING.replace('\r\n\r\n', '\r\nContent-Length: 2\r\n\r\nab'),
    ]) {
      const server = await openRawServer(t, ({ socket }) => void socket.write(says))
      const { error, socket } = await open(openUpstream(t, [server.origin]))
      assert.deepEqual([error?.status, socket], [502, undefined])
      await until('it is left', () => server.seen[0]?.isClosed === true)
    }
  })

  it('is refused by a server that closes', async (t) => {
    const server = await openRawServer(t, ({ socket }) => void socket.end())
    assert.equal((await open(openUpstream(t, [server.origin]))).error?.status, 502)
  })
})
