import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import { systemClock } from '@flotilla/core/clock'
import { TimerWheel } from '@flotilla/core/timer-wheel'
import { until } from '@flotilla/core/until'
import { Connections } from '../upstream/connections.ts'
import { dialOf } from '../upstream/dial.ts'
import { makeCa, makeCertificate } from './make-certificates.test.ts'

const GOOD = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'

/** Asks a server once, and gives what it answers. */
function askOnce(connections: Connections): Promise<string | Error> {
  return new Promise((resolve) => {
    let text = ''
    connections.ask({
      method: 'GET',
      text: 'GET / HTTP/1.1\r\nhost: a.test\r\n\r\n',
      body: undefined,
      bodyBytes: undefined,
      wantsSocket: false,
      place: undefined,
      head: ({ status }) => {
        text += status
      },
      part: (part) => {
        text += part.toString()
        return true
      },
      end: () => resolve(text),
      fail: resolve,
      opened: () => assert.fail('nobody asked for that'),
    })
  })
}

describe('A foreign upstream by TLS', { timeout: 60_000 }, () => {
  it('is spoken to where its certificate is one that is trusted, and remembers us', async (t) => {
    const ca = await makeCa('Others')
    const { cert, key } = await makeCertificate(ca, { name: 'theirs', isServer: true })
    const sockets: TLSSocket[] = []
    const server = createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.on('data', () => socket.write(`${GOOD}good`))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    const { port } = server.address() as { port: number }
    const open = (trust: { ca?: string }): Connections => {
      const wheel = new TimerWheel(systemClock)
      const dial = dialOf(`https://127.0.0.1:${port}`, trust)
      const its = new Connections({ clock: systemClock, wheel, dial, timeoutMs: 5_000, connectionsMax: 8 })
      t.after(() => its.destroy())
      return its
    }
    const trusting = open({ ca: ca.cert })
    assert.deepEqual([await askOnce(trusting), await askOnce(trusting)], ['200good', '200good'])
    assert.equal(sockets.length, 1)
    assert.equal(sockets[0]?.alpnProtocol, 'http/1.1')
    sockets[0]?.end()
    await until('it is left', () => sockets[0]?.destroyed === true)
    assert.equal(await askOnce(trusting), '200good')
    assert.equal(sockets[1]?.isSessionReused(), true)
    const other = await askOnce(open({}))
    assert.match(String(other), /certificate/)
  })
})
