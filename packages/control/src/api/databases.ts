/**
 * The platform's own tables in the databases of services, for people who look and mend.
 *
 * @module
 */

import type { Timer } from '@flotilla/core/clock'
import { codes } from '@flotilla/core/code'
import type { CallContext, Ports } from '@flotilla/core/context'
import { type Database, openDatabase } from '@flotilla/core/database'
import { type FlotillaError, isFlotillaError } from '@flotilla/core/error'
import type { Session } from '@flotilla/core/session'

/** On whose behalf: an operation that has the reason `no_service`. */
export interface AdminContext extends CallContext {
  fail(reason: 'no_service', detail: string): FlotillaError
}

/** One that is away must not take the time of those that are there: a pool goes on connecting until the call is over. */
const EACH_MS_MAX = 2_000
/** To one of them; further questions wait. */
const CONNECTIONS_MAX = 2

/** What a session needs of a call. */
type Call = Pick<CallContext, 'deadlineMs' | 'cancellation' | 'trace'>

/** One that is open. */
interface Open {
  readonly database: Database
  /** Questions that are under way. */
  users: number
  /** Closes it, unless somebody asks before. */
  timer: Timer | undefined
}

/** Databases of services. They are closed once nobody asks: nothing stays connected for what is seldom asked. */
export class ServiceDatabases {
  readonly #urls: Readonly<Record<string, string>>
  readonly #ports: Ports
  readonly #keptMs: number
  readonly #open = new Map<string, Open>()

  /**
   * @param urls by service; those without a database are left out.
   * @param keptMs so long they stay open after the last question, for the next one. Default 0.
   */
  constructor(urls: Readonly<Record<string, string>>, ports: Ports, keptMs = 0) {
    this.#urls = urls
    this.#ports = ports
    this.#keptMs = keptMs
  }

  /** Closes those that are open. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((url) => this.#close(url)))
  }

  /** Names of the services that have one. */
  get services(): readonly string[] {
    return Object.keys(this.#urls)
  }

  /**
   * Does `work` in the database of a service.
   *
   * @throws FlotillaError with reason `no_service` when it has none; `unavailable` when it cannot be reached.
   */
  async with<T>(service: string, ctx: AdminContext, work: (session: Session) => Promise<T>): Promise<T> {
    const url = Object.hasOwn(this.#urls, service) ? this.#urls[service] : undefined
    if (url === undefined) throw ctx.fail('no_service', `There is no service ${service} with a database.`)
    return await this.#in(url, ctx, work)
  }

  /** Does `work` in all of them beside each other; those that cannot be reached, or have not done it within two seconds, are left out. */
  async inEach<T>(ctx: CallContext, work: (session: Session) => Promise<T>): Promise<ReadonlyMap<string, T>> {
    const { cancellation, trace } = ctx
    const call = {
      cancellation,
      trace,
      deadlineMs: Math.min(ctx.deadlineMs, this.#ports.clock.monotonicMs() + EACH_MS_MAX),
    }
    const found = await Promise.all(
      Object.entries(this.#urls).map(async ([service, url]): Promise<readonly (readonly [string, T])[]> => {
        try {
          return [[service, await this.#in(url, call, work)]]
        } catch (error) {
          if (isFlotillaError(error) && codes[error.code].isTransient) return []
          throw error
        }
      }),
    )
    return new Map(found.flat())
  }

  async #in<T>(url: string, call: Call, work: (session: Session) => Promise<T>): Promise<T> {
    const kept = this.#open.get(url) ?? {
      database: openDatabase({ url, name: 'control', ports: this.#ports, poolMax: CONNECTIONS_MAX }),
      users: 0,
      timer: undefined,
    }
    this.#open.set(url, kept)
    kept.timer?.cancel()
    kept.users++
    try {
      return await work(kept.database.session(call))
    } finally {
      kept.users--
      const isLast = kept.users === 0 && this.#open.get(url) === kept
      if (isLast && this.#keptMs === 0) await this.#close(url)
      else if (isLast) kept.timer = this.#ports.clock.schedule(this.#keptMs, () => void this.#close(url))
    }
  }

  async #close(url: string): Promise<void> {
    const kept = this.#open.get(url)
    this.#open.delete(url)
    kept?.timer?.cancel()
    await kept?.database.close()
  }
}
