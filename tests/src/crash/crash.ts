/**
 * A campaign from beginning to end: a fleet, its cells, and then the oracle.
 *
 * @module
 */
import { checkAll } from '../oracle/check.ts'
import type { Report } from '../oracle/report.ts'
import { settle } from '../oracle/settle.ts'
import { Campaign, type Cell, type CellResult } from './campaign.ts'
import { CrashSystem, type Owner } from './crash-system.ts'
import { places } from './places.ts'
import { Actor } from './scenarios.ts'

/** What to do. */
export interface CrashOptions {
  readonly cells: readonly Cell[]
  /** Customers side by side. */
  readonly actors: number
  /** How long a process stays stopped. */
  readonly stopMs: number
  /** True: places that nothing passed, or that the table does not know, are a failure. */
  readonly isComplete: boolean
  readonly onStarted?: () => void
  readonly onResult?: (result: CellResult) => void
}

/** What came of it. */
export interface Crashed {
  readonly results: readonly CellResult[]
  /** Where the table of places and what was passed are not the same. */
  readonly differences: readonly string[]
  /** What never came to rest. */
  readonly unsettled: readonly string[]
  readonly report: Report
  /** Requests that customers had to repeat. */
  readonly repeats: number
  readonly isGood: boolean
}

/** Passed when somebody logs in again, which customers of a long campaign do. */
const AROUND = '@auth.'

/** A mail whose sender died waits a minute for the end of its claim. */
const SETTLE_MS_MAX = 120_000

/** Runs it. */
export async function crash(owner: Owner, options: CrashOptions): Promise<Crashed> {
  const { cells, stopMs, isComplete, onStarted = () => {}, onResult = () => {} } = options
  const system = await CrashSystem.open(owner)
  const count = Math.min(options.actors, cells.length)
  const actors = await Promise.all(Array.from({ length: count }, (_, index) => Actor.open(system, index + 1)))
  // Once without faults, so that what is slow the first time is over.
  for (const actor of actors) await actor.play('buy')
  onStarted()
  if (isComplete) system.watch()
  const results = await new Campaign({ system, actors, cells, stopMs, onResult }).run()
  const differences = isComplete ? differencesTo(system.seen()) : []
  const world = await system.world()
  const { waitsFor: unsettled } = await settle(world, SETTLE_MS_MAX)
  const report = await checkAll(world)
  const repeats = actors.reduce((sum, actor) => sum + actor.repeats, 0)
  const hasRecovered = results.every(({ violation }) => violation === undefined)
  const isGood = hasRecovered && differences.length + unsettled.length === 0 && report.isGood
  return { results, differences, unsettled, report, repeats, isGood }
}

/** The table of places against what was passed. */
function differencesTo(seen: readonly string[]): readonly string[] {
  const listed = new Set(places.map(({ name }) => name))
  return [
    ...seen
      .filter((name) => !listed.has(name) && !name.includes(AROUND))
      .map((name) => `${name} is passed and not in the table`),
    ...[...listed].filter((name) => !seen.includes(name)).map((name) => `${name} is never passed`),
  ]
}

/** A result in one line. */
export function lineOf(result: CellResult): string {
  const { place, fault, pid, lost = '', recoveredMs, violation, order = '?' } = result
  const isGood = violation === undefined
  const more = isGood ? lost : `${violation} (order ${order})`
  return [
    isGood ? 'ok  ' : 'FAIL',
    fault.padEnd(4),
    place.name.padEnd(48),
    String(pid ?? '-').padStart(7),
    `${String(recoveredMs).padStart(6)} ms`,
    more.replace(/\s+/g, ' '),
  ].join(' ')
}
