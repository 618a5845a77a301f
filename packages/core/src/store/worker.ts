/**
 * Who of the instances of a service is alive, as its own database sees it: the one answer to "may I take over what that
 * one has begun?" for everything that instances share out among themselves.
 *
 * An instance is one worker: a row in `flotilla.worker` with a lease of 2 s, renewed every 500 ms by the database's clock.
 *
 * - **alive**: the lease has not ended. What a row elsewhere says the worker owns (`owner`), nobody else touches.
 * - **dead**: the lease is over, or the row is gone: at once when the worker was closed, after 2 s when its process was
 *   killed, stopped or cut off. Whoever is alive takes over what it owned, which draws a new `fencing` number.
 * - **alive again**: a worker that was only slow renews its lease, or inserts its row anew. It learns that it lost
 *   something from the fencing number, which is checked wherever something is written on the strength of ownership, in the
 *   same transaction. So a lease is never what safety rests on; it only keeps two from doing the same work.
 *
 * The row also names the groups that the worker is in, so that what a group shares out is shared among those who take part.
 *
 * After a crash of the database the table is empty: all are dead until they have come back, within a second.
 *
 * @module
 */
import { Cancellation } from '../kernel/cancellation.ts'
import type { Closing } from '../kernel/closing.ts'
import type { Ports } from '../kernel/context.ts'
import type { Database } from './database.ts'
import type { LogSink } from './pool.ts'
import type { Session } from './session.ts'
import { type Sql, sql } from './sql.ts'

const LEASE_MS = 2_000
const RENEW_MS = 500
/** A renewal that hangs is given up in time for a second one within the lease. */
const RENEW_MS_MAX = 700
const RETRY_MS = 100
const FIRST_MS_MAX = 10_000
const GOODBYE_MS_MAX = 1_000
/** Rows of the dead are of use to people for a minute. */
const KEPT_S = 60
/** Renewals: once a minute, the first time at the beginning. */
const PRUNE_EVERY = 120

/** What a worker is made of. */
export interface WorkerOptions {
  readonly database: Database
  readonly ports: Ports
  /** The instance's name, for people. */
  readonly instance: string
  readonly log: LogSink
  /** The worker is closed with it; what owns things on its behalf is to be deferred later, so that it ends before. */
  readonly closing?: Closing
}

/** An instance, registered. */
export interface Worker {
  /** A UUID: what `owner` columns hold. New for every opening, so that nothing of an earlier life is taken for our own. */
  readonly id: string
  /** Takes part in a group from now on; the others know within half a second. */
  enter(group: string): void
  leave(group: string): void
  /** Stops renewing and removes the row, so that others take over at once. Never rejects. */
  close(): Promise<void>
}

/** A condition: the worker that the uuid in `column` names is dead, or there is none (null). */
export function workerIsDead(column: Sql): Sql {
  return sql`not exists (
    select from flotilla.worker where worker.id = ${column} and worker.lease_until > now())`
}

/** A number: how many live workers take part in a group, besides the one with `id`. */
export function othersIn(group: string, id: string): Sql {
  return sql`(
    select count(*) from flotilla.worker where lease_until > now() and ${group} = any(groups) and worker.id <> ${id})`
}

class LeasedWorker implements Worker {
  readonly id: string
  readonly #groups = new Set<string>()
  readonly #options: WorkerOptions
  readonly #stop = new AbortController()
  #renewing: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(options: WorkerOptions) {
    this.#options = options
    this.id = options.ports.newId()
  }

  /** @throws FlotillaError when the database does not answer within 10 s. */
  async open(): Promise<void> {
    await this.#renew(FIRST_MS_MAX)
    this.#renewing = this.#renewAgainAndAgain()
  }

  enter(group: string): void {
    this.#groups.add(group)
  }

  leave(group: string): void {
    this.#groups.delete(group)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#stop.abort()
    await this.#renewing
    try {
      await this.#session(GOODBYE_MS_MAX).execute(sql`delete from flotilla.worker where id = ${this.id}`)
    } catch (error) {
      this.#options.log.warn('a worker could not say goodbye; its lease will end by itself', { error })
    }
  }

  async #renewAgainAndAgain(): Promise<void> {
    const { clock } = this.#options.ports
    const { signal } = this.#stop
    let isLate = false
    for (let turn = 1; !signal.aborted; turn++) {
      await clock.sleep(isLate ? RETRY_MS : RENEW_MS, signal).catch(() => {
        // Closed: the loop looks for itself.
      })
      if (signal.aborted) return
      try {
        await this.#renew(RENEW_MS_MAX)
        isLate = false
        if (turn % PRUNE_EVERY === 1) await this.#prune()
      } catch (error) {
        if (!isLate) this.#options.log.warn('the lease of this instance could not be renewed', { error })
        isLate = true
      }
    }
  }

  async #renew(timeoutMs: number): Promise<void> {
    const { instance } = this.#options
    await this.#session(timeoutMs).execute(sql`
      insert into flotilla.worker (id, instance, lease_until, groups)
      values (${this.id}, ${instance}, now() + ${LEASE_MS} * interval '1 millisecond', ${[...this.#groups]})
      on conflict (id) do update set lease_until = excluded.lease_until, groups = excluded.groups`)
  }

  async #prune(): Promise<void> {
    await this.#session(RENEW_MS_MAX).execute(sql`
      delete from flotilla.worker where lease_until < now() - ${KEPT_S} * interval '1 second'`)
  }

  #session(timeoutMs: number): Session {
    const { database, ports } = this.#options
    const deadlineMs = ports.clock.monotonicMs() + timeoutMs
    return database.session({ deadlineMs, cancellation: new Cancellation() })
  }
}

/**
 * Registers this instance with its service's database, and keeps it registered until closed.
 *
 * @throws FlotillaError when the database does not answer within 10 s.
 */
export async function openWorker(options: WorkerOptions): Promise<Worker> {
  const worker = new LeasedWorker(options)
  await worker.open()
  options.closing?.defer('worker', () => worker.close())
  return worker
}
