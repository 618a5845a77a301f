/**
 * A server for tests that knows nothing of us, to stand behind the gateway.
 *
 * @module
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'

/** A server that knows nothing of us. */
export interface Legacy {
  readonly server: Server
  readonly origin: string
  readonly asked: {
    readonly method: string
    readonly url: string
    readonly headers: IncomingHttpHeaders
    readonly body: string
  }[]
}

/** The answer to what ends with `/long`. */
export const LONG = 'x'.repeat(300_000)

/** Opens it; `answer` may answer in its place, and says so. */
export async function openLegacy(
  answer?: (incoming: IncomingMessage, outgoing: ServerResponse) => boolean,
): Promise<Legacy> {
  const asked: Legacy['asked'] = []
  const server = createServer((incoming, outgoing) => {
    if (answer?.(incoming, outgoing)) return
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      asked.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      answerAt(method, url, outgoing)
    })
  })
  server.on('upgrade', (incoming, socket) => {
    asked.push({ method: 'UPGRADE', url: incoming.url ?? '', headers: incoming.headers, body: '' })
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: abc\r\n\r\n',
    )
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { server, origin: `http://127.0.0.1:${port}`, asked }
}

function answerAt(method: string, url: string, outgoing: ServerResponse): void {
  if (url.endsWith('/long')) return void outgoing.writeHead(200, { 'content-length': LONG.length }).end(LONG)
  if (url.endsWith('/parts')) {
    for (const part of ['one', 'two', 'three']) outgoing.write(part)
    return void outgoing.end()
  }
  if (url.endsWith('/short')) return void outgoing.writeHead(200, { 'content-length': 5 }).end('short')
  if (url.endsWith('/secret')) outgoing.setHeader('cache-control', 'private, no-store')
  if (url.endsWith('/none')) return void outgoing.writeHead(204).end()
  outgoing.setHeader('set-cookie', ['a=1', 'b=2'])
  outgoing.setHeader('x-powered-by', 'Legacy')
  outgoing.setHeader('x-more', 'of this')
  outgoing.writeHead(url.endsWith('/teapot') ? 418 : 200, {
    'content-type': 'text/plain',
    connection: 'keep-alive',
  })
  outgoing.end(`${method} ${url}`)
}
