/**
 * One trial: a shop runs from a copy of the repository, customers buy, what the conditions say goes wrong, and the oracle looks.
 *
 * The trial ends as soon as something does not hold, or when everything has come to rest and holds.
 *
 * @module
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cancellation } from '@flotilla/core/cancellation'
import { systemClock } from '@flotilla/core/clock'
import type { CrashFault, CrashHit } from '@flotilla/core/crashpoint'
import { type Database, openDatabase } from '@flotilla/core/database'
import { systemRandom } from '@flotilla/core/random'
import type { Session } from '@flotilla/core/session'
import { app } from '@flotilla/shop/app'
import { processesOf } from '../flotilla-process.ts'
import { checkAll, checkAlways } from '../oracle/check.ts'
import type { Line, Report } from '../oracle/report.ts'
import { settle } from '../oracle/settle.ts'
import { openWorld, type World } from '../oracle/world.ts'
import { type Fleet, startFleet } from '../soak/fleet.ts'
import { Careful } from '../workload/careful.ts'
import { type Journal, openJournal } from '../workload/journal.ts'
import { runWorkload, type Tally } from '../workload/run.ts'
import { openGate } from './gate.ts'

/** Under which a shop is tried. */
export interface Conditions {
  readonly name: string
  /** So many are accepted. */
  readonly orders: number
  readonly environment?: Readonly<Record<string, string>>
  /** Two processes run orders. Default: one process runs everything. */
  readonly hasTwoOrders?: boolean
  /** Crash points that are armed when the first customer comes. */
  readonly faults?: Readonly<Record<string, CrashFault>>
  /** What else happens meanwhile; the trial waits for it. */
  readonly beside?: (stage: Stage) => Promise<void>
}

/** Where things are made to happen. */
export interface Stage {
  readonly fleet: Fleet
  readonly journal: Journal
  readonly careful: Careful
  /** False when the last order was accepted, or the trial is over. */
  readonly isRunning: () => boolean
  readonly orders: () => number
  /** The database of a service. */
  db(service: string): Session
  arm(place: string, fault: CrashFault): void
  disarm(place: string): void
  /** The process that had the fault; undefined: nobody had. */
  hitBy(place: string): number | undefined
}

/** What came of it. */
export interface Verdict {
  /** Of the oracle, what does not hold; none: everything does. */
  readonly caughtBy: readonly Line[]
  /** Accepted until then. */
  readonly orders: number
  /** From the first customer until then. */
  readonly tookMs: number
}

interface Owner {
  after(cleanUp: () => Promise<void>): void
}

/** Of the workload. */
export const SEED = 7
const CONCURRENCY = 8
const LOOK_EVERY_MS = 1_000
/** Customers who are still there then went away. */
const BUY_MS_MAX = 25_000
/** What still goes on, and is the same after this time, is stuck. */
const STUCK_MS = 8_000
const STUCK_COUNT_MAX = 4
const QUERY_MS_MAX = 20_000
/** Parcels are on their way while people still think. */
const ENVIRONMENT = { SHIPPING_PACK_MS: '300', SHIPPING_SHIP_MS: '300', SHIPPING_DELIVER_MS: '300' }

/** The shop to try. */
export interface Candidate {
  /** The copy it runs from. */
  readonly root: string
  /** A data folder to begin with; undefined: an empty one. */
  readonly template: string | undefined
}

/** Tries a shop. */
export async function tryShop(owner: Owner, candidate: Candidate, conditions: Conditions): Promise<Verdict> {
  const stage = await openStage(owner, candidate, conditions)
  const { world } = stage
  const startMs = Date.now()
  const over = new AbortController()
  stage.stop = over.signal
  const acting = act(stage, conditions).finally(() => over.abort())
  const seen = await Promise.race([lookOn(world, over.signal), acting.then(() => undefined)])
  const verdict = (report: Report | undefined): Verdict => ({
    caughtBy: report?.lines.filter(({ violations }) => violations.length > 0) ?? [],
    orders: stage.orders(),
    tookMs: Date.now() - startMs,
  })
  if (seen !== undefined) {
    // Nobody needs to see how it ends.
    over.abort()
    acting.catch(() => {
      // Whatever it was, it came after what was seen.
    })
    return verdict(seen)
  }
  await comeToRest(world)
  return verdict(await checkAll(world))
}

async function comeToRest(world: World): Promise<void> {
  let before = ''
  for (let looks = 0; looks < STUCK_COUNT_MAX; looks++) {
    const { waitsFor } = await settle(world, STUCK_MS, { isDelivered: true })
    const now = waitsFor.join()
    if (now === before || waitsFor.length === 0) return
    before = now
  }
}

/** Customers and accidents; resolves when nobody asks for anything any more. */
async function act(stage: OpenStage, { orders, beside }: Conditions): Promise<void> {
  const { fleet, journal, gate } = stage
  const buying = runWorkload({
    api: gate.ask,
    admin: fleet.admin,
    seed: SEED,
    orders,
    concurrency: CONCURRENCY,
    journal,
    onStart: stage.begin,
  })
  await Promise.race([stage.begun, buying])
  const besides = beside?.(stage) ?? Promise.resolve()
  const enough = pollUntil(() => stage.orders() >= orders, BUY_MS_MAX)
  await Promise.all([Promise.race([buying, enough]), besides])
  await gate.shut()
}

/** What does not hold at an instant at which it must; undefined: everything did, until `signal`. */
async function lookOn(world: World, signal: AbortSignal): Promise<Report | undefined> {
  while (!signal.aborted) {
    // A database that is away shows nothing.
    const report = await checkAlways(world).catch(() => undefined)
    if (report?.isGood === false) return report
    await pollUntil(() => signal.aborted, LOOK_EVERY_MS)
  }
  return undefined
}

interface OpenStage extends Stage {
  readonly world: World
  readonly gate: ReturnType<typeof openGate>
  readonly begun: Promise<void>
  readonly begin: (tally: Tally) => void
  stop: AbortSignal
}

async function openStage(
  owner: Owner,
  { root, template }: Candidate,
  conditions: Conditions,
): Promise<OpenStage> {
  const { environment = {}, faults = {}, hasTwoOrders = false } = conditions
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-crashpoints-'))
  owner.after(async () => rmSync(folder, { recursive: true, force: true }))
  for (const part of ['armed', 'hit']) mkdirSync(join(folder, part))
  const twoOrders = join(folder, 'placement.json')
  writeFileSync(twoOrders, JSON.stringify({ hosts: hostsWithTwoOrders() }))
  const fleet = await startFleet(owner, {
    placement: hasTwoOrders ? twoOrders : 'monolith',
    provider: 'instant',
    root,
    ...(template === undefined ? {} : { template }),
    environment: { ...ENVIRONMENT, ...environment, FLOTILLA_CRASHPOINTS: folder },
  })
  const journal = openJournal(join(fleet.bed.folder, 'journal.jsonl'))
  const world = openWorld(fleet.urls, journal, { logFolder: fleet.bed.folder })
  const databases = new Map<string, Database>()
  fleet.bed.cleanUps.push(async () => {
    await Promise.all([...databases.values()].map((database) => database.close()))
    await world.close()
    await journal.close()
    killAll(fleet)
    process.off('exit', end)
  })
  // Also when the whole campaign is told to end.
  const end = (): void => killAll(fleet)
  process.once('exit', end)
  const gate = openGate(fleet.api)
  const arm = (place: string, fault: CrashFault): void => {
    writeFileSync(join(folder, 'armed', place), fault)
  }
  let tally: Tally | undefined
  let begin: (tally: Tally) => void = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = (its) => {
      tally = its
      for (const [place, fault] of Object.entries(faults)) arm(place, fault)
      resolve()
    }
  })
  const stage: OpenStage = {
    fleet,
    journal,
    world,
    gate,
    begun,
    begin,
    careful: new Careful(gate.ask, journal),
    stop: AbortSignal.abort(),
    isRunning: () => !stage.stop.aborted && (tally === undefined || stage.orders() < conditions.orders),
    orders: () => tally?.orders.orders ?? 0,
    db(service) {
      let database = databases.get(service)
      if (database === undefined) {
        const ports = { clock: systemClock, random: systemRandom }
        database = openDatabase({ url: fleet.urls[service] as string, name: 'trial', ports })
        databases.set(service, database)
      }
      const deadlineMs = systemClock.monotonicMs() + QUERY_MS_MAX
      return database.session({ deadlineMs, cancellation: new Cancellation() })
    },
    arm,
    disarm: (place) => rmSync(join(folder, 'armed', place), { force: true }),
    hitBy(place) {
      const path = join(folder, 'hit', place)
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as CrashHit).pid : undefined
    },
  }
  return stage
}

function hostsWithTwoOrders(): object {
  const outside = (app.outside ?? []).map(({ service }) => service)
  const apart = new Set(['orders', 'gateway', ...outside])
  return {
    rest: { services: Object.keys(app.services).filter((name) => !apart.has(name)) },
    orders: { services: ['orders'], instances: 2 },
    gateway: { services: ['gateway'] },
  }
}

/** What is thrown away need not be shut down. The supervisor first, which would start the others again. */
function killAll(fleet: Fleet): void {
  const supervisor = fleet.supervisor()?.pid
  const postmaster = fleet.postmaster()?.pid
  const workers = postmaster === undefined ? [] : childrenOf(postmaster)
  for (const pid of [supervisor, ...processesOf(fleet.bed), postmaster, ...workers]) {
    if (pid !== undefined) killNow(pid)
  }
}

/** Ids of the processes that a process has started. */
export function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}

/** Ends a process, unless it is gone. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** A data folder as a shop leaves it that was started and shut down; empty of orders. */
export async function makeTemplate(owner: Owner, root: string): Promise<string> {
  const own: (() => Promise<void>)[] = []
  const { bed } = await startFleet(
    { after: (cleanUp) => void own.push(cleanUp) },
    { placement: 'monolith', provider: 'instant', root, environment: ENVIRONMENT },
  )
  // The first of the bed's removes its folder.
  const [remove, ...stop] = bed.cleanUps.splice(0)
  for (const cleanUp of stop.toReversed()) await cleanUp()
  owner.after(async () => remove?.())
  return bed.folder
}

/** Resolves when it is so, or the time is up. */
export async function pollUntil(isSo: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const untilMs = Date.now() + timeoutMs
  while (Date.now() < untilMs && !(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}
