/**
 * `npm run test:soak -- --orders 3000 --kills 60 --seed 1`: the soak at any size, with what came of it.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { type Bed, exitOnSignals } from '../flotilla-process.ts'
import { formatReport } from '../oracle/report.ts'
import { countKills, type Soaked, type SoakOptions, soak, ViolationError } from './soak.ts'

exitOnSignals()
process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      orders: { type: 'string', default: '3000' },
      kills: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      concurrency: { type: 'string', default: '24' },
      placement: { type: 'string', default: 'fleet' },
      provider: { type: 'string', default: 'realistic' },
      keep: { type: 'boolean', default: false },
    },
  })
  let fleet: Bed | undefined
  const options: SoakOptions = {
    orders: Number(values.orders),
    kills: Number(values.kills),
    seed: Number(values.seed),
    concurrency: Number(values.concurrency),
    placement: values.placement === 'monolith' ? 'monolith' : 'fleet',
    provider: values.provider === 'instant' ? 'instant' : 'realistic',
    onStarted: ({ bed }) => {
      fleet = bed
    },
    onProgress: (text) => say(`${new Date().toISOString().slice(11, 19)} ${text}`),
  }
  say(`seed ${options.seed}`)
  const cleanUps: (() => Promise<void>)[] = []
  let isBad = false
  try {
    const soaked = await soak({ after: (cleanUp) => cleanUps.push(cleanUp) }, options)
    say(formatReport(soaked.report))
    say(statistics(soaked, options))
    isBad = !soaked.report.isGood
  } catch (error) {
    isBad = true
    say(error instanceof ViolationError ? formatReport(error.report) : ((error as Error).stack ?? ''))
  }
  // The first one ends what runs and removes the folder.
  if ((isBad || values.keep) && fleet !== undefined) {
    fleet.cleanUps.shift()
    say(`What it left behind is in ${fleet.folder}`)
  }
  for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  return isBad ? 1 : 0
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function statistics(soaked: Soaked, { seed, placement, provider }: SoakOptions): string {
  const { tally, done, ranMs, latency, settled, looks, looksInVain } = soaked
  const { orders, requests } = tally
  const rate = (orders.orders * 1_000) / ranMs
  return [
    `seed ${seed}, ${placement}, provider ${provider}`,
    `${orders.orders} orders in ${(ranMs / 1_000).toFixed(0)} s, ${rate.toFixed(1)} a second; ${latency.confirmed} confirmed`,
    `from placed to confirmed: p50 ${latency.p50Ms} ms, p99 ${latency.p99Ms} ms`,
    `${requests.requests} requests, ${requests.repeats} of them repeats, ${requests.unknown} without an answer in the end`,
    `${done.length} kills: ${countKills(done)}`,
    `settled after ${(settled.tookMs / 1_000).toFixed(1)} s; ${looks} looks while it ran, ${looksInVain} of them at a dead database`,
    `no violation in ${orders.orders} orders: with 95 % certainty there are fewer than ${(3 / orders.orders).toExponential(1)} per order`,
  ].join('\n')
}
