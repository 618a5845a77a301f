/**
 * `npm run test:mutants [-- --only PATTERN]`: makes one mistake after the other in a copy of the repository, and shows by what and
 * when each is seen. First the same without a mistake, under the same conditions: nothing may be seen there.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { exitOnSignals } from '../flotilla-process.ts'
import { Bench, type Outcome } from './bench.ts'
import { type Mutant, mutants } from './mutants.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    controls: { type: 'string', default: 'yes' },
  },
})

const startMs = Date.now()
const cleanUps: (() => Promise<void>)[] = []
const owner = { after: (cleanUp: () => Promise<void>) => void cleanUps.push(cleanUp) }
exitOnSignals()
try {
  process.exitCode = (await run()) ? 0 : 1
} finally {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp()
}
// Customers who went away are still waiting.
process.exit()

async function run(): Promise<boolean> {
  const pattern = new RegExp(values.only)
  const chosen = mutants.filter(({ name, under }) => pattern.test(`${name} ${under.name}`))
  const controls = values.controls === 'no' ? [] : [...new Set(chosen.map(({ under }) => under))]
  const bench = new Bench(owner, say)
  say(`${controls.length} times without a mistake, then ${chosen.length} mutants`)
  let isGood = true
  for (const [index, under] of controls.entries()) {
    const outcome = await bench.run(undefined, under)
    say(`${index + 1}/${controls.length} no mistake, ${under.name}: ${told(outcome)}`)
    isGood &&= outcome.caughtBy.length === 0
  }
  const rows: (readonly [Mutant, Outcome])[] = []
  for (const [index, mutant] of chosen.entries()) {
    const outcome = await bench.run(mutant, mutant.under)
    say(`${index + 1}/${chosen.length} ${mutant.name}: ${told(outcome)}`)
    rows.push([mutant, outcome])
    isGood &&= outcome.caughtBy.length > 0
  }
  const caught = rows.filter(([, { caughtBy }]) => caughtBy.length > 0).length
  say(`${caught} of ${rows.length} mutants are caught.\n\n${tableOf(rows)}`)
  return isGood
}

function told({ caughtBy: [first, ...others], orders, tookMs }: Outcome): string {
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const after = orders === undefined ? '' : `${orders} orders, `
  return `${first ?? 'nothing is noticed'}${more} (${after}${(tookMs / 1_000).toFixed(0)} s)`
}

function tableOf(rows: readonly (readonly [Mutant, Outcome])[]): string {
  const lines = rows.map(([{ name, says, under }, { caughtBy, orders, tookMs }]) =>
    ['', name, says, under.name, caughtBy[0] ?? '**nothing**', orders ?? '–', (tookMs / 1_000).toFixed(0), '']
      .join(' | ')
      .trim(),
  )
  const head = '| mutant | mistake | conditions | caught by | orders | s |\n|---|---|---|---|--:|--:|'
  return [head, ...lines].join('\n')
}

function say(text: string): void {
  process.stdout.write(`${((Date.now() - startMs) / 1_000).toFixed(0).padStart(5)} s  ${text}\n`)
}
