import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import { FlotillaError } from '@flotilla/core/error'
import { until } from '@flotilla/core/until'
import { ask, headsIn, openRawServer, openUpstream, type RawServer, type Seen } from './open-server.test.ts'

/** Kept for so long that no connection ends by itself here. */
const GOOD = 'HTTP/1.1 200 OK\r\nKeep-Alive: timeout=100\r\nContent-Length: 4\r\n\r\ngood'
const hungUp = new FlotillaError('canceled', 'The client hung up.')

/** Answers every request; but those with `hold` in their path. */
function openGood(t: { after(cleanUp: () => void): void }, says = GOOD): Promise<RawServer> {
  const answered = new Map<Seen, number>()
  return openRawServer(t, (seen) => {
    if (seen.text.includes('hold')) return
    const before = answered.get(seen) ?? 0
    const heads = headsIn(seen.text)
    answered.set(seen, heads)
    seen.socket.write(says.repeat(heads - before))
  })
}

describe('Connections to a foreign server', { timeout: 60_000 }, () => {
  it('are kept, whatever is asked', async (t) => {
    const server = await openRawServer(t, ({ socket, text }) => {
      const method = /([A-Z]+) \/ HTTP\/1\.1\r\n(?!.* HTTP\/1\.1\r\n)/s.exec(text)?.[1]
      socket.write(method === 'HEAD' ? GOOD.slice(0, -4) : GOOD)
    })
    const upstream = openUpstream(t, [server.origin])
    for (let turn = 0; turn < 20; turn++) {
      for (const method of ['GET', 'HEAD', 'DELETE', 'POST', 'OPTIONS']) {
        const { head, body, error } = await ask(upstream, { method })
        assert.deepEqual([error, head?.status, body], [undefined, 200, method === 'HEAD' ? '' : 'good'])
      }
    }
    assert.equal(server.seen.length, 1)
    assert.match(
      server.seen[0]?.text ?? '',
      /^POST \/ HTTP\/1\.1\r\nhost: 127\.0\.0\.1:\d+\r\ncontent-length: 0\r\n\r\n/m,
    )
  })

  it('are as many as may be; others wait, in their order', async (t) => {
    const held: Seen[] = []
    const server = await openRawServer(t, (seen) => void held.push(seen))
    const upstream = openUpstream(t, [server.origin], { connections: 2 })
    const order: number[] = []
    const all = Array.from({ length: 6 }, async (_, index) => {
      const outcome = await ask(upstream, { path: `/${index}` })
      order.push(index)
      return outcome
    })
    for (let answered = 0; answered < 6; answered++) {
      await until('somebody is asked', () => held.length > 0)
      held.shift()?.socket.write(GOOD)
    }
    assert.ok((await Promise.all(all)).every(({ body }) => body === 'good'))
    assert.deepEqual([order, server.seen.length], [[0, 1, 2, 3, 4, 5], 2])
  })

  it('have a bound on how many wait for them', async (t) => {
    const server = await openRawServer(t, () => {})
    const upstream = openUpstream(t, [server.origin], { connections: 1 })
    const errors: (FlotillaError | undefined)[] = []
    const all = Array.from({ length: 1_030 }, async () => errors.push((await ask(upstream)).error))
    await until('somebody is asked', () => server.seen.length === 1)
    // One is on the connection, and 1,024 wait.
    assert.deepEqual(
      errors.map((error) => [error?.status, error?.isOverloaded, error?.executed]),
      Array.from({ length: 5 }, () => [503, true, 'no']),
    )
    upstream.destroy()
    await Promise.all(all)
    assert.ok(errors.slice(5).every((error) => error?.code === 'unavailable'))
  })

  it('have a bound on how long somebody waits for them', async (t) => {
    const server = await openRawServer(t, ({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const go = (): void => {
        if (socket.destroyed) return
        socket.write('x')
        systemClock.schedule(50, go)
      }
      go()
    })
    const upstream = openUpstream(t, [server.origin], { connections: 1, timeoutMs: 500 })
    const cancellation = new Cancellation()
    const first = ask(upstream, { cancellation })
    assert.equal((await ask(upstream, { path: '/late' })).error?.status, 503)
    cancellation.cancel(hungUp)
    assert.equal((await first).error, hungUp)
    await until('it is left', () => server.seen[0]?.isClosed === true)
    assert.ok(!server.seen.some(({ text }) => text.includes('/late')))
  })

  it('go on to who asks next also when the one before had enough for a while', async (t) => {
    const server = await openGood(t)
    const upstream = openUpstream(t, [server.origin])
    for (let turn = 0; turn < 3; turn++)
      assert.equal((await ask(upstream, { onPart: () => false })).body, 'good')
    assert.equal(server.seen.length, 1)
  })

  it('are given up by who waits, without harm to others', async (t) => {
    const held: Seen[] = []
    const server = await openRawServer(t, (seen) => void held.push(seen))
    const upstream = openUpstream(t, [server.origin], { connections: 1 })
    const first = ask(upstream, { path: '/first' })
    const cancellation = new Cancellation()
    const second = ask(upstream, { path: '/second', cancellation })
    const third = ask(upstream, { path: '/third' })
    cancellation.cancel(hungUp)
    assert.equal((await second).error, hungUp)
    await until('the first is there', () => held.length === 1)
    held[0]?.socket.write(GOOD)
    await until('the third is there', () => held.length === 2)
    held[1]?.socket.write(GOOD)
    assert.deepEqual([(await first).body, (await third).body], ['good', 'good'])
    assert.ok(!server.seen.some(({ text }) => text.includes('/second')))
  })

  it('end before the server ends them', async (t) => {
    const server = await openGood(t, GOOD.replace('timeout=100', 'timeout=2, max=100'))
    const upstream = openUpstream(t, [server.origin])
    const startMs = systemClock.monotonicMs()
    await ask(upstream)
    await until('it is left', () => server.seen[0]?.isClosed === true)
    const tookMs = systemClock.monotonicMs() - startMs
    assert.ok(tookMs > 900 && tookMs < 2_000, `${tookMs}`)
  })

  it('are left when anything comes that nobody asked for, and when the server leaves', async (t) => {
    const server = await openGood(t)
    const upstream = openUpstream(t, [server.origin])
    await ask(upstream)
    server.seen[0]?.socket.write(GOOD.replace('good', 'evil'))
    await until('it is left', () => server.seen[0]?.isClosed === true)
    assert.equal((await ask(upstream)).body, 'good')
    server.seen[1]?.socket.end()
    await until('it is left', () => server.seen[1]?.isClosed === true)
    assert.equal((await ask(upstream)).body, 'good')
    server.seen[2]?.socket.resetAndDestroy()
    // Whoever finds that out is asked again only if that is safe, and here nobody is.
    const { error, body } = await ask(upstream)
    if (error !== undefined) assert.equal((await ask(upstream)).body, 'good')
    else assert.equal(body, 'good')
  })

  it('that die under a request have it made again where that is safe, and else not', async (t) => {
    const server = await openRawServer(t, ({ socket, text }, index) => {
      if (index % 2 === 0 && headsIn(text) > 1) socket.resetAndDestroy()
      else socket.write(GOOD)
    })
    const upstream = openUpstream(t, [server.origin], { retries: 1 })
    await ask(upstream)
    assert.deepEqual([(await ask(upstream)).body, server.seen.length], ['good', 2])
    const other = openUpstream(t, [server.origin], { retries: 1 })
    await ask(other)
    const posted = await ask(other, { method: 'POST' })
    assert.deepEqual([posted.error?.status, posted.error?.executed, server.seen.length], [502, 'maybe', 3])
  })

  it('go on for who is on them when they are closed, and then end', async (t) => {
    const held: Seen[] = []
    const server = await openRawServer(t, (seen) => void held.push(seen))
    const upstream = openUpstream(t, [server.origin])
    const answer = ask(upstream)
    await until('it is asked', () => held.length === 1)
    upstream.close()
    held[0]?.socket.write(GOOD)
    assert.equal((await answer).body, 'good')
    await until('it is left', () => server.seen[0]?.isClosed === true)
  })

  it('do not go on to who asks next before they were sent all of a request', async (t) => {
    const server = await openRawServer(
      t,
      ({ socket, text }) => void (headsIn(text) === 1 && socket.write(GOOD)),
    )
    const upstream = openUpstream(t, [server.origin])
    const body = new Readable({ read() {} })
    body.push('half')
    const early = await ask(upstream, { method: 'POST', body, bodyBytes: 8 })
    assert.deepEqual([early.body, body.destroyed], ['good', true])
    await until('it is left', () => server.seen[0]?.isClosed === true)
    assert.equal((await ask(upstream)).body, 'good')
    assert.equal(server.seen.length, 2)
  })
})
