/**
 * A service's own database.
 *
 * @module
 */

import { Cancellation } from '../kernel/cancellation.ts'
import type { Ports } from '../kernel/context.ts'
import type { Call } from './call.ts'
import { Connection } from './connection.ts'
import { Hold, type OnStatement } from './hold.ts'
import { Listener, type OnNotify } from './listen.ts'
import { type LogSink, Pool, type PoolStats } from './pool.ts'
import { CallSession, type Session } from './session.ts'

/** Where durations go; a histogram cell of `telemetry/metrics.ts` fits. */
export interface DurationSink {
  observe(durationMs: number): void
}

/** What a database is made of. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:port/database`, with libpq's parameters. */
  readonly url: string
  /** The service's name, shown in `pg_stat_activity`. */
  readonly name: string
  readonly ports: Pick<Ports, 'clock' | 'random'>
  /** Connections at most. Default 10. */
  readonly poolMax?: number
  /** Calls that may wait for a connection at the same time. Default 1000: it is the service's own bound that sheds load. */
  readonly waitingMax?: number
  /** True once nobody should wait for a server that is not there: the process is leaving. Default never. */
  readonly isLeaving?: () => boolean
  /** Told how long calls waited for a connection. Default nobody. */
  readonly waitDuration?: DurationSink
  /** Told of the statements of calls that are part of a trace. Default nobody. */
  readonly onStatement?: OnStatement | undefined
  /** Told of outages, and of actions after a commit that failed. Default nobody. */
  readonly log?: LogSink
}

const WARM_MS_MAX = 10_000
/**
 * More than one service lets in at once, each with a few statements side by side: a call that was let in is not refused
 * halfway, after it has cost something, for the sake of one that has not begun.
 */
const WAITING_MAX = 1_000

/** A database that was opened. */
export interface Database extends AsyncDisposable {
  /** The database on behalf of one call; costs nothing until used. */
  session(call: Call): Session
  /**
   * Makes the first connection, so that the first call does not wait for it.
   *
   * @throws FlotillaError `deadline_exceeded` when the server is not there within 10 s; `internal` when it refuses us.
   */
  warm(): Promise<void>
  stats(): PoolStats
  /**
   * Is told of notifications on `channel`, on a connection beside the pool that is opened again whenever it breaks, until
   * the database or what this gives is closed.
   */
  listen(channel: string, onNotify: OnNotify): Listener
  /** Refuses new calls, waits up to 5 s for those that run, then breaks them off. */
  close(): Promise<void>
}

class PooledDatabase implements Database {
  readonly #options: DatabaseOptions
  readonly #pool: Pool
  readonly #listeners = new Set<Listener>()

  constructor(options: DatabaseOptions) {
    const { url, name, ports, poolMax = 10, waitDuration } = options
    this.#options = options
    this.#pool = new Pool({
      ...ports,
      log: options.log,
      isLeaving: options.isLeaving,
      open: () => Connection.open({ url, name }),
      sizeMax: poolMax,
      waitingMax: options.waitingMax ?? WAITING_MAX,
      onWaited: waitDuration && ((durationMs) => waitDuration.observe(durationMs)),
    })
  }

  session(call: Call): Session {
    const { ports, log } = this.#options
    return new CallSession({ ports, call, hold: (holder) => this.#hold(holder), log })
  }

  async warm(): Promise<void> {
    const deadlineMs = this.#options.ports.clock.monotonicMs() + WARM_MS_MAX
    this.#pool.give(await this.#pool.take({ deadlineMs, cancellation: new Cancellation() }))
  }

  stats(): PoolStats {
    return this.#pool.stats()
  }

  listen(channel: string, onNotify: OnNotify): Listener {
    const { url, name, ports, log } = this.#options
    const open = (): Promise<Connection> => Connection.open({ url, name })
    const listener = new Listener({ ...ports, open, channel, onNotify, log })
    this.#listeners.add(listener)
    return listener
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.close(), ...[...this.#listeners].map((listener) => listener.close())])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #hold(call: Call): Promise<Hold> {
    const pool = this.#pool
    const connection = await pool.take(call)
    const { ports, onStatement } = this.#options
    return new Hold({ clock: ports.clock, call, connection, giveBack: (it) => pool.give(it), onStatement })
  }
}

/** Opens a service's database; nothing is sent before it is used. */
export function openDatabase(options: DatabaseOptions): Database {
  return new PooledDatabase(options)
}
