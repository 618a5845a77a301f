/**
 * `npm run bench -- events|sagas`: the way of an event from its publication to the commit of its reaction, and steps of
 * durable sagas, on an embedded PostgreSQL with the settings of the platform: every commit is on disk.
 *
 * Three processes: the log, the service, PostgreSQL. CPU time per event is told beside the rates, because it depends less
 * on what else the machine does.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, start } from './children.mjs'
import { createDatabases, openServer } from './databases.mjs'
import { createKeys, hostEnvironment } from './hosts.mjs'
import { spentUsOfTree } from './proc.mjs'
import { app } from './services.mjs'

const FILL = 20_000
const SAGAS = 2_000

/** Opens everything, and has `work` measure; `ask(measure, options)` adds what CPU an event cost. */
async function withSystem(work) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
  const postgres = await openServer(folder)
  const children = []
  try {
    const environment = await createDatabases({ postgres, app, services: ['events', 'bench'] })
    const keys = createKeys()
    const open = async (instance, services, registry) => {
      const child = start('./host.mjs')
      children.push(child)
      const own = hostEnvironment({ folder, keys, instance, services, registry })
      const all = { ...environment, ...own, FLOTILLA_POOL_MAX: '20' }
      await ask(child, { module: './services.mjs', environment: all })
      return child
    }
    const log = await open('log', ['registry', 'events'])
    const bench = await open('bench', ['bench'], 'log')
    await work(async (measure, options) => {
      await Promise.all([ask(log, { cpu: true }), ask(bench, { cpu: true })])
      const before = spentUsOfTree(postgres.pid)
      const { result } = await ask(bench, { measure, options })
      const [{ cpuUs: logUs }, { cpuUs: benchUs }] = [
        await ask(log, { cpu: true }),
        await ask(bench, { cpu: true }),
      ]
      const per = (us) => Math.round(us / result.events)
      return {
        ...result,
        cpu: { service: per(benchUs), log: per(logUs), postgres: per(spentUsOfTree(postgres.pid) - before) },
      }
    })
  } finally {
    for (const child of children) child.kill()
    await postgres.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const show = ({ service, log, postgres }) =>
  `CPU µs per event: service ${service}, log ${log}, PostgreSQL ${postgres}`

/** From `publish` to the commit of the reaction; how fast a backlog goes; how much goes through for a while. */
export function measureEvents({ seconds, repeats }) {
  return withSystem(async (run) => {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const drains = [await run('drain', { count: FILL, isSet: false, group: `each-${repeat}` })]
      drains.push(await run('drain', { count: 0, isSet: true, group: `set-${repeat}` }))
      const steady = await run('latency', { perSec: 500, seconds: seconds + 1 })
      const flood = await run('sustained', { publishers: 16, seconds })
      console.log(`repeat ${repeat}`)
      console.log(
        `  500/s        p50 ${steady.p50Ms.toFixed(1)} ms, p99 ${steady.p99Ms.toFixed(1)} ms; ${show(steady.cpu)}`,
      )
      console.log(
        `  drain        ${drains[0].perSec.toFixed(0)}/s, a statement per event; ${show(drains[0].cpu)}, publishing included`,
      )
      console.log(
        `  drain        ${drains[1].perSec.toFixed(0)}/s, a statement per batch; ${show(drains[1].cpu)}`,
      )
      console.log(
        `  16 publishers ${flood.publishedPerSec.toFixed(0)}/s published, ${flood.perSec.toFixed(0)}/s through, ${flood.behind} behind at the end; ${show(flood.cpu)}`,
      )
    }
  })
}

/** Steps of sagas whose steps do nothing outside. */
export function measureSagas({ repeats }) {
  return withSystem(async (run) => {
    for (let repeat = 1; repeat <= repeats; repeat++) {
      const result = await run('sagas', { count: SAGAS, inFlight: 256, prefix: `saga-${repeat}` })
      console.log(
        `repeat ${repeat}: ${result.perSec.toFixed(0)} steps/s; ${show(result.cpu).replace('event', 'step')}`,
      )
    }
  })
}
