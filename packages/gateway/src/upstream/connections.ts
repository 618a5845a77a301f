/**
 * The connections to one foreign server: those that are free, and who waits for one.
 *
 * The one that was used last is taken first, so that those that are not needed end by themselves.
 *
 * @module
 */
import { BoundedQueue } from '@flotilla/core/bounded-queue'
import { FlotillaError } from '@flotilla/core/error'
import { Timed } from '@flotilla/core/timer-wheel'
import { ClientConnection, type ClientOptions, type ConnectionOwner } from './client-connection.ts'
import type { Outgoing, Place } from './outgoing.ts'

const WAITING_MAX = 1_024
/** Who waits longer for a connection would hardly get an answer in time. */
const WAIT_MS_MAX = 5_000

/** What they take. */
export interface ConnectionsOptions extends ClientOptions {
  /** At once. */
  readonly connectionsMax: number
}

/** The connections. */
export class Connections implements ConnectionOwner {
  readonly #options: ConnectionsOptions
  readonly #all = new Set<ClientConnection>()
  readonly #free: ClientConnection[] = []
  readonly #waiting = new BoundedQueue<Waiting>(WAITING_MAX)
  #isClosing = false
  #isDestroyed = false

  constructor(options: ConnectionsOptions) {
    this.#options = options
  }

  /** Makes a request, as soon as there is a connection for it. */
  ask(outgoing: Outgoing): void {
    for (let free = this.#free.pop(); free !== undefined; free = this.#free.pop())
      if (free.isUsable) return free.ask(outgoing)
    if (this.#isDestroyed) outgoing.fail(leaving())
    else if (this.#all.size < this.#options.connectionsMax) this.#open(outgoing)
    else this.#wait(outgoing)
  }

  /** Lets requests end, and closes. */
  close(): void {
    this.#isClosing = true
    for (const connection of this.#free.splice(0)) connection.close()
  }

  /** Cuts what is on its way. */
  destroy(): void {
    this.#isDestroyed = true
    for (let waiting = this.#shift(); waiting !== undefined; waiting = this.#shift()) waiting.fail(leaving())
    for (const connection of this.#all) connection.destroy()
  }

  freed(connection: ClientConnection): void {
    const next = this.#shift()
    if (next !== undefined) connection.ask(next)
    else if (this.#isClosing) connection.close()
    else this.#free.push(connection)
  }

  gone(connection: ClientConnection): void {
    this.#all.delete(connection)
    const index = this.#free.indexOf(connection)
    if (index >= 0) this.#free.splice(index, 1)
    const next = this.#isDestroyed ? undefined : this.#shift()
    if (next !== undefined) this.#open(next)
  }

  #open(outgoing: Outgoing): void {
    this.#all.add(new ClientConnection(this, this.#options, outgoing))
  }

  #wait(outgoing: Outgoing): void {
    const { clock, wheel, timeoutMs } = this.#options
    const waiting = new Waiting(outgoing, () => {
      wheel.remove(waiting)
      this.#waiting.remove(waiting)
    })
    if (!this.#waiting.push(waiting)) return outgoing.fail(busy())
    outgoing.place = waiting
    const nowMs = clock.monotonicMs()
    wheel.add(waiting, nowMs + Math.min(WAIT_MS_MAX, timeoutMs), nowMs)
  }

  #shift(): Outgoing | undefined {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) this.#options.wheel.remove(waiting)
    return waiting?.outgoing
  }
}

/** A request that has no connection yet. */
class Waiting extends Timed implements Place {
  readonly outgoing: Outgoing
  readonly #leave: () => void

  constructor(outgoing: Outgoing, leave: () => void) {
    super()
    this.outgoing = outgoing
    this.#leave = leave
  }

  drop(): void {
    this.outgoing.place = undefined
    this.#leave()
  }

  resume(): void {
    // Nothing has come.
  }

  override expire(): void {
    this.drop()
    this.outgoing.fail(busy())
  }
}

function busy(): FlotillaError {
  return new FlotillaError('unavailable', 'All connections to the server behind this route are in use.', {
    executed: 'no',
    isOverloaded: true,
  })
}

function leaving(): FlotillaError {
  return new FlotillaError('unavailable', 'The gateway leaves.', { executed: 'no' })
}
