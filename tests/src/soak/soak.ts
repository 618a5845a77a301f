/**
 * The soak: customers buy while processes die; then everything comes to rest, and the oracle looks at what is left.
 *
 * @module
 */
import { join } from 'node:path'
import { seededRandom } from '@flotilla/core/random'
import { sql } from '@flotilla/core/sql'
import { checkAll, checkAlways } from '../oracle/check.ts'
import type { Report } from '../oracle/report.ts'
import { type Settled, settle } from '../oracle/settle.ts'
import { openWorld, type World } from '../oracle/world.ts'
import { openJournal } from '../workload/journal.ts'
import { runWorkload, type Tally } from '../workload/run.ts'
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts'
import { type Done, Killer } from './killer.ts'

/** What to run. */
export interface SoakOptions extends FleetOptions {
  readonly orders: number
  readonly kills: number
  readonly seed: number
  readonly concurrency: number
  /** Told when it runs. */
  readonly onStarted?: (fleet: Fleet) => void
  /** Told every second, and of what goes wrong meanwhile. */
  readonly onProgress?: (text: string) => void
}

/** What came of it. */
export interface Soaked {
  readonly report: Report
  readonly tally: Tally
  readonly done: readonly Done[]
  readonly settled: Settled
  /** Looks at what must hold at every instant, while it ran; and those that found no database to look at. */
  readonly looks: number
  readonly looksInVain: number
  /** From the first visit to the last. */
  readonly ranMs: number
  /** Orders that ended well, and how long that took, by their histories. */
  readonly latency: { readonly confirmed: number; readonly p50Ms: number; readonly p99Ms: number }
}

const SETTLE_MS_MAX = 60_000
const LOOK_EVERY_MS = 4_000
/** A look may take this share of the time, so that it does not become the load. */
const LOOK_SHARE = 0.1

/** Runs it. @throws Error as soon as something does not hold that must hold at every instant. */
export async function soak(
  t: { after(cleanUp: () => Promise<void>): void },
  options: SoakOptions,
): Promise<Soaked> {
  const { seed, orders, kills, concurrency, onProgress = () => {} } = options
  const fleet = await startFleet(t, options)
  options.onStarted?.(fleet)
  const journal = openJournal(join(fleet.bed.folder, 'journal.jsonl'))
  const world = openWorld(fleet.urls, journal, { logFolder: fleet.bed.folder })
  // Before the databases go.
  fleet.bed.cleanUps.push(async () => {
    await world.close()
    await journal.close()
  })
  const killer = new Killer(fleet, seededRandom(seed ^ 0x6b696c6c))
  const looks = { made: 0, inVain: 0 }
  const startMs = Date.now()
  let phase: Tally | undefined
  const stop = new AbortController()
  const working = runWorkload({
    api: fleet.api,
    admin: fleet.admin,
    seed,
    orders,
    concurrency,
    journal,
    onStart: (tally) => {
      phase = tally
    },
    signal: stop.signal,
  }).finally(() => stop.abort())
  const isRunning = (): boolean => !stop.signal.aborted
  const beside = [
    kill(killer, kills, orders, () => phase?.orders.orders ?? 0, isRunning),
    lookAlways(world, looks, isRunning),
    tell(() => progressOf(phase, killer), onProgress, isRunning),
  ]
  const [tally] = await Promise.all([working, ...beside]).finally(() => stop.abort())
  const ranMs = Date.now() - startMs
  await killer.end()
  if (fleet.supervisor() === undefined) await fleet.startAgain()
  const settled = await settle(world, SETTLE_MS_MAX, {
    isDelivered: true,
    onWait: (waitsFor) => onProgress(`settling: ${waitsFor.join(', ')}`),
  })
  for (const left of settled.waitsFor) onProgress(`not settled: ${left}`)
  const report = await checkAll(world)
  return {
    report,
    tally,
    done: killer.done,
    settled,
    looks: looks.made,
    looksInVain: looks.inVain,
    ranMs,
    latency: await latencyOf(world),
  }
}

/** Spreads the harm evenly over the orders. */
async function kill(
  killer: Killer,
  kills: number,
  orders: number,
  soFar: () => number,
  isRunning: () => boolean,
): Promise<void> {
  while (isRunning() && killer.done.length < kills) {
    if (soFar() >= ((killer.done.length + 1) * orders) / (kills + 1)) await killer.strike()
    await pause(100)
  }
}

async function lookAlways(
  world: World,
  looks: { made: number; inVain: number },
  isRunning: () => boolean,
): Promise<void> {
  while (isRunning()) {
    const startMs = Date.now()
    looks.made++
    const report = await checkAlways(world).catch(() => undefined)
    if (report === undefined) looks.inVain++
    else if (!report.isGood) throw new ViolationError(report)
    const untilMs = Date.now() + Math.max(LOOK_EVERY_MS, (Date.now() - startMs) / LOOK_SHARE)
    while (isRunning() && Date.now() < untilMs) await pause(100)
  }
}

/** What must hold at every instant did not. */
export class ViolationError extends Error {
  readonly report: Report

  constructor(report: Report) {
    super('Something did not hold while the system ran.')
    this.report = report
  }
}

async function tell(
  text: () => string,
  onProgress: (text: string) => void,
  isRunning: () => boolean,
): Promise<void> {
  while (isRunning()) {
    onProgress(text())
    for (let part = 0; part < 10 && isRunning(); part++) await pause(100)
  }
}

function progressOf(tally: Tally | undefined, { done }: Killer): string {
  if (tally === undefined) return 'making accounts'
  const { orders, requests } = tally
  const last = done.at(-1)
  return [
    `${orders.orders} orders`,
    `(${orders.confirmed} seen confirmed, ${orders.rejected} rejected, ${orders.cancelled} cancelled)`,
    `${orders.refused} refused, ${orders.refunds} refunds;`,
    `${requests.requests} requests, ${requests.repeats} repeats, ${requests.unknown} unknown;`,
    `${done.length} kills${last === undefined ? '' : `, last ${last.harm} ${last.victim}`}`,
  ].join(' ')
}

async function latencyOf(world: World): Promise<Soaked['latency']> {
  const rows = await world.rows<{ ms: number }>(
    'orders',
    sql`
      select extract(epoch from confirmed.at - placed.at)::float8 * 1000 as ms
      from flotilla.aggregate_event as placed join flotilla.aggregate_event as confirmed using (aggregate, id)
      where aggregate = 'order' and placed.type = 'placed' and confirmed.type = 'confirmed' order by 1`,
  )
  const at = (share: number): number => Math.round(rows[Math.floor(share * (rows.length - 1))]?.ms ?? 0)
  return { confirmed: rows.length, p50Ms: at(0.5), p99Ms: at(0.99) }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Of which processes, how often. */
export function countKills(done: readonly Done[]): string {
  const counts = new Map<string, number>()
  for (const { harm, victim } of done) {
    const name = harm === 'kill' || harm === 'pause' ? `${harm} ${victim}` : harm
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, count]) => `${name} ${count}`).join(', ')
}
