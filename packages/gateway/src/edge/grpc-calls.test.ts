import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { codes } from '@flotilla/core/code'
import { until } from '@flotilla/core/until'
import type { Ask } from './open-gateway.test.ts'
import { openWithStock } from './open-with-stock.test.ts'

const MESSAGE_BYTES_MAX = 4 * 1024 * 1024

describe('A call of a gRPC server', { timeout: 60_000 }, () => {
  const { gateway, stock } = openWithStock()
  const ask = (at: string, its?: Ask) => gateway().ask(at, its)
  const events = (text: string): readonly (readonly [event: string, data: Record<string, unknown>])[] =>
    text
      .split('\n\n')
      .filter((event) => event !== '')
      .map((event) => {
        const [, name = 'message', data = ''] = /^(?:event: (\w+)\n)?data: (.*)$/m.exec(event) ?? []
        return [name, JSON.parse(data)]
      })
  const open = (at: string): Socket => {
    const socket = connect(gateway().port, '127.0.0.1')
    socket.write(`GET ${at} HTTP/1.1\r\nHost: a.test\r\n\r\n`)
    return socket
  }

  describe('that fails', () => {
    const said = 'what the server says'
    const hidden = new Set([
      'canceled',
      'unknown',
      'deadline_exceeded',
      'unimplemented',
      'internal',
      'unavailable',
      'data_loss',
    ])
    for (const [index, [code, { status, title }]] of Object.entries(codes).entries())
      it(`with ${code} is a problem with ${status}`, async () => {
        const answer = await ask('/fail', { json: { code: index + 1, say: said } })
        assert.deepEqual(
          [answer.status, answer.headers['content-type'], answer.body['code'], answer.body['title']],
          [status, 'application/problem+json', code, title],
        )
        assert.equal(answer.text.includes(said), !hidden.has(code))
        assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer' : undefined)
      })

    it('with a status that there is not is unknown', async () => {
      assert.equal((await ask('/fail', { json: { code: 77, say: said } })).body['code'], 'unknown')
    })

    it('is in the log', async () => {
      await ask('/fail', { json: { code: 13, say: said } })
      await until('it is logged', () =>
        gateway()
          .accessLog()
          .some(
            ({ upstream, status, code }) => upstream === 'stock' && status === 500 && code === 'internal',
          ),
      )
    })
  })

  it('tells the server who asks, and nothing that the client makes up', async () => {
    const headers = {
      'x-user-id': 'root',
      'x-forwarded-for': '6.6.6.6',
      cookie: 'c=1',
      'x-request-id': 'mine',
    }
    const { body } = await ask('/who', { headers })
    const metadata = body['metadata'] as Record<string, string>
    assert.equal(body['hasDeadline'], true)
    assert.deepEqual(
      [metadata['x-user-id'], metadata['cookie'], metadata['x-forwarded-for'], metadata['x-request-id']],
      [undefined, undefined, '127.0.0.1', 'mine'],
    )
    assert.match(metadata['traceparent'] ?? '', /^00-[0-9a-f]{32}-/)
  })

  it('is for whom it is meant', async () => {
    const { token } = gateway()
    const as = async (roles: string[]) =>
      ask('/mine', { headers: { authorization: `Bearer ${await token('anna', { roles })}` } })
    assert.deepEqual([(await ask('/mine')).status, (await as(['user'])).status], [401, 403])
    const { status, body } = await as(['member', 'user'])
    const metadata = body['metadata'] as Record<string, string>
    assert.deepEqual(
      [status, metadata['x-user-id'], metadata['x-user-roles'], metadata['authorization']],
      [200, 'anna', 'member,user', undefined],
    )
  })

  it('ends with its deadline, which the server is told', async () => {
    const before = stock().canceled()
    const { status, body } = await ask('/hurried')
    assert.deepEqual([status, body['code']], [504, 'deadline_exceeded'])
    await until('the server knows', () => stock().canceled() > before)
  })

  it('ends when the client leaves', async () => {
    const before = [stock().calls.length, stock().canceled()] as const
    const socket = open('/slow')
    await until('it is asked', () => stock().calls.length > before[0])
    socket.destroy()
    await until('the server knows', () => stock().canceled() > before[1])
    await until('it is logged', () =>
      gateway()
        .accessLog()
        .some(({ status }) => status === 499),
    )
  })

  it('is made elsewhere when a server is not there', async () => {
    for (let turn = 0; turn < 8; turn++) {
      const { status, body } = await ask('/shaky?sku=a')
      assert.deepEqual([status, body['sku']], [200, 'a'])
    }
  })

  it('is a problem when none is there', async () => {
    const { status, body, headers } = await ask('/gone')
    assert.deepEqual([status, body['code'], headers['retry-after']], [503, 'unavailable', '1'])
    assert.equal((await ask('/gone/watch?times=1')).status, 503)
  })

  it('is made once only when it may have an effect', async () => {
    const before = stock().calls.length
    assert.equal((await ask('/fail', { json: { code: 14 } })).status, 503)
    assert.equal(stock().calls.length, before + 1)
    assert.equal((await ask('/fail?code=14')).status, 503)
    assert.equal(stock().calls.length, before + 3)
  })

  it('has bounds in both directions', async () => {
    const big = await ask(`/big?bytes=${MESSAGE_BYTES_MAX - 100}`)
    assert.deepEqual([big.status, String(big.body['sku']).length], [200, MESSAGE_BYTES_MAX - 100])
    const tooBig = await ask(`/big?bytes=${MESSAGE_BYTES_MAX + 1}`)
    assert.deepEqual([tooBig.status, tooBig.body['code']], [502, 'internal'])
    const sku = 'x'.repeat(MESSAGE_BYTES_MAX - 100)
    assert.equal((await ask('/echo', { json: { sku } })).status, 200)
    assert.equal((await ask('/echo', { json: { sku: `${sku}${'x'.repeat(200)}` } })).status, 413)
    const doubles = Array.from({ length: 600_000 }, () => 0)
    assert.equal((await ask('/echo', { json: { doubles } })).status, 413)
  })

  describe('that gives a stream', () => {
    it('is answered with events', async () => {
      const { status, headers, text } = await ask('/watch?sku=a&times=3')
      assert.deepEqual([status, headers['content-type']], [200, 'text/event-stream'])
      const all = events(text)
      assert.deepEqual(
        all.map(([event, { sku, count, total }]) => [event, sku, count, total]),
        [
          ['message', 'a', 1, '1'],
          ['message', 'a', 2, '2'],
          ['message', 'a', 3, '3'],
          ['end', undefined, undefined, undefined],
        ],
      )
      assert.deepEqual(
        events((await ask('/watch')).text).map(([event]) => event),
        ['end'],
      )
    })

    it('is a problem where it fails before the first message, and an event after that', async () => {
      const { status, body } = await ask('/watch?code=5&say=gone')
      assert.deepEqual([status, body['code'], body['detail']], [404, 'not_found', 'gone'])
      const late = events((await ask('/watch?times=2&code=5&say=gone')).text)
      assert.deepEqual(
        late.map(([event, { code }]) => [event, code]),
        [
          ['message', undefined],
          ['message', undefined],
          ['error', 'not_found'],
        ],
      )
    })

    it('has many messages, as fast as they are read', async () => {
      const all = events((await ask('/watch?times=2000')).text)
      assert.deepEqual([all.length, all.at(-2)?.[1]['count'], all.at(-1)?.[0]], [2001, 2000, 'end'])
    })

    it('has no deadline but that of the route', async () => {
      const cut = events((await ask('/watch/briefly?times=1&cut=true')).text)
      assert.deepEqual(
        cut.map(([event, { code }]) => [event, code]),
        [
          ['message', undefined],
          ['error', 'deadline_exceeded'],
        ],
      )
    })

    it('goes on when calls of the same server are over', async () => {
      const socket = open('/hasty/watch?times=1&cut=true')
      let text = ''
      socket.on('data', (part: Buffer) => {
        text += part.toString()
      })
      await until('it has begun', () => text.includes('"count":1'))
      assert.equal((await ask('/hasty')).status, 504)
      assert.deepEqual([text.includes('event: error'), socket.destroyed], [false, false])
      socket.destroy()
    })

    it('ends when the client leaves', async () => {
      const before = stock().canceled()
      const socket = open('/watch?times=1&cut=true')
      let text = ''
      socket.on('data', (part: Buffer) => {
        text += part.toString()
      })
      await until('it has begun', () => text.includes('"count":1'))
      socket.destroy()
      await until('the server knows', () => stock().canceled() > before)
    })
  })

  it('is no WebSocket', async () => {
    const handshake =
      'GET /who HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n'
    assert.match(await gateway().raw(handshake), /^HTTP\/1\.1 501 /)
  })
})
