import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { openTestGateway, type TestGateway } from './open-gateway.test.ts'

/** A gateway before a server that answers what it is asked for, and then says more. */
async function openBefore(
  t: TestContext,
  answer: (path: string, socket: Socket) => void,
): Promise<{ readonly gateway: TestGateway; readonly connections: () => number }> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (part) => answer(part.toString('latin1').split(' ')[1] as string, socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'policies.json')
  const targets = [`http://127.0.0.1:${(server.address() as { port: number }).port}`]
  const routes = [{ match: { path: '/its/**' }, upstream: { name: 'its' }, access: 'anyone' }]
  writeFileSync(
    path,
    JSON.stringify({ gateway: { upstreams: { its: { targets, connections: 2, retries: 0 } }, routes } }),
  )
  return { gateway: await openTestGateway(t, { FLOTILLA_POLICIES: path }), connections: () => connections }
}

function of(path: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`
}

describe('Connections of the gateway to a foreign server', { timeout: 60_000 }, () => {
  it('are kept, also by requests for heads', async (t) => {
    const { gateway, connections } = await openBefore(t, (path, socket) =>
      socket.write(path === '/its/head' ? of(path).slice(0, -path.length) : of(path)),
    )
    for (let turn = 0; turn < 10; turn++) {
      assert.equal((await gateway.ask('/its/x')).text, '/its/x')
      const { status, headers } = await gateway.ask('/its/head', { method: 'HEAD' })
      assert.deepEqual([status, headers['content-length']], [200, '9'])
      assert.equal((await gateway.ask('/its/post', { text: 'x'.repeat(100) })).text, '/its/post')
    }
    assert.equal(connections(), 1)
  })

  it('never give the answer of one to another, whatever the server says too much', async (t) => {
    let turn = 0
    const { gateway } = await openBefore(t, (path, socket) => {
      const evil = of('/its/evil')
      const more = ['', evil, '\r\n', evil.slice(0, 20), evil + evil, 'x'][turn++ % 6] as string
      socket.write(of(path) + more)
    })
    const seen = { own: 0, refused: 0 }
    const ask = async (id: string): Promise<void> => {
      for (let index = 0; index < 50; index++) {
        const path = `/its/${id}-${index}`
        const { status, text } = await gateway.ask(path)
        assert.ok(status === 200 || status === 502, `${status}`)
        if (status === 200) {
          assert.equal(text, path)
          seen.own++
        } else seen.refused++
      }
    }
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map(ask))
    assert.ok(seen.own > 150, JSON.stringify(seen))
  })
})
