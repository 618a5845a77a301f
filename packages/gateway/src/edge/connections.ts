/**
 * The connections of the public server: how many one address may have, and when the gateway no longer waits for their clients.
 *
 * Node's server bounds the time that a request may take to come; who does not read an answer, and who is in the middle of a request
 * when the server closes, it would wait for without an end.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock, Timer } from '@flotilla/core/clock'

const LOOK_EVERY_MS = 1_000

/** What it takes. */
export interface ConnectionsOptions {
  readonly clock: Clock
  /** Connections at once of what counts as one address. */
  readonly perAddressMax: number
  /** Milliseconds in which some of an answer that waits must have been taken. */
  readonly unreadMs: number
  /** What counts as one address. */
  readonly groupOf: (remoteAddress: string) => string
}

/** What waits to be read on a connection, as last looked at. */
interface Unread {
  /** Bytes that have left us. */
  readonly sent: number
  readonly sinceMs: number
}

/** All connections that are open. */
export class Connections {
  readonly #options: ConnectionsOptions
  readonly #sockets = new Set<Socket>()
  readonly #perAddress = new Map<string, number>()
  readonly #unread = new WeakMap<Socket, Unread>()
  #timer: Timer | undefined

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Looks after them from now on, until `close`. */
  watch(): void {
    this.#timer = this.#options.clock.schedule(LOOK_EVERY_MS, () => {
      this.#cutUnread()
      this.watch()
    })
  }

  close(): void {
    this.#timer?.cancel()
  }

  /** Takes a new one, or cuts it, when its address has enough. */
  add(socket: Socket): void {
    const address = this.#options.groupOf(socket.remoteAddress ?? '')
    const count = (this.#perAddress.get(address) ?? 0) + 1
    if (count > this.#options.perAddressMax) {
      socket.destroy()
      return
    }
    this.#perAddress.set(address, count)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      const left = (this.#perAddress.get(address) ?? 1) - 1
      if (left === 0) this.#perAddress.delete(address)
      else this.#perAddress.set(address, left)
    })
  }

  /** Cuts those that have not brought a whole request; `latestOf` gives the answer to the last that they did bring. */
  cutUnasked(latestOf: (socket: Socket) => ServerResponse | undefined): void {
    for (const socket of this.#sockets) {
      const outgoing = latestOf(socket)
      if (outgoing === undefined || outgoing.destroyed || !outgoing.req.complete) socket.destroy()
    }
  }

  /** Cuts those on which an answer waits and nothing of it was taken, whatever their clients send meanwhile. */
  #cutUnread(): void {
    const { clock, unreadMs } = this.#options
    const nowMs = clock.monotonicMs()
    for (const socket of this.#sockets) {
      const sent = socket.bytesWritten - socket.writableLength
      const before = this.#unread.get(socket)
      if (socket.writableLength === 0) this.#unread.delete(socket)
      else if (before?.sent !== sent) this.#unread.set(socket, { sent, sinceMs: nowMs })
      else if (nowMs - before.sinceMs >= unreadMs) socket.destroy()
    }
  }
}
