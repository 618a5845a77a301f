/**
 * `npm run test:crash [-- --only TEXT --faults kill,lose,stop --quick --actors N]`: every crash point × fault on a real fleet, then
 * everything that must hold. Fails when a place was not passed, an order did not end as it must, or something does not hold.
 *
 * `--only`: the cells in whose fault and place one of these texts, separated by commas, is. `--quick`: processes stay stopped for 4 s, so that they go on as zombies whose leases
 * others have, instead of 20 s, of which the supervisor grants them five.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { CrashFault } from '@flotilla/core/crashpoint'
import { exitOnSignals } from '../flotilla-process.ts'
import { formatReport } from '../oracle/report.ts'
import type { Cell } from './campaign.ts'
import { type Crashed, crash, lineOf } from './crash.ts'
import { places } from './places.ts'

const STOP_MS = { quick: 4_000, full: 20_000 }

exitOnSignals()
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      faults: { type: 'string', default: 'kill,lose,stop' },
      quick: { type: 'boolean', default: false },
      actors: { type: 'string', default: '4' },
    },
  })
  const cells: Cell[] = values.faults
    .split(',')
    .flatMap((fault) => places.map((place) => ({ place, fault: fault as CrashFault })))
    .filter(({ place, fault }) =>
      values.only.split(',').some((text) => `${fault} ${place.name}`.includes(text)),
    )
  const startMs = Date.now()
  const say = (text: string): void => {
    process.stdout.write(`${((Date.now() - startMs) / 1000).toFixed(1).padStart(6)} s  ${text}\n`)
  }
  say(`${cells.length} cells`)
  let done = 0
  const cleanUps: (() => Promise<void>)[] = []
  try {
    const crashed = await crash(
      { after: (cleanUp) => void cleanUps.push(cleanUp) },
      {
        cells,
        actors: Number(values.actors),
        stopMs: values.quick ? STOP_MS.quick : STOP_MS.full,
        isComplete: values.only === '',
        onStarted: () => say('the fleet is up'),
        onResult: (result) => say(`${String(++done).padStart(3)}/${cells.length}  ${lineOf(result)}`),
      },
    )
    say(summary(crashed))
    return crashed.isGood ? 0 : 1
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  }
}

function summary({ results, differences, unsettled, report, repeats, isGood }: Crashed): string {
  const bad = results.filter(({ violation }) => violation !== undefined)
  const sorted = results.map(({ recoveredMs }) => recoveredMs).sort((a, b) => a - b)
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return [
    'all cells:',
    ...bad.map(lineOf),
    ...differences.map((text) => `FAIL ${text}`),
    ...unsettled.map((text) => `FAIL not settled: ${text}`),
    formatReport(report),
    `${results.length - bad.length} of ${results.length} cells recovered: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, at most ${at(1)} ms`,
    `${repeats} requests were repeated`,
    isGood ? 'No violation.' : 'FAILED.',
  ].join('\n')
}
