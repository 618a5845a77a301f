import assert from 'node:assert/strict'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { until } from '@flotilla/core/until'
import { openStock, writeProtos } from '../grpc/open-stock.test.ts'
import { openTestGateway } from './open-gateway.test.ts'
import { stockPolicies } from './open-with-stock.test.ts'

describe('Policies of gRPC servers', { timeout: 60_000 }, () => {
  it('are followed while the gateway serves, and mistakes change nothing', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'flotilla-grpc-'))
    t.after(() => rmSync(folder, { recursive: true }))
    writeProtos(folder)
    const [one, two] = [await openStock(folder), await openStock(folder)]
    t.after(() => {
      one.close()
      two.close()
    })
    const path = join(folder, 'policies.yaml')
    const write = (gateway: object): void => {
      writeFileSync(`${path}.new`, JSON.stringify({ gateway }))
      renameSync(`${path}.new`, path)
    }
    const dead = `http://127.0.0.1:${await findFreePort()}`
    const right = stockPolicies(one.origin, dead)
    write(right)
    const { ask, app, port } = await openTestGateway(t, { FLOTILLA_POLICIES: path })
    const isRefused = (): boolean =>
      app.hostOf('gateway').metrics.toPrometheus().includes('\nflotilla_policies_refused 1\n')
    const status = async (at: string): Promise<number> => (await ask(at)).status
    assert.deepEqual([await status('/items/a'), one.calls.length, two.calls.length], [200, 1, 0])

    const { stock, ...others } = right.grpc
    write({ ...right, grpc: { ...others, stock: { ...stock, proto: './none.proto' } } })
    await until('it is refused', isRefused)
    assert.equal(await status('/items/a'), 200)

    // A call on its way stays where it is.
    const socket = connect(port, '127.0.0.1')
    let text = ''
    socket.on('data', (part: Buffer) => {
      text += part.toString()
    })
    socket.write('GET /watch?times=1&cut=true HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until('it has begun', () => text.includes('"count":1'))
    write(stockPolicies(two.origin, dead))
    await until('the other is asked', async () => (await status('/items/a')) === 200 && two.calls.length > 0)
    assert.deepEqual([isRefused(), one.canceled(), socket.destroyed], [false, 0, false])
    socket.destroy()
    await until('the server knows', () => one.canceled() === 1)
    const last = connect(port, '127.0.0.1')
    let end = ''
    last.on('data', (part: Buffer) => {
      end += part.toString()
    })
    last.write('GET /watch?times=1&cut=true HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until('it has begun', () => end.includes('"count":1'))
    write({})
    await until('there is nothing any more', async () => (await status('/items/a')) === 404)
    // Who leaves, ends streams, also those of servers that are in no policy any more.
    await app.hostOf('gateway').close()
    await until('the other knows', () => two.canceled() === 1)
    assert.match(end, /event: error\ndata: .*"code":"unavailable"/)
  })
})
