/**
 * A server for tests that stands behind others: it reads what comes with the second reader, keeps it, and answers with what it has read.
 * And a gateway before it, or before whatever else speaks HTTP.
 *
 * @module
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStrictGateway, type StrictGateway } from './strict-gateway.test.ts'
import { type ReadRequest, readRequests } from './strict-reader.test.ts'

/** The server. */
export interface StrictEcho {
  readonly port: number
  /** In order, of all connections; may be emptied. */
  readonly seen: ReadRequest[]
  /** What came and was no request: what stands before it must not send such a thing. */
  readonly wrong: string[]
}

/** As the gateway would: whoever passes such a thing on goes on with what follows. */
const REFUSAL = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

/** Opens it. */
export async function openStrictEcho(t: { after(cleanUp: () => Promise<void>): void }): Promise<StrictEcho> {
  const seen: ReadRequest[] = []
  const wrong: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    serve(socket, seen, wrong)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : 0, seen, wrong }
}

function serve(socket: Socket, seen: ReadRequest[], wrong: string[]): void {
  let text = ''
  let answered = 0
  let hasAsked = false
  socket.on('error', () => {
    // Whoever stands before us hangs up when its client does.
  })
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
    const { requests, end } = readRequests(text)
    for (const request of requests.slice(answered)) {
      seen.push(request)
      socket.write(answerTo(request), 'latin1')
    }
    answered = requests.length
    if (end === 'wrong') {
      wrong.push(text)
      socket.write(REFUSAL)
    }
    if (end === 'wrong' || end === 'closed') socket.end()
    const asks = end === 'within' && requests.length === 0 && /^expect: *100-continue/im.test(text)
    if (asks && !hasAsked) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    hasAsked = asks
    if (end !== 'whole') return
    text = ''
    answered = 0
  })
}

function answerTo({ method, target, body }: ReadRequest): string {
  const text = Buffer.from(JSON.stringify({ method, target, body })).toString('latin1')
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`
  return method === 'HEAD' ? head : head + text
}

/** Opens a gateway that passes everything on to the server at `port`. */
export function openGatewayBefore(
  t: { after(cleanUp: () => Promise<void>): void },
  port: number,
): Promise<StrictGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-policies-'))
  t.after(async () => rmSync(folder, { recursive: true }))
  const path = join(folder, 'policies.json')
  const upstreams = { behind: { targets: [`http://127.0.0.1:${port}`] } }
  const routes = [{ match: { path: '/api/v1/**' }, upstream: { name: 'behind' }, access: 'anyone' }]
  writeFileSync(path, JSON.stringify({ gateway: { upstreams, routes } }))
  return openStrictGateway(t, { FLOTILLA_POLICIES: path })
}
