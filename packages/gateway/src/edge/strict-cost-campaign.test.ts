/**
 * Nobody makes the gateway work for nothing: what a request costs it is at most a hundred times what it costs the client, for every
 * request of the corpus and every known flood. As a test with the worst few, and by `npm run test:dos` with all:
 * `npm run test:dos -- --only token,body --ms 2000`.
 *
 * Times of a busy machine mean nothing, so both are CPU time, of one and the same span; a case that seems too expensive is measured
 * again for longer before it counts.
 *
 * @source Envoy's criterion of asymmetric use: docs/security.md
 * @module
 */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { parseArgs } from 'node:util'
import type { CostCase } from './strict-cost-case.test.ts'
import { casesOf } from './strict-cost-cases.test.ts'
import { control } from './strict-cost-floods.test.ts'
import type { Kind } from './strict-cost-gateway.test.ts'
import { type Cost, Scales } from './strict-cost-measure.test.ts'

const { values } = parseArgs({
  strict: false,
  options: { all: { type: 'boolean' }, only: { type: 'string' }, ms: { type: 'string' } },
})
const ONLY = String(values['only'] ?? '').split(',')
const isAll = values['all'] === true

const RATIO_MAX = 100
/** Less, since a client that waits for so long for so few answers spends as much on itself. */
const CONTROL_RATIO_MIN = 25
/** Of memory, by a few connections at once. */
const PEAK_BYTES_MAX = 256 * 1024 * 1024
const FOR_MS = Number(values['ms'] ?? (isAll ? 400 : 150))
/** What seems too expensive is looked at for so much longer. */
const LONGER = 4
const HELD_MAX = 100
const HELD_BYTES_MAX = 64 * 1024 * 1024
const SHOWN = 40
const MIB = 1024 * 1024

/** The worst of each kind, by `npm run test:dos`. */
const WORST: readonly string[] = [
  'body: a hundred thousand members nobody knows',
  'chunks: of one byte',
  'token: forged, ES256',
  'bulk: tokens',
]

const costs: Cost[] = []

/** The cases that are wanted, by the gateway that they go to. */
function wanted(kind: Kind): readonly CostCase[] {
  return casesOf().filter(
    (one) =>
      kindOf(one) === kind &&
      one.name !== control.name &&
      (isAll ? ONLY.some((part) => one.name.includes(part)) : WORST.includes(one.name)),
  )
}

function kindOf({ protocol, isLimited }: CostCase): Kind {
  if (isLimited) return 'limited'
  return protocol === 'h1' ? 'plain' : 'tls'
}

/** So many that what each holds can be told, and no more than a machine bears. */
function heldOf({ bytes }: CostCase): number {
  return Math.min(HELD_MAX, Math.ceil(HELD_BYTES_MAX / bytes.length))
}

async function costOf(scales: Scales, one: CostCase): Promise<Cost> {
  if (one.kind === 'held') return await scales.hold(one, heldOf(one))
  const cost = await scales.send(one, FOR_MS)
  return cost.ratio <= RATIO_MAX ? cost : await scales.send(one, LONGER * FOR_MS)
}

/** What is wrong with it; undefined: nothing. */
function wrongWith(cost: Cost): string | undefined {
  const isGreedy = cost.one.kind === 'sent' && cost.grownBytes > PEAK_BYTES_MAX
  return cost.ratio > RATIO_MAX || isGreedy ? lineOf(cost) : undefined
}

function table(of: readonly Cost[]): string {
  const lines = of.toSorted((a, b) => b.ratio - a.ratio).slice(0, SHOWN)
  return lines.map(lineOf).join('\n')
}

function lineOf({ one, sent, cpuUs, grownBytes, ratio }: Cost): string {
  const per = (us: number): string => (us / sent.connections).toFixed(1).padStart(9)
  const verdict = ratio > RATIO_MAX ? 'BROKEN' : '      '
  const memory = `${(grownBytes / MIB).toFixed(0).padStart(5)} MiB, client ${(sent.grownBytes / MIB).toFixed(0).padStart(4)}`
  const rate = `${String(sent.connections).padStart(6)} connections in ${(sent.tookMs / 1_000).toFixed(1).padStart(4)} s`
  return `${verdict} ${ratio.toFixed(1).padStart(7)} x ${per(cpuUs)} by ${per(sent.cpuUs)} µs a connection  ${memory}  ${rate}  ${one.name}`
}

for (const kind of (['plain', 'limited', 'tls'] as const).filter((its) => wanted(its).length > 0)) {
  describe(`What a request costs, ${kind}`, { timeout: isAll ? 3_600_000 : 300_000 }, () => {
    let scales: Scales
    const cases = wanted(kind)
    before(async () => {
      scales = await Scales.open(kind)
    })
    after(() => scales.close())

    for (const one of cases) {
      it(`is in proportion: ${one.name}`, async () => {
        const cost = await costOf(scales, one)
        costs.push(cost)
        if (isAll) process.stdout.write(`${lineOf(cost)}\n`)
        assert.equal(wrongWith(cost), undefined)
      })
    }

    it('is seen where it is out of proportion', { skip: kind !== 'plain' }, async () => {
      const cost = await scales.send(control, FOR_MS)
      assert.ok(cost.ratio > CONTROL_RATIO_MIN, lineOf(cost))
    })
  })
}

after(() => {
  if (isAll) process.stdout.write(`\n${table(costs)}\n`)
})
