/**
 * `npm run bench -- growth [--only chain,instances,rows] [--rows 1000000]`: what a request costs as the system grows.
 *
 * - `chain`: 1 to 16 services, of which each asks the next; each in a process, and all in one. Latency and CPU time of them and of who
 *   asks grow no worse than linearly: each of the last eight adds no more than each before. (The last of a chain, which asks nobody, is
 *   cheaper than the others, so that a chain of one says little.)
 * - `instances`: 1 to 64 instances of a service in the registry, in one process. Latency and CPU time of caller, callees and registry
 *   per request stay flat with one call in flight. With 32, shown beside it, one connection carries many calls in one write, which
 *   64 connections cannot.
 * - `rows`: a hundred to a hundred thousand orders in the database of the shop's orders (`--rows`: up to as many). Latency and CPU time
 *   of the service and PostgreSQL per request stay flat.
 *
 * Processes are not pinned: there are more of them than cores. A quarter more is held to be chance.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, ended, pause, start } from './children.mjs'
import { chosen, judge, showTable, takeTurns } from './figures.mjs'
import { HOPS, LAST } from './growth-app.mjs'
import { measureRows } from './growth-rows.mjs'
import { createKeys, hostEnvironment } from './hosts.mjs'

const CHAINS = [1, 2, 4, 8, 16]
const INSTANCES = [1, 4, 16, 64]
const IN_FLIGHT = [1, 32]
const WARM_MS = 1_000
const IDLE_MS = 2_000
/** Sixteen processes that have never been asked: by many at a time, until what they run is compiled. */
const WARM_CHAIN_MS = 8_000
const MODULE = './growth-app.mjs'
/** So seldom that every request finds every process asleep, however long the chain: to wake one costs ten times what it then does. */
const CALM_PER_SEC = 40
const FLAT = { atMost: 1.25 }

/** All parts, or those that `only` names. */
export async function measureGrowth({ seconds, repeats, only, rows = '100000' }) {
  const parts = { chain: measureChain, instances: measureInstances, rows: measureRows }
  for (const part of chosen(only, Object.keys(parts)))
    await parts[part]({ durationMs: seconds * 1_000, repeats, rowsMax: Number(rows) })
}

/** Has `work` open processes, and hosts in them; ends them. */
async function withHosts(work) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
  const keys = createKeys()
  const children = []
  const open = async (instance, services, child = start('./host.mjs')) => {
    if (!children.includes(child)) children.push(child)
    const registry = services.includes('registry') ? undefined : 'registry'
    const environment = hostEnvironment({ folder, keys, instance, services, registry })
    await ask(child, { module: MODULE, environment })
    return child
  }
  try {
    return await work(open)
  } finally {
    await Promise.all(children.map(ended))
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Figures of one measure, with the CPU time per call that these processes have spent, beyond what they spend on nothing. */
async function measured(caller, processes, asked) {
  const spentUs = async () => {
    const spent = await Promise.all(processes.map((child) => ask(child, { cpu: true })))
    return spent.reduce((sum, { cpuUs }) => sum + cpuUs, 0)
  }
  await ask(caller, { ...asked, durationMs: WARM_MS })
  await spentUs()
  await pause(IDLE_MS)
  const idleUsPerMs = (await spentUs()) / IDLE_MS
  const { givers: _, ...again } = asked
  const startMs = performance.now()
  const figures = await ask(caller, again)
  const spent = await spentUs()
  return { ...figures, cpuUs: (spent - idleUsPerMs * (performance.now() - startMs)) / figures.calls }
}

async function measureChain({ durationMs, repeats }) {
  const figures = await withHosts(async (open) => {
    await open('registry', ['registry'])
    const hops = []
    for (const name of HOPS.toReversed()) hops.unshift(await open(name, [name]))
    const caller = await open('caller', ['caller'])
    const together = await open('together', ['registry', 'caller', ...HOPS])
    await ask(caller, { service: HOPS[0], inFlight: 32, durationMs: WARM_CHAIN_MS })
    return takeTurns(CHAINS, repeats, async (length) => {
      // The shorter chains are the ends of the longest.
      const asked = { service: HOPS.at(-length), durationMs }
      // Whoever asks the first belongs to it: to ask and to answer are about half of a service each.
      const chain = [caller, ...hops.slice(-length)]
      return [
        [`${length} apart`, await measured(caller, chain, { ...asked, perSec: CALM_PER_SEC })],
        [`${length} together`, await measured(together, [together], { ...asked, inFlight: 1 })],
      ]
    })
  })
  const places = { apart: `a process each, ${CALM_PER_SEC} requests/s`, together: 'one process' }
  for (const [place, title] of Object.entries(places)) showChain(figures, place, title)
  for (const [place, title] of Object.entries(places)) {
    judge(
      `chain, p50 that the last 8 add against the 7 before, ${title}`,
      bend(figures, place, 'p50Us'),
      FLAT,
    )
    judge(
      `chain, CPU that the last 8 add against the 7 before, ${title}`,
      bend(figures, place, 'cpuUs'),
      FLAT,
    )
  }
}

/** What each of the last eight services adds, of what each adds from the first to the eighth: 1 is a straight line. */
function bend(figures, place, field) {
  const of = (length) => figures.median(`${length} ${place}`, field)
  return (of(16) - of(8)) / 8 / ((of(8) - of(1)) / 7)
}

function showChain(figures, place, title) {
  const of = (length, field) => figures.median(`${length} ${place}`, field)
  const by = (length, field) => (of(length, field) / length).toFixed(1)
  showTable(
    [
      `services in a chain, ${title}`,
      'p50 µs',
      'p99 µs',
      'CPU µs/request',
      'p50 a service',
      'CPU a service',
      'failed',
    ],
    CHAINS.map((length) => [
      String(length),
      of(length, 'p50Us').toFixed(0),
      of(length, 'p99Us').toFixed(0),
      of(length, 'cpuUs').toFixed(0),
      by(length, 'p50Us'),
      by(length, 'cpuUs'),
      String(of(length, 'failed')),
    ]),
  )
}

async function measureInstances({ durationMs, repeats }) {
  const figures = await takeTurns(INSTANCES, repeats, (count) =>
    withHosts(async (open) => {
      const registry = await open('registry', ['registry'])
      let back
      for (let index = 1; index <= count; index++) back = await open(`back-${index}`, [LAST], back)
      const caller = await open('caller', ['caller'])
      const results = []
      for (const inFlight of IN_FLIGHT) {
        const asked = { service: LAST, givers: count, inFlight, durationMs }
        results.push([`${count} ${inFlight}`, await measured(caller, [registry, back, caller], asked)])
      }
      return results
    }),
  )
  for (const inFlight of IN_FLIGHT) {
    const of = (count, field) => figures.median(`${count} ${inFlight}`, field)
    showTable(
      [`instances, ${inFlight} in flight`, 'calls/s', 'p50 µs', 'p99 µs', 'CPU µs/request', 'failed'],
      INSTANCES.map((count) => [
        String(count),
        of(count, 'perSec').toFixed(0),
        of(count, 'p50Us').toFixed(0),
        of(count, 'p99Us').toFixed(0),
        of(count, 'cpuUs').toFixed(1),
        String(of(count, 'failed')),
      ]),
    )
  }
  const ratio = (field, inFlight) =>
    figures.median(`${INSTANCES.at(-1)} ${inFlight}`, field) /
    figures.median(`${INSTANCES[0]} ${inFlight}`, field)
  const against = `of ${INSTANCES.at(-1)} instances against ${INSTANCES[0]}`
  judge(`p50 ${against}, 1 in flight`, ratio('p50Us', 1), FLAT)
  judge(`CPU ${against}, 1 in flight`, ratio('cpuUs', 1), FLAT)
  console.log(`shown  CPU ${against}, 32 in flight: ${ratio('cpuUs', 32).toFixed(2)} x`)
}
