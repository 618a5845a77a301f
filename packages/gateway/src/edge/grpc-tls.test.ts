import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { Metrics } from '@flotilla/core/metrics'
import { OutsideRequests } from '@flotilla/core/outside-requests'
import { systemRandom } from '@flotilla/core/random'
import { ServerCredentials } from '@grpc/grpc-js'
import { GrpcUpstream } from '../grpc/grpc-upstream.ts'
import { openStock, type Stock, writeProtos } from '../grpc/open-stock.test.ts'
import { type Issued, makeCa, makeCertificate, type Pair } from './make-certificates.test.ts'

const CALL_MS = 5_000

/** The part of it that runs in a process of its own, as which CAs are believed is decided when a process starts. */
async function callOnce(origin: string): Promise<string> {
  const requests = new OutsideRequests(new Metrics())
  const upstream = new GrpcUpstream(
    { targets: [origin] },
    {
      clock: systemClock,
      random: systemRandom,
      outsidePeer: (url) => requests.peer('gateway', new URL(url).host),
    },
  )
  const call = {
    method: 'acme.Stock/WhoAsks',
    message: new Uint8Array(),
    metadata: [],
    deadlineMs: systemClock.monotonicMs() + CALL_MS,
    isSafe: true,
    cancellation: new Cancellation(),
  }
  try {
    await upstream.call(call)
    return 'answered'
  } catch (error) {
    return isFlotillaError(error) ? `${error.code} ${JSON.stringify(error.cause)}` : String(error)
  } finally {
    upstream.close()
  }
}

/** What comes of a call by a process that believes this CA beside those that everybody believes. */
async function calledBy(t: TestContext, origin: string, believed?: Issued): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-ca-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'ca.pem')
  if (believed !== undefined) writeFileSync(path, believed.cert)
  const env = { ...process.env, ...(believed && { NODE_EXTRA_CA_CERTS: path }) }
  const child = fork(fileURLToPath(import.meta.url), ['grpc-tls-call', origin], { env, execArgv: [] })
  t.after(() => void child.kill())
  const [outcome] = await once(child, 'message')
  return outcome as string
}

async function openSecureStock(t: TestContext, { cert, key }: Pair, clients?: Issued): Promise<Stock> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-grpc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeProtos(folder)
  const pairs = [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }]
  const clientCa = clients === undefined ? null : Buffer.from(clients.cert)
  const stock = await openStock(folder, ServerCredentials.createSsl(clientCa, pairs, clients !== undefined))
  t.after(() => stock.close())
  return stock
}

describe('A gRPC server that speaks TLS', { timeout: 60_000 }, () => {
  it('is asked when its certificate is of a CA that is believed, and is its own', async (t) => {
    const ca = await makeCa('Ours')
    const stock = await openSecureStock(t, await makeCertificate(ca, { name: 'stock', isServer: true }))
    assert.match(stock.origin, /^https:/)
    assert.equal(await calledBy(t, stock.origin, ca), 'answered')
    assert.deepEqual(stock.calls, ['WhoAsks'])
  })

  const refused: Readonly<
    Record<string, (t: TestContext, ca: Issued) => Promise<{ stock: Stock; origin?: string; says: RegExp }>>
  > = {
    'is of a CA that nobody knows': async (t) => ({
      stock: await openSecureStock(
        t,
        await makeCertificate(await makeCa('Theirs'), { name: 'stock', isServer: true }),
      ),
      says: /certificate/,
    }),
    'is of another name': async (t, ca) => {
      const stock = await openSecureStock(t, await makeCertificate(ca, { name: 'stock', isServer: true }))
      return {
        stock,
        origin: stock.origin.replace('127.0.0.1', 'localhost'),
        says: /does not match|altnames/,
      }
    },
    'has expired': async (t, ca) => ({
      stock: await openSecureStock(
        t,
        await makeCertificate(ca, { name: 'stock', isServer: true, lifeMs: -60_000 }),
      ),
      says: /expired/,
    }),
    'is for clients': async (t, ca) => ({
      stock: await openSecureStock(t, await makeCertificate(ca, { name: 'stock' })),
      says: /./,
    }),
  }
  for (const [what, open] of Object.entries(refused))
    it(`is not asked when its certificate ${what}`, async (t) => {
      const ca = await makeCa('Ours')
      const { stock, origin = stock.origin, says } = await open(t, ca)
      const outcome = await calledBy(t, origin, ca)
      assert.match(outcome, /^unavailable /)
      assert.match(outcome, says)
      assert.deepEqual(stock.calls, [])
    })

  it('is not asked when it wants a certificate of us: we have none to show', async (t) => {
    const ca = await makeCa('Ours')
    const pair = await makeCertificate(ca, { name: 'stock', isServer: true })
    const stock = await openSecureStock(t, pair, await makeCa('Clients'))
    assert.match(await calledBy(t, stock.origin, ca), /^unavailable /)
    assert.deepEqual(stock.calls, [])
  })

  it('is never asked in plain text instead', async (t) => {
    const heard: Buffer[] = []
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (part) => {
        heard.push(part)
        socket.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => void server.close())
    const { port } = server.address() as { port: number }
    assert.match(await calledBy(t, `https://127.0.0.1:${port}`), /^unavailable /)
    assert.ok(heard.length > 0)
    // The first byte of a handshake; in plain text it would be the greeting of HTTP/2.
    assert.ok(heard.every((part) => part[0] === 0x16))
  })
})

if (process.argv[2] === 'grpc-tls-call') {
  process.send?.(await callOnce(String(process.argv[3])))
  process.exit()
}
