/**
 * One connection to PostgreSQL: runs statements in the order given, knows whether something still runs, and can have
 * the server stop it.
 *
 * @module
 */
import pg from 'pg'
import type { Clock } from '../kernel/clock.ts'
import { FlotillaError } from '../kernel/error.ts'
import { sendCancelRequest } from './cancel-request.ts'
import { parseDatabaseUrl } from './database-url.ts'
import { ConnectionLost, fromDriver, isLastWord, sqlFailureOf } from './pg-errors.ts'
import { rowTypes } from './row-types.ts'
import { type Result, type Statement, WireQuery } from './statement.ts'

/** Where to connect, and as whom. */
export interface ConnectionOptions {
  /** `postgres://user:password@host:port/database`, with libpq's parameters. */
  readonly url: string
  /** Shown in `pg_stat_activity`: the service's name. */
  readonly name: string
  /** Server settings for this connection, over those of `sessionSettings`. Default none. */
  readonly settings?: Readonly<Record<string, string>>
}

const CONNECT_TIMEOUT_MS = 5_000

/** Every connection's settings. */
const sessionSettings: Readonly<Record<string, string>> = {
  // row-types.ts reads times in this form only.
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  // A process that vanishes without a word must not leave its statements running: look for the client every second.
  client_connection_check_interval: '1s',
  // The same for open transactions, whose locks stop others: longer than any deadline of a request.
  idle_in_transaction_session_timeout: '15s',
}

/** The driver's fields that its published types leave out. */
interface ClientInside {
  readonly processID: number
  readonly secretKey: number
}

/** An open connection. */
export class Connection {
  readonly #client: pg.Client
  readonly #prepared = new Set<string>()
  #running = 0
  #isBroken = false
  #onIdle: (() => void) | undefined
  #onBroken: (() => void) | undefined

  private constructor(client: pg.Client) {
    this.#client = client
    client.on('error', () => this.#breakDown())
    client.on('end', () => this.#breakDown())
  }

  /** @throws FlotillaError `unavailable` (the server is not there, or full), `internal` (it refuses us). */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const client = new pg.Client({
      connectionString: withSettings(options),
      application_name: options.name,
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      types: rowTypes,
    })
    const connection = new Connection(client)
    try {
      await client.connect()
    } catch (error) {
      connection.destroy()
      throw fromDriver(error, 'no')
    }
    return connection
  }

  /** True once it cannot be used any more. */
  get isBroken(): boolean {
    return this.#isBroken
  }

  /** True while an answer is outstanding. */
  get isBusy(): boolean {
    return this.#running > 0
  }

  /** Called once when it breaks; a second call replaces the first. */
  onBroken(listener: () => void): void {
    this.#onBroken = listener
  }

  /** Called with the payload of every notification on the channels it listens to. */
  onNotification(listener: (payload: string) => void): void {
    this.#client.on('notification', ({ payload = '' }) => listener(payload))
  }

  /**
   * Runs one statement after those sent before it, without waiting for their answers.
   *
   * @throws FlotillaError as `pg-errors.ts` says.
   */
  async run(statement: Statement): Promise<Result> {
    if (this.#isBroken) {
      throw new FlotillaError('unavailable', 'The connection to the database is lost.', {
        executed: 'no',
        cause: new ConnectionLost('The connection was gone before.'),
      })
    }
    const { opening = [], name } = statement
    let unanswered = 0
    try {
      const result = await this.#send(statement, (query) => {
        unanswered = query.unanswered
      })
      for (const before of opening) if (before.name !== undefined) this.#prepared.add(before.name)
      if (name !== undefined) this.#prepared.add(name)
      return result
    } catch (cause) {
      const failed = opening[opening.length - unanswered] ?? statement
      const error = fromDriver(cause, 'maybe', failed.text)
      // The end of the stream comes later, too late for a call that would be lent this connection until then.
      if (isLastWord(error)) this.#breakDown()
      if (failed.name !== undefined && sqlFailureOf(error)?.isStalePlan) this.#prepared.delete(failed.name)
      if (failed !== statement) statement.onOpeningFailed?.(error)
      throw error
    }
  }

  /** Resolves when no answer is outstanding. For one waiter at a time. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#running === 0) resolve()
      else this.#onIdle = resolve
    })
  }

  /**
   * Has the server stop what this connection runs. True when the server has done so: from then on this request
   * cannot hit a later statement any more.
   */
  requestCancel(clock: Clock): Promise<boolean> {
    // The driver keeps them, and its types do not tell.
    const { processID, secretKey } = this.#client as unknown as ClientInside
    const { remoteAddress, remotePort } = this.#client.connection.stream as {
      remoteAddress?: string
      remotePort?: number
    }
    const { host, port } = this.#client
    // By address, not by name: a name may lead to several servers, and only this one knows the process.
    const address =
      remoteAddress === undefined || remotePort === undefined
        ? { path: `${host}/.s.PGSQL.${port}` }
        : { host: remoteAddress, port: remotePort }
    return sendCancelRequest(clock, address, processID, secretKey)
  }

  /** For crash points: breaks it off when the server answers next, without the answer having been read. */
  loseReply(): void {
    const { stream } = this.#client.connection
    stream.removeAllListeners('data')
    stream.once('data', () => stream.destroy())
  }

  /** Breaks it off at once; what runs fails with `unavailable`. */
  destroy(): void {
    this.#isBroken = true
    this.#client.connection.stream.destroy()
  }

  /** Says goodbye to the server. */
  async close(): Promise<void> {
    this.#isBroken = true
    await this.#client.end()
  }

  #breakDown(): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#onBroken?.()
  }

  #send(statement: Statement, onFailed: (query: WireQuery) => void): Promise<Result> {
    this.#running++
    return new Promise((resolve, reject) => {
      const query = new WireQuery(statement, this.#prepared, (error, result) => {
        this.#running--
        if (error) {
          onFailed(query)
          reject(error)
        } else resolve(result)
        if (this.#running > 0) return
        this.#onIdle?.()
        this.#onIdle = undefined
      })
      this.#client.query(query)
    })
  }
}

function withSettings(options: ConnectionOptions): string {
  const url = parseDatabaseUrl(options.url)
  const settings = { ...sessionSettings, ...options.settings }
  const words = Object.entries(settings).map(([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`)
  url.searchParams.set('options', [url.searchParams.get('options') ?? '', ...words].join(' ').trim())
  return url.href
}
