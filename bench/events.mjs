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
import { ask, ended, start } from './children.mjs'
import { createDatabase, createDatabases, openServer } from './databases.mjs'
import { judge, showTable, takeTurns } from './figures.mjs'
import { createKeys, hostEnvironment } from './hosts.mjs'
import { spentUsOfTree } from './proc.mjs'
import { hasRabbitmq, withRabbitmq } from './rabbitmq.mjs'
import { app } from './services.mjs'

const FILL = 20_000
const SAGAS = 2_000
const CALM_PER_SEC = 200
const PUBLISHERS = 16
const IN_FLIGHT = 256

/** Opens everything, and has `work` measure; `ask(measure, options)` adds what CPU an event cost. */
async function withSystem(work) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
  const postgres = await openServer(folder)
  const children = []
  let peers = 0
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
    const runPeer = async (peer, options) => {
      const url = await createDatabase(postgres, `${peer}_${peers++}`)
      const child = start('./durable-side.mjs', { args: [peer], env: { NODE_ENV: 'production' } })
      children.push(child)
      const before = spentUsOfTree(postgres.pid)
      const { result, cpuUs } = await ask(child, { url, ...options })
      const postgresUs = spentUsOfTree(postgres.pid) - before
      await ended(child)
      const per = (us) => Math.round(us / result.events)
      return { ...result, cpu: { service: per(cpuUs), log: 0, postgres: per(postgresUs) } }
    }
    const runOurs = async (measure, options) => {
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
    }
    await work(runOurs, runPeer, folder)
  } finally {
    for (const child of children) child.kill()
    await postgres.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

const cpuText = ({ service, log, postgres }) => `${service} + ${log} + ${postgres}`
const CPU = 'CPU µs: service + log + PostgreSQL'

/** From `publish` to the commit of the reaction; how fast a backlog goes; how much goes through for a while. */
export function measureEvents({ seconds, repeats }) {
  return withSystem(async (run, runPeer, folder) => {
    const measures = {
      drainEach: (repeat) => ['drain', { count: FILL, isSet: false, group: `each-${repeat}` }],
      drainSet: (repeat) => ['drain', { count: 0, isSet: true, group: `set-${repeat}` }],
      calm: () => ['latency', { perSec: CALM_PER_SEC, seconds: seconds + 1 }],
      flood: () => ['sustained', { publishers: PUBLISHERS, seconds }],
    }
    const flood = { publishers: PUBLISHERS, seconds }
    const peers = {
      'pg-boss': () => runPeer('pg-boss', flood),
      ...(hasRabbitmq('RabbitMQ') && {
        RabbitMQ: () => withRabbitmq(folder, (broker) => runPeer('rabbitmq', { ...flood, broker })),
      }),
    }
    const sides = [...Object.keys(measures), ...Object.keys(peers)]
    const last = new Map()
    let turn = 0
    const figures = await takeTurns(sides, repeats, async (name) => {
      const repeat = Math.floor(turn++ / sides.length)
      const result = await (peers[name]?.() ?? run(...measures[name](repeat)))
      last.set(name, cpuText(result.cpu))
      return [[name, result]]
    })
    const of = (name, field, digits = 0) => figures.median(name, field).toFixed(digits)
    showTable(
      ['', 'events/s', 'p50 ms', 'p99 ms', CPU],
      [
        [`${CALM_PER_SEC}/s`, '', of('calm', 'p50Ms', 1), of('calm', 'p99Ms', 1), last.get('calm')],
        ['backlog, a statement per event', of('drainEach', 'perSec'), '', '', last.get('drainEach')],
        ['backlog, a statement per batch', of('drainSet', 'perSec'), '', '', last.get('drainSet')],
        ['16 publishers, published', of('flood', 'publishedPerSec'), '', '', ''],
        ['16 publishers, through', of('flood', 'perSec'), '', '', last.get('flood')],
        ...Object.keys(peers).map((peer) => [
          `16 publishers, ${peer}`,
          of(peer, 'perSec'),
          '',
          '',
          last.get(peer),
        ]),
      ],
    )
    console.log('CPU is that of the last repeat; that of the first backlog has its publishing in it')
    judge('through, 16 publishers', figures.median('flood', 'perSec'), {
      atLeast: 5_000,
      unit: '/s',
      digits: 0,
    })
    const against = (peer) => figures.median('flood', 'perSec') / figures.median(peer, 'perSec')
    judge('through, 16 publishers, against pg-boss', against('pg-boss'), { atLeast: 2.5 })
    judge('through, 16 publishers, against RabbitMQ', against('RabbitMQ'), { atLeast: 0.6 })
    judge(`p50 at ${CALM_PER_SEC}/s`, figures.median('calm', 'p50Ms'), { atMost: 5, unit: 'ms' })
    judge(`p99 at ${CALM_PER_SEC}/s`, figures.median('calm', 'p99Ms'), { atMost: 25, unit: 'ms' })
  })
}

/** Steps of sagas whose steps do nothing outside. */
export function measureSagas({ repeats }) {
  return withSystem(async (run, runPeer) => {
    let repeat = 0
    const cpu = new Map()
    const figures = await takeTurns(['sagas', 'dbos'], repeats, async (name) => {
      const options = { count: SAGAS, inFlight: IN_FLIGHT }
      const result = await (name === 'sagas'
        ? run('sagas', { ...options, prefix: `saga-${repeat++}` })
        : runPeer('dbos', options))
      cpu.set(name, cpuText(result.cpu))
      // Ours counts steps.
      return [[name, { perSec: name === 'sagas' ? result.perSec / 2 : result.perSec }]]
    })
    const perSec = (name) => figures.median(name, 'perSec')
    showTable(
      ['two steps', 'sagas/s', CPU],
      [
        ['ours (CPU of a step)', perSec('sagas').toFixed(0), cpu.get('sagas')],
        ['DBOS (CPU of a workflow)', perSec('dbos').toFixed(0), cpu.get('dbos')],
      ],
    )
    judge('sagas/s against DBOS', perSec('sagas') / perSec('dbos'), { atLeast: 5 })
  })
}
