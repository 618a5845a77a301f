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
 * When none can be opened because the server is not there, an **outage** begins: those who wait go on waiting, each until
 * its own deadline, and one attempt after the other is made, until one succeeds. A refusal that will not pass, such as a
 * wrong password, goes to whoever waits longest instead. A process that is leaving does not wait for a server that may have left
 * before it: everybody is refused at once.
 *
 * @module
 */
import { BoundedQueue } from '../kernel/bounded-queue.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import { FlotillaError, isFlotillaError } from '../kernel/error.ts'
import type { Random } from '../kernel/random.ts'
import { type Call, throwIfOver, watchCall } from './call.ts'
import type { Connection } from './connection.ts'
import { settlesWithin } from './settles-within.ts'

const IDLE_MS_MAX = 30_000
const CLOSE_MS_MAX = 5_000
/** Bounds of the pause between two attempts of an outage: short beside a restart, long beside what an attempt costs. */
const REOPEN_MS_MIN = 50
const REOPEN_MS_MAX = 250

/** Where lines go; a logger of `telemetry/log.ts` fits. */
export interface LogSink {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** What a pool is made of. */
export interface PoolOptions {
  readonly clock: Clock
  readonly random: Random
  /** May reject with `unavailable`, which is expected to pass, or with anything else, which is not. */
  readonly open: () => Promise<Connection>
  /** Connections at most, idle ones included. */
  readonly sizeMax: number
  /** Calls that may wait at the same time. */
  readonly waitingMax: number
  /** True once nobody should wait for a server that is not there. Default never. */
  readonly isLeaving?: (() => boolean) | undefined
  /** Told how long each call waited for its connection, 0 included. */
  readonly onWaited?: ((durationMs: number) => void) | undefined
  /** Told when connecting begins to fail, and when it is over. Default nobody. */
  readonly log?: LogSink | undefined
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

/** From the first failed attempt to connect to the next that succeeds. */
interface Outage {
  readonly sinceMs: number
  readonly error: unknown
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
  #outage: Outage | undefined
  /** Set between two attempts of an outage. */
  #reopenTimer: Timer | undefined
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
   * @throws FlotillaError `unavailable` (too many wait), `deadline_exceeded`, what the server refuses us for, or the
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
    this.#reopenTimer?.cancel()
    this.#refuseAll(refusal('The database is being closed.'))
    for (const { connection } of this.#idle.splice(0)) this.#discard(connection)
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    this.#noticeEmpty()
    if (await settlesWithin(this.#options.clock, empty, CLOSE_MS_MAX)) return
    for (const connection of this.#lent) connection.destroy()
  }

  #refuseAll(error: FlotillaError): void {
    for (let waiter = this.#waiting.shift(); waiter !== undefined; waiter = this.#waiting.shift()) {
      waiter.reject(error)
    }
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
        reject(error.code === 'deadline_exceeded' ? waitedInVain(this.#outage?.error ?? error) : error)
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

  /** As many as wait, as far as there is room; in an outage one, and none between two attempts. */
  #openForWaiters(): void {
    if (this.#reopenTimer !== undefined) return
    const { sizeMax } = this.#options
    const openingMax = this.#outage === undefined ? sizeMax : 1
    const room = Math.min(sizeMax - this.#idle.length - this.#lent.size, openingMax) - this.#opening
    const wanted = this.#waiting.size - this.#opening
    for (let count = Math.min(room, wanted); count > 0; count--) void this.#openOne()
  }

  /** Never rejects: a refusal goes to whoever waits longest, and the next one waiting gets an attempt of its own. */
  async #openOne(): Promise<void> {
    this.#opening++
    try {
      const connection = await this.#options.open()
      connection.onBroken(() => this.#forget(connection))
      this.#opening--
      this.#endOutage()
      this.give(connection)
      this.#openForWaiters()
    } catch (error) {
      this.#opening--
      this.#beginOutage(error)
      const isPassing = isFlotillaError(error) && error.code === 'unavailable'
      if (!isPassing) this.#waiting.shift()?.reject(error)
      else if (this.#options.isLeaving?.() === true) this.#refuseAll(error)
      else this.#reopenLater()
      this.#openForWaiters()
      this.#noticeEmpty()
    }
  }

  #beginOutage(error: unknown): void {
    const { clock, log } = this.#options
    if (this.#outage === undefined) log?.warn('cannot connect to the database', { error })
    this.#outage = { sinceMs: this.#outage?.sinceMs ?? clock.monotonicMs(), error }
  }

  #endOutage(): void {
    if (this.#outage === undefined) return
    const { clock, log } = this.#options
    log?.info('connected to the database again', {
      afterMs: Math.round(clock.monotonicMs() - this.#outage.sinceMs),
    })
    this.#outage = undefined
  }

  #reopenLater(): void {
    if (this.#closed !== undefined || this.#reopenTimer !== undefined) return
    const { clock, random } = this.#options
    // Jitter, so that the services of a fleet do not ask a server that is starting up all at the same moment.
    const pauseMs = REOPEN_MS_MIN + random.next() * (REOPEN_MS_MAX - REOPEN_MS_MIN)
    this.#reopenTimer = clock.schedule(pauseMs, () => {
      this.#reopenTimer = undefined
      this.#openForWaiters()
    })
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

function waitedInVain(cause: unknown): FlotillaError {
  const message = 'No connection to the database came free before the deadline.'
  return new FlotillaError('deadline_exceeded', message, { executed: 'no', cause })
}
