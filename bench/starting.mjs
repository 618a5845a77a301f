/**
 * `npm run bench -- start`: how long the shop takes to be ready when its databases are there, and what memory it holds when nobody asks
 * it anything; as a fleet and as a monolith, everything on, with the embedded PostgreSQL.
 *
 * Memory is the proportional set size: what processes share is counted once. Judged is that of our own processes; PostgreSQL's is beside.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { startFleet } from '@flotilla/tests/fleet'
import { pause, until } from './children.mjs'
import { judge, say, showTable, takeTurns } from './figures.mjs'
import { childrenOf, cpuOf } from './proc.mjs'

const IDLE_MS = 5_000
const PLACEMENTS = { fleet: 900, monolith: 250 }

/** Measures; `only` is not heeded. */
export async function measureStart({ repeats }) {
  const cleanUps = []
  try {
    const shops = new Map()
    for (const placement of Object.keys(PLACEMENTS)) {
      say(`the first start of the ${placement}`)
      const shop = await startFleet(
        { after: (cleanUp) => cleanUps.push(cleanUp) },
        { placement, provider: 'instant', environment: { FLOTILLA_LOG_LEVEL: 'warn' } },
      )
      await stop(shop)
      shops.set(placement, shop)
    }
    const figures = await takeTurns(Object.keys(PLACEMENTS), repeats, async (placement) => [
      [placement, await measure(shops.get(placement))],
    ])
    show(figures)
  } finally {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp()
  }
}

function show(figures) {
  const placements = Object.entries(PLACEMENTS)
  showTable(
    ['placement', 'ready after s', 'CPU s', 'memory MB, ours', 'PostgreSQL'],
    placements.map(([placement]) => [
      placement,
      ...['readyS', 'cpuS', 'ownMb', 'postgresMb'].map((field, index) =>
        figures.median(placement, field).toFixed(index < 2 ? 2 : 0),
      ),
    ]),
  )
  for (const [placement, atMost] of placements) {
    judge(`warm start to ready, ${placement}`, figures.median(placement, 'readyS'), { atMost: 3, unit: 's' })
    judge(`idle memory, ${placement}`, figures.median(placement, 'ownMb'), { atMost, unit: 'MB', digits: 0 })
  }
}

async function measure(shop) {
  const startMs = performance.now()
  await shop.startAgain()
  const readyS = (performance.now() - startMs) / 1_000
  const own = [shop.supervisor(), ...shop.processes()].map(({ pid }) => pid)
  const postmaster = shop.postmaster().pid
  const all = [...own, postmaster, ...childrenOf(postmaster)]
  const cpuS = all.reduce((sum, pid) => sum + (cpuOf(pid)?.ownMs ?? 0), 0) / 1_000
  await pause(IDLE_MS)
  const result = {
    readyS,
    cpuS,
    ownMb: memoryOf(own),
    postgresMb: memoryOf([postmaster, ...childrenOf(postmaster)]),
  }
  await stop(shop)
  return result
}

/** As an operator would. */
async function stop(shop) {
  process.kill(shop.supervisor().pid, 'SIGTERM')
  await until('the shop has ended', () => shop.supervisor() === undefined, 60_000)
}

function memoryOf(pids) {
  const bytes = pids.map((pid) => {
    try {
      return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024
    } catch {
      // It has ended meanwhile.
      return 0
    }
  })
  return bytes.reduce((sum, one) => sum + one, 0) / 1e6
}
