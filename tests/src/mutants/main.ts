/**
 * `npm run test:mutants [-- --only PATTERN]`: makes one mistake after the other in a copy of the repository, and shows by what and
 * when each is seen. First the same without a mistake, under the same conditions: nothing may be seen there.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { Line } from '../oracle/report.ts'
import { failingTests, openServer } from './by-test.ts'
import { Copy, type Patch } from './copy.ts'
import { type Mutant, mutants, type TestFile } from './mutants.ts'
import { type Conditions, makeTemplate, tryShop } from './trial.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    controls: { type: 'string', default: 'yes' },
  },
})

interface Outcome {
  /** What does not hold, or which tests fail; none: nothing was noticed. */
  readonly caughtBy: readonly string[]
  /** Accepted until then; undefined: it was a test. */
  readonly orders: number | undefined
  readonly tookMs: number
}

const startMs = Date.now()
const cleanUps: (() => Promise<void>)[] = []
const owner = { after: (cleanUp: () => Promise<void>) => void cleanUps.push(cleanUp) }
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
  const bench = new Bench(Copy.make(owner))
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

/** Where mutants are tried, one at a time. */
class Bench {
  readonly #copy: Copy
  #template: string | undefined
  #databaseUrl: string | undefined

  constructor(copy: Copy) {
    this.#copy = copy
  }

  async run(patch: Patch | undefined, under: Mutant['under']): Promise<Outcome> {
    return 'built' in under ? this.#test(patch, under) : this.#trial(patch, under)
  }

  async #test(patch: Patch | undefined, { built }: TestFile): Promise<Outcome> {
    this.#databaseUrl ??= await openServer(owner)
    this.#copy.change(patch)
    const beginMs = Date.now()
    const caughtBy = await failingTests(this.#copy, built, this.#databaseUrl)
    return { caughtBy, orders: undefined, tookMs: Date.now() - beginMs }
  }

  async #trial(patch: Patch | undefined, under: Conditions): Promise<Outcome> {
    if (this.#template === undefined) {
      this.#copy.change(undefined)
      await this.#copy.build()
      this.#template = await makeTemplate(owner, this.#copy.root)
    }
    this.#copy.change(patch)
    await this.#copy.build()
    // What is wrong with a table is so from the beginning.
    const template = patch?.file.endsWith('.sql') ? undefined : this.#template
    const own: (() => Promise<void>)[] = []
    const trialOwner = { after: (cleanUp: () => Promise<void>) => void own.push(cleanUp) }
    try {
      const verdict = await tryShop(trialOwner, { root: this.#copy.root, template }, under)
      for (const line of verdict.caughtBy) say(detailOf(line))
      return { ...verdict, caughtBy: verdict.caughtBy.map(({ invariant, says }) => `${invariant}: ${says}`) }
    } finally {
      for (const cleanUp of own.toReversed()) await cleanUp()
    }
  }
}

function told({ caughtBy: [first, ...others], orders, tookMs }: Outcome): string {
  const more = others.length === 0 ? '' : ` and ${others.length} more`
  const after = orders === undefined ? '' : `${orders} orders, `
  return `${first ?? 'nothing is noticed'}${more} (${after}${(tookMs / 1_000).toFixed(0)} s)`
}

function detailOf({ invariant, violations }: Line): string {
  const [{ what, ids } = { what: '', ids: [] }] = violations
  return `  ${Number.parseInt(invariant, 10)}: ${what}: ${ids.join(' ').slice(0, 80)} (${violations.length})`
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
