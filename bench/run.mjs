/**
 * `npm run bench -- calls|local|events|sagas|orders|gateway|overload [--repeats N] [--seconds N] [--only NAME,…]`: comparisons side by side, in one run.
 *
 * `--only` names the peers of `calls`, the numbers of buyers of `orders`: `--only 1,8`, or the experiments of
 * `overload`, which ends with an error when a promise is not kept: `--only ten`.
 *
 * Sides take turns, each repeat with fresh processes; medians count. On Linux the calling process is pinned to one core and the
 * answering one to another. What is promised are the ratios; the figures belong to the machine.
 *
 * @module
 */
import { fork, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const folder = fileURLToPath(new URL('.', import.meta.url))
const CALLEES = ['flotilla', 'moleculer', 'nest', 'fastify', 'grpc']
const IN_FLIGHT = [1, 32, 256]
const WARM_MS = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeats: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
  },
})
const [name = ''] = positionals
// An overload has to last.
const usual = name === 'overload' ? { repeats: 1, seconds: 60 } : { repeats: 3, seconds: 2 }
const repeats = Number(values.repeats ?? usual.repeats)
const seconds = Number(values.seconds ?? usual.seconds)
const durationMs = seconds * 1000
const alone = {
  events: ['./events.mjs', 'measureEvents'],
  sagas: ['./events.mjs', 'measureSagas'],
  orders: ['./orders.mjs', 'measureOrders'],
  gateway: ['./gateway.mjs', 'measureGateway'],
  overload: ['./overload.mjs', 'measureOverload'],
}
const comparisons = {
  calls: compareCalls,
  local: compareLocal,
  events: measureAlone,
  sagas: measureAlone,
  orders: measureAlone,
  gateway: measureAlone,
  overload: measureAlone,
}
if (!Object.hasOwn(comparisons, name)) fail(`usage: npm run bench -- ${Object.keys(comparisons).join('|')}`)

if (!Object.hasOwn(alone, name)) installPeers()
console.log(
  `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}, ${repeats} repeats of ${seconds} s, medians\n`,
)
await comparisons[name]()

/** The peers have a lockfile of their own: nobody but this comparison needs them. */
function installPeers() {
  if (existsSync(`${folder}node_modules/moleculer`)) return
  console.log('installing the peers …')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: folder,
    stdio: 'inherit',
  })
  if (status !== 0) fail('npm ci failed in bench/.')
}

function fail(text) {
  console.error(text)
  process.exit(1)
}

/** What has no peer to be compared with. */
async function measureAlone() {
  const [module, measure] = alone[name]
  const measures = await import(module)
  const isRight = await measures[measure]({ seconds, repeats, only: values.only })
  if (isRight === false) process.exitCode = 1
}

/** Calls between two processes. */
async function compareCalls() {
  const peers = values.only?.split(',') ?? CALLEES
  const results = new Map()
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const peer of peers) {
      process.stdout.write(`\rrepeat ${repeat} of ${repeats}: ${peer.padEnd(12)}`)
      for (const [inFlight, result] of await callsOf(peer)) add(results, `${peer} ${inFlight}`, result)
    }
  }
  console.log('\r'.padEnd(40))
  for (const inFlight of IN_FLIGHT) {
    const moleculer = medianOf(results.get(`moleculer ${inFlight}`), 'perSec')
    console.log(
      `${inFlight} in flight`.padEnd(16),
      '   calls/s  x Moleculer   p50 µs   p99 µs   CPU µs: client + server',
    )
    for (const peer of peers) {
      const of = results.get(`${peer} ${inFlight}`)
      const perSec = medianOf(of, 'perSec')
      console.log(
        `  ${peer.padEnd(14)}`,
        perSec.toFixed(0).padStart(9),
        (moleculer ? (perSec / moleculer).toFixed(2) : '-').padStart(12),
        medianOf(of, 'p50Us').toFixed(0).padStart(8),
        medianOf(of, 'p99Us').toFixed(0).padStart(8),
        `${medianOf(of, 'cpuUs').toFixed(1)} + ${medianOf(of, 'serverCpuUs').toFixed(1)}`.padStart(16),
      )
    }
  }
}

/** One pair of processes, all numbers in flight. */
async function callsOf(peer) {
  const server = side('server', peer, 1)
  const client = side('client', peer, 0)
  try {
    const { address } = await answer(server)
    const results = []
    for (const inFlight of IN_FLIGHT) {
      await ask(client, { address, inFlight, durationMs: WARM_MS })
      await ask(server, {})
      const result = await ask(client, { address, inFlight, durationMs })
      const { cpuUs } = await ask(server, {})
      results.push([inFlight, { ...result, serverCpuUs: cpuUs / result.calls }])
    }
    return results
  } finally {
    server.kill()
    client.kill()
  }
}

/** Calls inside one process. */
async function compareLocal() {
  const results = new Map()
  const peers = ['flotilla', 'moleculer']
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const peer of peers) {
      process.stdout.write(`\rrepeat ${repeat} of ${repeats}: ${peer.padEnd(12)}`)
      const child = side('local', peer, 1)
      add(results, peer, await ask(child, { durationMs }))
      child.kill()
    }
  }
  console.log('\r'.padEnd(40))
  const moleculer = medianOf(results.get('moleculer'), 'perSec')
  for (const peer of peers) {
    const perSec = medianOf(results.get(peer), 'perSec')
    console.log(
      peer.padEnd(12),
      `${perSec.toFixed(0)} calls/s`.padStart(18),
      `${(1e6 / perSec).toFixed(2)} µs`.padStart(10),
      `${(perSec / moleculer).toFixed(2)} x Moleculer`.padStart(18),
    )
  }
}

function side(role, peer, core) {
  const isPinned = process.platform === 'linux' && cpus().length > 1 && existsSync('/usr/bin/taskset')
  const options = isPinned
    ? { execPath: '/usr/bin/taskset', execArgv: ['-c', String(core), process.execPath] }
    : {}
  return fork(`${folder}side.mjs`, [role, peer], {
    ...options,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

function answer(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`a side ended with ${code}`)))
  })
}

function ask(child, message) {
  const answered = answer(child)
  child.send(message)
  return answered
}

function add(results, key, result) {
  results.set(key, [...(results.get(key) ?? []), result])
}

function medianOf(list, field) {
  const sorted = (list ?? []).map((result) => result[field]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
