/**
 * TLS in front of HTTP: handshakes, and who comes out of them.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { type ClientCertificate, clientCertificateOf } from './certificate.ts'
import type { TlsMaterial } from './tls-material.ts'

/** What is asked of clients: nothing, a certificate if they have one, or a certificate. */
export type ClientCertificateMode = 'off' | 'request' | 'require'

/** How TLS is spoken. */
export interface TlsOptions {
  readonly material: TlsMaterial
  readonly clientCertificate: ClientCertificateMode
}

/** What a handshake brought to light. */
export interface Peer {
  readonly protocol: 'h1' | 'h2'
  /** As `TLSv1.3`; undefined: in plain text. */
  readonly tlsVersion: string | undefined
  /** Verified; undefined: it has shown none, or nobody has asked. */
  readonly certificate: ClientCertificate | undefined
}

/** Who speaks HTTP/1.1 in plain text. */
export const plainPeer: Peer = { protocol: 'h1', tlsVersion: undefined, certificate: undefined }

/** Takes connections as they come, and gives them back when they speak TLS. */
export interface TlsFront {
  take(socket: Socket): void
  /** For handshakes from now on; connections stay as they are. */
  use(material: TlsMaterial): void
  /** Cuts those that are still shaking hands, and those to come. */
  leave(): void
}

/** Opens it; it listens nowhere itself. `handshakeMs`: what a handshake may take. */
export function createTlsFront(
  { material, clientCertificate: mode }: TlsOptions,
  handshakeMs: number,
  onSecure: (socket: TLSSocket, peer: Peer) => void,
): TlsFront {
  const shaking = new Map<string, Socket>()
  let isLeaving = false
  const server = createServer({
    ...contextOf(material),
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeMs,
    requestCert: mode !== 'off',
    rejectUnauthorized: mode === 'require',
  })
  // A handshake that fails or takes too long; Node leaves it to us to close.
  server.on('tlsClientError', (_, socket) => socket.destroy())
  server.on('secureConnection', (socket) => {
    shaking.delete(placeOf(socket))
    const certificate = mode === 'off' ? undefined : socket.getPeerX509Certificate()
    // A certificate that is shown and not good is a mistake or an attack, also where none is needed.
    if (isLeaving || (certificate !== undefined && !socket.authorized)) {
      socket.destroy()
      return
    }
    socket.disableRenegotiation()
    onSecure(socket, {
      protocol: socket.alpnProtocol === 'h2' ? 'h2' : 'h1',
      tlsVersion: socket.getProtocol() ?? undefined,
      certificate: certificate && clientCertificateOf(certificate),
    })
  })
  return {
    take(socket) {
      const place = placeOf(socket)
      shaking.set(place, socket)
      socket.once('close', () => {
        if (shaking.get(place) === socket) shaking.delete(place)
      })
      server.emit('connection', socket)
    },
    use: (next) => server.setSecureContext(contextOf(next)),
    leave() {
      isLeaving = true
      for (const socket of shaking.values()) socket.destroy()
    },
  }
}

/** Ciphers and their order are Node's own. */
function contextOf({ cert, key, ca }: TlsMaterial): object {
  return { cert, key, minVersion: 'TLSv1.2', ...(ca && { ca: [...ca] }) }
}

/** By what a connection is known before and after its handshake. */
function placeOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
