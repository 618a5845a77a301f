/**
 * A few connections shared by many calls.
 *
 * Our own instead of `pg.Pool`, whose queue has no bound and whose waits have one time-out for all: here a call waits
 * until *its* deadline, gives up when it is canceled, and is refused at once when too many wait already.
 *
 * A connection is idle, lent, or being opened. The one used last is lent first, so that what a quiet service does not
 * need grows old: an idle connection is closed after 30 s, but for the last one. While calls wait, nothing is
 * idle. A connection is opened for the pool, not for a call: whoever waits longest gets it.
 *
 * @module
 */
import { BoundedQueue } from '../kernel/bounded-queue.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { FlotillaError } from '../kernel/error.ts'
import { type Call, throwIfOver, watchCall } from './call.ts'
import type { Connection } from './connection.ts'
import { settlesWithin } from './settles-within.ts'

const IDLE_MS_MAX = 30_000
const CLOSE_MS_MAX = 5_000

/** What a pool is made of. */
export interface PoolOptions {
  readonly clock: Clock
  readonly open: () => Promise<Connection>
  /** Connections at most, idle ones included. */
  readonly sizeMax: number
  /** Calls that may wait at the same time. */
  readonly waitingMax: number
  /** Told how long each call waited for its connection, 0 included. */
  readonly onWaited?: ((durationMs: number) => void) | undefined
}

/** A look inside. */
export interface PoolStats {
  /** Connections in all: lent, idle or being opened. */
  readonly total: number
  readonly idle: number
  /** Calls that wait for a connection. */
  readonly waiting: number
}

interface Waiter {
  readonly resolve: (connection: Connection) => void
  readonly reject: (error: unknown) => void
}

interface Idle {
  readonly connection: Connection
  readonly sinceMs: number
}

/** Lends connections. */
export class Pool {
  readonly #options: PoolOptions
  readonly #waiting: BoundedQueue<Waiter>
  /** The one used last stands last. */
  #idle: Idle[] = []
  readonly #lent = new Set<Connection>()
  #opening = 0
  #leaving = 0
  #trimTimer: Timer | undefined
  #closed: Promise<void> | undefined
  #onEmpty: (() => void) | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    this.#waiting = new BoundedQueue(options.waitingMax)
  }

  stats(): PoolStats {
    return {
      total: this.#idle.length + this.#lent.size + this.#opening,
      idle: this.#idle.length,
      waiting: this.#waiting.size,
    }
  }

  /**
   * Lends a connection; give it back with `give`.
   *
   * @throws FlotillaError `unavailable` (too many wait, or no connection can be opened), `deadline_exceeded` or the
   *   call's own error; always with `executed: 'no'` but for the last.
   */
  async take(call: Call): Promise<Connection> {
    const { clock, onWaited } = this.#options
    throwIfOver(clock, call, 'no')
    if (this.#closed !== undefined) throw refusal('The database is closed.')
    const idle = this.#idle.pop()
    if (idle !== undefined) {
      onWaited?.(0)
      return this.#lend(idle.connection)
    }
    const fromMs = clock.monotonicMs()
    try {
      return await this.#wait(call)
    } finally {
      onWaited?.(clock.monotonicMs() - fromMs)
    }
  }

  /** Takes a connection back; nothing may run on it. A broken one is dropped. */
  give(connection: Connection): void {
    this.#lent.delete(connection)
    if (this.#closed !== undefined) this.#discard(connection)
    else if (connection.isBroken) this.#openForWaiters()
    else this.#lendOn(connection)
  }

  /** Refuses new calls and those that wait, lets lent connections come back for up to 5 s, then breaks them off. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#trimTimer?.cancel()
    for (let waiter = this.#waiting.shift(); waiter !== undefined; waiter = this.#waiting.shift()) {
      waiter.reject(refusal('The database is being closed.'))
    }
    for (const { connection } of this.#idle.splice(0)) this.#discard(connection)
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    this.#noticeEmpty()
    if (await settlesWithin(this.#options.clock, empty, CLOSE_MS_MAX)) return
    for (const connection of this.#lent) connection.destroy()
  }

  #wait(call: Call): Promise<Connection> {
    return new Promise((resolve, reject) => {
      let unwatch = (): void => {}
      const waiter: Waiter = {
        resolve: (connection) => {
          unwatch()
          resolve(connection)
        },
        reject: (error) => {
          unwatch()
          reject(error)
        },
      }
      if (!this.#waiting.push(waiter)) {
        return reject(refusal('The pool is full: too many calls wait for the database.'))
      }
      unwatch = watchCall(this.#options.clock, call, (error) => {
        this.#waiting.remove(waiter)
        reject(error.code === 'deadline_exceeded' ? waitedInVain(error) : error)
      })
      this.#openForWaiters()
    })
  }

  #lendOn(connection: Connection): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      this.#idle.push({ connection, sinceMs: this.#options.clock.monotonicMs() })
      this.#trimLater()
    } else waiter.resolve(this.#lend(connection))
  }

  #lend(connection: Connection): Connection {
    this.#lent.add(connection)
    return connection
  }

  /** As many as wait, as far as there is room. */
  #openForWaiters(): void {
    const { sizeMax } = this.#options
    const room = sizeMax - this.#idle.length - this.#lent.size - this.#opening
    const wanted = this.#waiting.size - this.#opening
    for (let count = Math.min(room, wanted); count > 0; count--) void this.#openOne()
  }

  /** Never rejects: a failure goes to whoever waits longest, and the next one waiting gets an attempt of its own. */
  async #openOne(): Promise<void> {
    this.#opening++
    try {
      const connection = await this.#options.open()
      connection.onBroken(() => this.#forget(connection))
      this.#opening--
      this.give(connection)
    } catch (error) {
      this.#opening--
      this.#waiting.shift()?.reject(error)
      this.#openForWaiters()
      this.#noticeEmpty()
    }
  }

  #forget(connection: Connection): void {
    this.#idle = this.#idle.filter((idle) => idle.connection !== connection)
  }

  #trimLater(): void {
    const oldest = this.#idle[0]
    if (this.#trimTimer !== undefined || oldest === undefined || this.#idle.length < 2) return
    const { clock } = this.#options
    this.#trimTimer = clock.schedule(oldest.sinceMs + IDLE_MS_MAX - clock.monotonicMs(), () => {
      this.#trimTimer = undefined
      this.#trim(clock.monotonicMs() - IDLE_MS_MAX)
    })
  }

  #trim(sinceMsMax: number): void {
    while (this.#idle.length > 1 && (this.#idle[0] as Idle).sinceMs <= sinceMsMax) {
      const oldest = this.#idle.shift()
      if (oldest) this.#discard(oldest.connection)
    }
    this.#trimLater()
  }

  /** Says goodbye; a connection that is already gone has what it wants. */
  #discard(connection: Connection): void {
    this.#leaving++
    const gone = (): void => {
      this.#leaving--
      this.#noticeEmpty()
    }
    connection.close().then(gone, gone)
  }

  #noticeEmpty(): void {
    if (this.#lent.size + this.#opening + this.#leaving === 0) this.#onEmpty?.()
  }
}

function refusal(message: string): FlotillaError {
  return new FlotillaError('unavailable', message, { executed: 'no' })
}

function waitedInVain(cause: FlotillaError): FlotillaError {
  const message = 'No connection to the database came free before the deadline.'
  return new FlotillaError('deadline_exceeded', message, { executed: 'no', cause })
}
