/**
 * The answering side of frames: listens, drains, closes. What happens on a connection is in `answering-connection.ts`.
 *
 * @module
 */
import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { FlotillaError } from '../../kernel/error.ts'
import { type Address, formatAddress } from '../wire.ts'
import { AnsweringConnection, type AnsweringOptions } from './answering-connection.ts'

/** What a server needs. */
export interface FramesServerOptions extends AnsweringOptions {
  readonly address: Address
}

/** A listening server. */
export interface FramesServer {
  /** With the port the system chose, when port 0 was asked for. */
  readonly address: Address
  /** Calls being answered now. */
  readonly inFlight: number
  /** Says goodbye to every caller and waits until each has taken its last answer; stops listening. */
  drain(): Promise<void>
  /** Ends every connection at once. */
  close(): Promise<void>
}

/** @throws FlotillaError `unavailable` when it cannot listen there. */
export async function openFramesServer(options: FramesServerOptions): Promise<FramesServer> {
  const connections = new Set<AnsweringConnection>()
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = new AnsweringConnection(socket, options)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  })
  if (options.address.kind === 'unix') await removeDeadSocket(options.address.path)
  await listen(server, options.address)
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()))
  return {
    address: boundAddress(server, options.address),
    get inFlight() {
      let inFlight = 0
      for (const connection of connections) inFlight += connection.inFlight
      return inFlight
    },
    async drain() {
      server.close()
      for (const connection of connections) connection.sayGoodbye()
      await closed
    },
    async close() {
      server.close()
      for (const connection of connections) connection.destroy()
      await closed
    },
  }
}

function listen(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new FlotillaError('unavailable', `Cannot listen on ${formatAddress(address)}: ${cause.message}`, {
          cause,
        }),
      )
    })
    server.listen(address.kind === 'unix' ? { path: address.path } : address, () => resolve())
  })
}

/** A process that was killed leaves its socket file behind; one that nobody listens on may go. */
function removeDeadSocket(path: string): Promise<void> {
  return new Promise((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve()
    })
    probe.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') rmSync(path, { force: true })
      resolve()
    })
  })
}

function boundAddress(server: Server, asked: Address): Address {
  const bound = server.address()
  if (asked.kind === 'unix' || bound === null || typeof bound === 'string') return asked
  return { ...asked, port: bound.port }
}
