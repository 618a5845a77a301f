/**
 * Being woken by others who use the same database: PostgreSQL's NOTIFY.
 *
 * A notification is a wake-up, never the news itself: it is lost while the connection is down. So whoever listens looks for
 * itself when woken, is woken after every connecting, and also looks now and then unasked, since a connection
 * can be dead for a while before anybody notices.
 *
 * To notify, run `select pg_notify(channel, payload)` *after* the commit that made the news, in a statement of its own, and
 * not once per transaction: the commit of a transaction that notifies holds a lock of the whole server, fsync included.
 *
 * @module
 */
import type { Clock } from '../kernel/clock.ts'
import type { Random } from '../kernel/random.ts'
import type { Connection } from './connection.ts'
import type { LogSink } from './pool.ts'
import { settlesWithin } from './settles-within.ts'
import { sql } from './sql.ts'

/** Told of a notification, with its payload; undefined after connecting: others may have been missed. Must not throw. */
export type OnNotify = (payload: string | undefined) => void

/** What listening takes. */
export interface ListenOptions {
  readonly clock: Clock
  readonly random: Random
  readonly open: () => Promise<Connection>
  readonly channel: string
  readonly onNotify: OnNotify
  /** Told of outages. Default nobody. */
  readonly log?: LogSink | undefined
}

/** Bounds of the pause between two attempts to connect. */
const REOPEN_MS_MIN = 50
const REOPEN_MS_MAX = 250
/** How long closing waits for an attempt to connect; it ends by itself, and closes what it opened. */
const CLOSE_MS_MAX = 1_000

/** Listens on a connection of its own, which is opened again whenever it breaks, until closed. */
export class Listener {
  readonly #options: ListenOptions
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #connection: Connection | undefined

  constructor(options: ListenOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** From here on nobody is told any more. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#connection?.destroy()
    await settlesWithin(this.#options.clock, this.#running, CLOSE_MS_MAX)
  }

  async #run(): Promise<void> {
    const { clock, random, channel, log } = this.#options
    const { signal } = this.#stop
    let isOutage = false
    while (!signal.aborted) {
      try {
        await this.#listen(() => {
          if (isOutage) log?.info('listening to the database again', { channel })
          isOutage = false
        })
      } catch (error) {
        if (!isOutage && !signal.aborted) log?.warn('cannot listen to the database', { channel, error })
        isOutage = true
      }
      // Jitter, so that the services of a fleet do not ask a server that is starting up all at the same moment.
      const pauseMs = REOPEN_MS_MIN + random.next() * (REOPEN_MS_MAX - REOPEN_MS_MIN)
      await clock.sleep(pauseMs, signal).catch(() => {
        // Closed meanwhile: the loop looks for itself.
      })
    }
  }

  /** One connection's life: resolves when it broke or listening is closed, rejects when it could not begin. */
  async #listen(onListening: () => void): Promise<void> {
    const { open, channel, onNotify } = this.#options
    const { signal } = this.#stop
    const connection = await open()
    try {
      if (signal.aborted) return
      this.#connection = connection
      const over = new Promise<void>((resolve) => {
        connection.onBroken(resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
      connection.onNotification((payload) => {
        if (!signal.aborted) onNotify(payload)
      })
      await connection.run(sql`listen ${sql.identifier(channel)}`)
      if (signal.aborted) return
      onListening()
      onNotify(undefined)
      await over
    } finally {
      connection.destroy()
    }
  }
}
