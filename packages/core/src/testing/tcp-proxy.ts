/**
 * A TCP proxy for tests of what happens when a network misbehaves at one exact moment.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** One connection through the proxy: two sockets. Handlers write on, hold back, or destroy as they like. */
export interface ProxyLink {
  readonly client: Socket
  readonly server: Socket
}

/** What to do with bytes on their way; default: write them on. */
export interface ProxyHandlers {
  readonly onClientData?: (chunk: Buffer, link: ProxyLink) => void
  readonly onServerData?: (chunk: Buffer, link: ProxyLink) => void
}

/** Opens a proxy on loopback in front of the server that `url` names; gives the URL by which to reach it. Closed after the test. */
export async function openTcpProxy(
  t: { after(cleanUp: () => Promise<void>): void },
  url: string,
  handlers: ProxyHandlers,
): Promise<string> {
  const { onClientData = (chunk, link) => link.server.write(chunk) } = handlers
  const { onServerData = (chunk, link) => link.client.write(chunk) } = handlers
  const through = new URL(url)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const link = { client, server: connect(Number(through.port), through.hostname) }
    client.on('data', (chunk) => onClientData(chunk, link))
    link.server.on('data', (chunk) => onServerData(chunk, link))
    for (const [socket, other] of [
      [client, link.server],
      [link.server, client],
    ] as const) {
      sockets.add(socket)
      socket.on('end', () => other.end())
      socket.on('close', () => other.destroy())
      // Broken connections are what the proxy is for.
      socket.on('error', () => {})
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const reached = new URL(url)
  reached.port = String((server.address() as AddressInfo).port)
  return reached.href
}
