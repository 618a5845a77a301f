/**
 * A fleet whose processes can be made to fail at crash points, while it runs: see `core/kernel/crashpoint.ts`.
 *
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import type { CrashFault, CrashHit } from '@flotilla/core/crashpoint'
import { type Database, openDatabase } from '@flotilla/core/database'
import { systemRandom } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import { type Bed, makeBed, startUp } from '../flotilla-process.ts'
import { databaseUrls } from '../oracle/databases-of.ts'
import { openWorld, type World } from '../oracle/world.ts'
import { type ShopClient, shopClient } from '../shop-client.ts'
import { type Journal, openJournal } from '../workload/journal.ts'

/** Who owns what was opened. */
export interface Owner {
  after(cleanUp: () => Promise<void>): void
}

/**
 * As a fleet, with several instances of whoever others take over from, and with services together that are not what the test is
 * about.
 */
const placement = {
  hosts: {
    registry: { services: ['registry'] },
    events: { services: ['events'] },
    base: { services: ['auth', 'catalog'] },
    reading: { services: ['search', 'recommendations'] },
    inventory: { services: ['inventory'] },
    coupons: { services: ['coupons'] },
    cart: { services: ['cart'] },
    payments: { services: ['payments'], instances: 2 },
    shipping: { services: ['shipping'] },
    orders: { services: ['orders'], instances: 3 },
    notifications: { services: ['notifications'] },
    gateway: { services: ['gateway'] },
  },
}

const DAY_MS = '86400000'

const environment = {
  GATEWAY_ADDRESS_PER_MINUTE: '1000000',
  GATEWAY_ANONYMOUS_PER_MINUTE: '1000000',
  GATEWAY_FREE_PER_MINUTE: '1000000',
  GATEWAY_STRICT_PER_MINUTE: '1000000',
  // Parcels move when a scenario says so.
  SHIPPING_PACK_MS: DAY_MS,
  SHIPPING_SHIP_MS: DAY_MS,
  SHIPPING_DELIVER_MS: DAY_MS,
  // An answer that does not come is given up before a stopped process goes on.
  PAYMENTS_PROVIDER_TIMEOUT_MS: '1000',
  PAYMENTS_RESOLVE_MS: '200',
  FLOTILLA_RESTART_MS_MAX: '200',
}

const QUERY_MS_MAX = 15_000

/** A running system. */
export class CrashSystem {
  readonly bed: Bed
  readonly shop: ShopClient
  /** What customers were told. */
  readonly journal: Journal
  readonly #folder: string
  /** How many want a place to fail. */
  readonly #failing = new Map<string, number>()
  readonly #databases = new Map<string, Database>()

  private constructor(bed: Bed, folder: string) {
    this.bed = bed
    this.#folder = folder
    this.journal = openJournal(join(bed.folder, 'journal.jsonl'))
    this.shop = shopClient(`http://127.0.0.1:${bed.gatewayPort}`)
    bed.cleanUps.push(async () => {
      await Promise.all([...this.#databases.values()].map((database) => database.close()))
      await this.journal.close()
    })
  }

  /** Starts it; it is stopped with its owner. */
  static async open(owner: Owner): Promise<CrashSystem> {
    const bed = await makeBed(owner)
    const folder = join(bed.folder, 'crashpoints')
    for (const part of ['armed', 'hit']) mkdirSync(join(folder, part), { recursive: true })
    const file = join(bed.folder, 'placement.json')
    writeFileSync(file, JSON.stringify(placement))
    await startUp(bed, ['--placement', file], { ...environment, FLOTILLA_CRASHPOINTS: folder })
    return new CrashSystem(bed, folder)
  }

  /** The password of the administrator. */
  get adminPassword(): string {
    const secrets = JSON.parse(readFileSync(join(this.bed.folder, 'secrets.json'), 'utf8')) as object
    return (secrets as Record<string, string>)['login adminPassword'] as string
  }

  /** The database of a service, as the server's superuser. */
  db(service: string): Session {
    let database = this.#databases.get(service)
    if (database === undefined) {
      const ports = { clock: systemClock, random: systemRandom }
      database = openDatabase({ url: this.urlOf(service), name: 'test', ports })
      this.#databases.set(service, database)
    }
    const deadlineMs = systemClock.monotonicMs() + QUERY_MS_MAX
    return database.session({ deadlineMs, cancellation: new Cancellation() })
  }

  /** Of a service's database, as the server's superuser. */
  urlOf(service: string): string {
    const password = readFileSync(join(this.bed.folder, 'postgres/password'), 'utf8').trim()
    const port = this.bed.environment['FLOTILLA_POSTGRES_PORT']
    return `postgres://postgres:${password}@127.0.0.1:${port}/shop_${service}`
  }

  /** For the oracle; closed with the system. */
  async world(): Promise<World> {
    const { folder, environment: own, cleanUps } = this.bed
    const urls = await databaseUrls(folder, own['FLOTILLA_POSTGRES_PORT'] as string)
    const world = openWorld(urls, this.journal, { logFolder: folder })
    cleanUps.push(() => world.close())
    return world
  }

  /** Whoever passes the place next has the fault. */
  arm(place: string, fault: CrashFault): void {
    rmSync(join(this.#folder, 'hit', place), { force: true })
    // In one go: who looks in between would find no fault in it.
    const file = join(this.#folder, place)
    writeFileSync(file, fault)
    renameSync(file, join(this.#folder, 'armed', place))
  }

  /** Nobody will have it any more. */
  disarm(place: string): void {
    rmSync(join(this.#folder, 'armed', place), { force: true })
  }

  /** Makes a place fail for as long as anybody wants it to; gives what ends the wish. */
  fail(place: string): () => void {
    const wishes = (): number => this.#failing.get(place) ?? 0
    if (wishes() === 0) this.arm(place, 'fail')
    this.#failing.set(place, wishes() + 1)
    return () => {
      this.#failing.set(place, wishes() - 1)
      if (wishes() === 0) this.disarm(place)
    }
  }

  /** Who had the fault; undefined as long as nobody had. */
  hit(place: string): CrashHit | undefined {
    const path = join(this.#folder, 'hit', place)
    if (!existsSync(path)) return undefined
    try {
      return JSON.parse(readFileSync(path, 'utf8')) as CrashHit
    } catch {
      // Moved a moment ago; the process is about to write into it.
      return undefined
    }
  }

  /** Begins to note which places are passed, from none on. */
  watch(): void {
    rmSync(join(this.#folder, 'seen'), { recursive: true, force: true })
    mkdirSync(join(this.#folder, 'seen'))
  }

  /** The places passed since `watch`, in order of their names; ends it. */
  seen(): readonly string[] {
    // Moved away first: processes go on noting what they pass for as long as it is there.
    const ended = join(this.#folder, 'seen-ended')
    renameSync(join(this.#folder, 'seen'), ended)
    const seen = readdirSync(ended).sort()
    rmSync(ended, { recursive: true, force: true })
    return seen
  }
}
