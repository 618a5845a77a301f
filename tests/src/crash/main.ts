/**
 * `npm run test:crash [-- --only PATTERN] [--faults kill,stop,lose] [--quick]`: every crash point × fault on a real fleet, then
 * everything that must hold. Fails when a place was not passed, an order did not end as it must, or something does not hold.
 *
 * `--quick`: processes stay stopped for 4 s, so that they go on as zombies whose leases others have, instead of 20 s, of which
 * the supervisor grants them five.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { CrashFault } from '@flotilla/core/crashpoint'
import { checkAll } from '../oracle/check.ts'
import { formatReport } from '../oracle/report.ts'
import { settle } from '../oracle/settle.ts'
import { Campaign, type Cell, type CellResult } from './campaign.ts'
import { CrashSystem } from './crash-system.ts'
import { places } from './places.ts'
import { Actor } from './scenarios.ts'

const ACTORS = 4
const STOP_MS = { quick: 4_000, full: 20_000 }

/** A mail whose sender died waits a minute for the end of its claim. */
const SETTLE_MS_MAX = 120_000

/** Passed by whoever sets the scene. */
const AROUND = new Set<string>()

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    faults: { type: 'string', default: 'kill,lose,stop' },
    quick: { type: 'boolean', default: false },
    actors: { type: 'string', default: String(ACTORS) },
  },
})

const cells: Cell[] = values.faults
  .split(',')
  .flatMap((fault) => places.map((place) => ({ place, fault: fault as CrashFault })))
  .filter(({ place, fault }) => `${place.name} ${fault}`.includes(values.only))

const cleanUps: (() => Promise<void>)[] = []
try {
  process.exitCode = (await run()) ? 0 : 1
} finally {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp()
}

async function run(): Promise<boolean> {
  const startMs = Date.now()
  const say = (text: string): void => {
    process.stdout.write(`${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
  }
  say(`${cells.length} cells`)
  const system = await CrashSystem.open({ after: (cleanUp) => void cleanUps.push(cleanUp) })
  const count = Math.min(Number(values.actors), cells.length)
  const actors = await Promise.all(Array.from({ length: count }, (_, index) => Actor.open(system, index + 1)))
  say('the fleet is up')
  for (const actor of actors) await actor.play('buy')
  system.watch()
  let done = 0
  const campaign = new Campaign({
    system,
    actors,
    cells,
    stopMs: values.quick ? STOP_MS.quick : STOP_MS.full,
    onResult: (result) => say(`${String(++done).padStart(3)}/${cells.length}  ${lineOf(result)}`),
  })
  const results = await campaign.run()
  const repeats = actors.reduce((sum, actor) => sum + actor.repeats, 0)
  const bad = results.filter(({ violation }) => violation !== undefined)
  const sorted = results.map(({ recoveredMs }) => recoveredMs).sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  say(
    `${results.length - bad.length} of ${results.length} cells recovered, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms; ${repeats} requests were repeated`,
  )
  for (const result of bad) say(lineOf(result))
  const missing = values.only === '' ? differences(system.seen()) : []
  for (const text of missing) say(text)
  const world = await system.world()
  const { waitsFor, tookMs } = await settle(world, SETTLE_MS_MAX)
  say(`settled after ${(tookMs / 1000).toFixed(1)} s`)
  for (const left of waitsFor) say(`FAIL not settled: ${left}`)
  const report = await checkAll(world)
  say(formatReport(report))
  return bad.length + missing.length + waitsFor.length === 0 && report.isGood
}

/** The table of places against what was passed. */
function differences(seen: readonly string[]): readonly string[] {
  const listed = new Set(places.map(({ name }) => name))
  const unknown = seen.filter((name) => !listed.has(name) && !AROUND.has(name))
  const notPassed = [...listed].filter((name) => !seen.includes(name))
  return [
    ...unknown.map((name) => `FAIL ${name} is passed and not in the table`),
    ...notPassed.map((name) => `FAIL ${name} is in the table and was not passed`),
  ]
}

function lineOf({ place, fault, pid, lost, recoveredMs, violation, order }: CellResult): string {
  const what = violation === undefined ? 'ok  ' : 'FAIL'
  const more = violation === undefined ? (lost ?? '') : `${violation} (order ${order ?? '?'})`
  return `${what} ${fault.padEnd(4)} ${place.name.padEnd(48)} ${String(pid ?? '-').padStart(7)} ${String(recoveredMs).padStart(6)} ms  ${more.replace(/\s+/g, ' ')}`
}
