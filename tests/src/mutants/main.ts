/**
 * `npm run test:mutants [-- --only PATTERN]`: makes one mistake after the other in a copy of the repository, and shows by what and
 * when each is seen. First the same without a mistake, under the same conditions: nothing may be seen there.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { Line } from '../oracle/report.ts'
import { Copy, type Patch } from './copy.ts'
import { type Mutant, mutants } from './mutants.ts'
import { type Conditions, makeTemplate, tryShop, type Verdict } from './trial.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    controls: { type: 'string', default: 'yes' },
  },
})

const startMs = Date.now()
const cleanUps: (() => Promise<void>)[] = []
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
  const copy = Copy.make({ after: (cleanUp) => void cleanUps.push(cleanUp) })
  const controls = values.controls === 'no' ? [] : [...new Set(chosen.map(({ under }) => under))]
  await copy.become(undefined)
  const template = await makeTemplate({ after: (cleanUp) => void cleanUps.push(cleanUp) }, copy.root)
  say(`${controls.length} controls, ${chosen.length} mutants`)
  let isGood = true
  for (const [index, under] of controls.entries()) {
    const verdict = await trial(copy, template, undefined, under)
    say(`control ${index + 1}/${controls.length}  ${under.name}: ${told(verdict)}`)
    for (const line of verdict.caughtBy) say(detailOf(line))
    isGood &&= verdict.caughtBy.length === 0
  }
  const rows: (readonly [Mutant, Verdict])[] = []
  for (const [index, mutant] of chosen.entries()) {
    const verdict = await trial(copy, template, mutant, mutant.under)
    say(`mutant ${index + 1}/${chosen.length}  ${mutant.name}: ${told(verdict)}`)
    for (const line of verdict.caughtBy) say(detailOf(line))
    rows.push([mutant, verdict])
    isGood &&= verdict.caughtBy.length > 0
  }
  say(`\n${tableOf(rows)}`)
  const caught = rows.filter(([, { caughtBy }]) => caughtBy.length > 0).length
  say(`${caught} of ${rows.length} mutants are caught.`)
  return isGood
}

async function trial(
  copy: Copy,
  template: string,
  patch: Patch | undefined,
  under: Conditions,
): Promise<Verdict> {
  const own: (() => Promise<void>)[] = []
  await copy.become(patch)
  try {
    const owner = { after: (cleanUp: () => Promise<void>) => void own.push(cleanUp) }
    // What is wrong with a table is so from the beginning.
    const isFresh = patch?.file.endsWith('.sql') ?? false
    return await tryShop(owner, { root: copy.root, template: isFresh ? undefined : template }, under)
  } finally {
    for (const cleanUp of own.toReversed()) await cleanUp()
  }
}

function told({ caughtBy, orders, tookMs }: Verdict): string {
  const by = [...new Set(caughtBy.map(({ invariant }) => invariant))].join('; ')
  return `${by === '' ? 'everything holds' : by} (${orders} orders, ${(tookMs / 1_000).toFixed(0)} s)`
}

function detailOf({ invariant, says, violations }: Line): string {
  const [{ what, ids } = { what: '', ids: [] }] = violations
  return `         ${Number.parseInt(invariant, 10)}: ${says} (${violations.length}): ${what}: ${ids.join(' ').slice(0, 80)}`
}

function tableOf(rows: readonly (readonly [Mutant, Verdict])[]): string {
  const lines = rows.map(([{ name, says, under }, { caughtBy, orders, tookMs }]) => {
    const [first] = caughtBy
    const by = first === undefined ? 'nothing' : `${first.invariant}: ${first.says}`
    return `| ${name} | ${says} | ${under.name} | ${by} | ${orders} | ${(tookMs / 1_000).toFixed(0)} |`
  })
  return [
    '| mutant | mistake | conditions | caught by | orders | s |',
    '|---|---|---|---|--:|--:|',
    ...lines,
  ].join('\n')
}

function say(text: string): void {
  process.stdout.write(`${((Date.now() - startMs) / 1_000).toFixed(0).padStart(5)} s  ${text}\n`)
}
