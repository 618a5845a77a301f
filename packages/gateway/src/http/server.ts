/**
 * The server that faces the world, in plain text or by TLS. HTTP/1.1 is its own, because it is what this gateway is for: it reads by the
 * grammar and nothing beyond it, one request of a connection at a time, and costs half of what Node's costs
 * (docs/decisions/0027-http-server.md). HTTP/2 is spoken by TLS only, and its frames are nghttp2's (docs/decisions/0028-tls-and-http2.md).
 *
 * @module
 */
import { createServer, type Socket } from 'node:net'
import type { Clock } from '@flotilla/core/clock'
import { listen } from '@flotilla/core/http-server'
import { AnswerHeads } from './answer-head.ts'
import { Connection, type ConnectionOptions, type Served } from './connection.ts'
import { Http2Connection } from './http2-connection.ts'
import { createTlsFront, plainPeer, type TlsOptions } from './tls-front.ts'
import type { TlsMaterial } from './tls-material.ts'
import type { Turn } from './turn.ts'

/** What it takes. */
export interface ServerOptions {
  readonly clock: Clock
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Milliseconds that the head of a request may take. */
  readonly headMs: number
  /** Connections at once. */
  readonly connectionsMax: number
  /** Connections at once of what counts as one address. */
  readonly perAddressMax: number
  /** What counts as one address. */
  readonly groupOf: (remoteAddress: string) => string
  /** Absent: in plain text. */
  readonly tls?: TlsOptions | undefined
  /** Names and values in turn that every answer has. Default none. */
  readonly always?: readonly string[]
  readonly onTurn: (turn: Turn) => void
  /** What is answered where there is no request to answer. */
  readonly refusal: { readonly type: string; readonly body: (status: number) => string }
}

/** The listening server. */
export interface Server {
  readonly port: number
  /** What TLS is spoken with from now on; connections stay as they are. */
  useTls(material: TlsMaterial): void
  /** Takes no new connections, and lets requests end; those that are not whole after `waitMs` are cut. */
  drain(waitMs: number): Promise<void>
}

const LOOK_MS_MAX = 1_000

/** @throws FlotillaError `unavailable` when the port is taken. */
export async function openServer(options: ServerOptions): Promise<Server> {
  const { clock, groupOf, headMs, host, perAddressMax } = options
  const connections = new Set<Served>()
  const perAddress = new Map<string, number>()
  const shared: ConnectionOptions = {
    clock,
    heads: new AnswerHeads(clock, options.always),
    headMs,
    onTurn: options.onTurn,
    refusalBody: options.refusal.body,
    refusalType: options.refusal.type,
  }

  function add(socket: Socket): void {
    const address = groupOf(socket.remoteAddress ?? '')
    const count = (perAddress.get(address) ?? 0) + 1
    if (count > perAddressMax) {
      socket.destroy()
      return
    }
    perAddress.set(address, count)
    socket.once('close', () => {
      const left = (perAddress.get(address) ?? 1) - 1
      if (left === 0) perAddress.delete(address)
      else perAddress.set(address, left)
    })
    if (tls === undefined) serve(socket, new Connection(socket, plainPeer, shared))
    else tls.take(socket)
  }

  function serve(socket: Socket, connection: Served): void {
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))
  }

  const tls =
    options.tls &&
    createTlsFront(options.tls, headMs, (socket, peer) => {
      const Kind = peer.protocol === 'h2' ? Http2Connection : Connection
      serve(socket, new Kind(socket, peer, shared))
    })
  const server = createServer({ noDelay: true }, add)
  server.maxConnections = options.connectionsMax
  await listen(server, host, options.port)
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
  const lookMs = Math.min(LOOK_MS_MAX, headMs)
  let timer = clock.schedule(lookMs, look)
  function look(): void {
    const nowMs = clock.monotonicMs()
    for (const connection of connections) connection.look(nowMs)
    timer = clock.schedule(lookMs, look)
  }
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    useTls: (material) => tls?.use(material),
    async drain(waitMs) {
      server.close()
      tls?.leave()
      for (const connection of connections) connection.leave()
      const late = clock.schedule(waitMs, () => {
        for (const connection of connections) connection.cutUnasked()
      })
      await closed
      late.cancel()
      timer.cancel()
    },
  }
}
