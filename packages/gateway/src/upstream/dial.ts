/**
 * Opens sockets to a foreign server, in plain text or by TLS.
 *
 * @module
 */
import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** Opens a socket. `onOpen` is told once, when it may be written to. */
export type Dial = (onOpen: () => void) => Socket

/**
 * How an origin is reached.
 *
 * @param trust whose certificates are taken; absent: those that Node does
 */
export function dialOf(origin: string, trust: Pick<ConnectionOptions, 'ca'> = {}): Dial {
  const { protocol, hostname, port } = new URL(origin)
  const host = hostname.replace(/^\[(.*)\]$/, '$1')
  if (protocol === 'http:') {
    const options = { host, port: port === '' ? 80 : Number(port), noDelay: true }
    return (onOpen) => connect(options, onOpen)
  }
  const options: ConnectionOptions = {
    ...trust,
    host,
    port: port === '' ? 443 : Number(port),
    ALPNProtocols: ['http/1.1'],
    // Addresses are in certificates, but are no names to ask for.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  }
  let session: Buffer | undefined
  return (onOpen) => {
    const socket = connectTls({ ...options, ...(session === undefined ? {} : { session }) }, onOpen)
    // A handshake that goes on from an earlier one costs a tenth.
    socket.on('session', (its) => {
      session = its
    })
    return socket.setNoDelay(true)
  }
}
