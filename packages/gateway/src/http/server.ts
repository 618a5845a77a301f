/**
 * The server of HTTP/1.1 that faces the world: its own, because it is what this gateway is for. It reads by the grammar and nothing
 * beyond it, one request of a connection at a time, and costs half of what Node's costs (docs/decisions/0027-http-server.md).
 *
 * @module
 */
import { createServer, type Socket } from 'node:net'
import type { Clock } from '@flotilla/core/clock'
import { listen } from '@flotilla/core/http-server'
import { AnswerHeads } from './answer-head.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
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
  readonly onTurn: (turn: Turn) => void
  /** What is answered where there is no request to answer. */
  readonly refusal: { readonly type: string; readonly body: (status: number) => string }
}

/** The listening server. */
export interface Server {
  readonly port: number
  /** Takes no new connections, and lets requests end; those that are not whole after `waitMs` are cut. */
  drain(waitMs: number): Promise<void>
}

const LOOK_MS_MAX = 1_000

/** @throws FlotillaError `unavailable` when the port is taken. */
export async function openServer(options: ServerOptions): Promise<Server> {
  const { clock, groupOf, headMs, host, perAddressMax } = options
  const connections = new Set<Connection>()
  const perAddress = new Map<string, number>()
  const shared: ConnectionOptions = {
    clock,
    heads: new AnswerHeads(clock),
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
    const connection = new Connection(socket, shared)
    connections.add(connection)
    socket.once('close', () => {
      connections.delete(connection)
      const left = (perAddress.get(address) ?? 1) - 1
      if (left === 0) perAddress.delete(address)
      else perAddress.set(address, left)
    })
  }

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
    async drain(waitMs) {
      server.close()
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
