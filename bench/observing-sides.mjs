/**
 * The two sides of `observing.mjs`: systems with telemetry as it is by default, and with all of it off that can be.
 *
 * On are spans (recorded, chosen, kept, sent by OTLP), metrics (counted and fetched), log lines of level info and the gateway's access log. Off is what `OTEL_SDK_DISABLED=true`, `FLOTILLA_LOG_LEVEL=silent` and
 * `GATEWAY_ACCESS_LOG=off` leave off. At both sides trace ids are drawn and travel, as the standard has it, and clocks are read,
 * which deadlines and latency-aware balancing need.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ask, ended, MEASURED_CORE, OTHER_CORE, pause, start } from './children.mjs'
import { openGateway } from './fronts/flotilla.mjs'
import { createKeys, hostEnvironment } from './hosts.mjs'
import { load } from './http-load.mjs'
import { measure, openShop } from './orders.mjs'
import { spentUsOf } from './proc.mjs'

const CONNECTIONS = 64
const IN_FLIGHT = 32
const BUYERS = 8
/** So much work warms a side up, however busy the machine is; not for longer than this. */
const WARM_COUNT = 100_000
const WARM_MS_MAX = 30_000
/** All of a fleet has to be warm. */
const WARM_ORDERS = 300
const OFF = { OTEL_SDK_DISABLED: 'true', FLOTILLA_LOG_LEVEL: 'silent', GATEWAY_ACCESS_LOG: 'off' }

/** A gateway before a service, asked by wrk. `off`: what is off when it is not on. */
export async function openGatewaySide(isOn, cleanUps, off = OFF) {
  const folder = folderFor(cleanUps)
  const isWatched = isOn || off !== OFF
  const watcher = isWatched ? await openWatcher(folder, cleanUps) : undefined
  const environment = { ...watcher?.environment, ...(isOn ? {} : off) }
  const front = await openGateway(folder, '/api/v1/products/AUD-0007', environment)
  cleanUps.push(() => front.close())
  return sideOf(front.hosts, watcher, async (seconds) => {
    const { requests, failed, p99Ms } = await load(front, CONNECTIONS, Math.max(1, Math.round(seconds)))
    return { count: requests, failed, besides: { 'p99 ms': p99Ms } }
  })
}

/** The same, but for the access log alone. */
export function openAccessLogSide(isOn, cleanUps) {
  return openGatewaySide(isOn, cleanUps, { GATEWAY_ACCESS_LOG: 'off' })
}

/** Two hosts, of which one calls the other. */
export async function openCallsSide(isOn, cleanUps) {
  const folder = folderFor(cleanUps)
  const watcher = isOn ? await openWatcher(folder, cleanUps) : undefined
  const keys = createKeys()
  const hosts = []
  let caller
  for (const [instance, services, core, registry] of [
    ['callee', ['registry', 'bench'], MEASURED_CORE],
    ['caller', ['caller'], OTHER_CORE, 'callee'],
  ]) {
    const child = start('./host.mjs', { core })
    cleanUps.push(() => ended(child))
    const environment = {
      ...hostEnvironment({ folder, keys, instance, services, registry }),
      ...(watcher?.environment ?? OFF),
    }
    const { http } = await ask(child, { module: './calling-app.mjs', environment })
    hosts.push({ name: instance, pid: child.pid, http })
    caller = child
  }
  return sideOf(hosts, watcher, async (seconds) => {
    const { calls, failed, p99Us } = await ask(caller, { inFlight: IN_FLIGHT, durationMs: seconds * 1_000 })
    return { count: calls, failed, besides: { 'p99 ms': p99Us / 1_000 } }
  })
}

/** The shop with its control process, which keeps telemetry and fetches metrics; it is told beside the services. */
export async function openOrdersSide(isOn, cleanUps) {
  const system = await openShop(cleanUps, 'fleet', BUYERS, isOn ? {} : OFF)
  // A piece begins when all buyers buy again.
  const piece = async (seconds, warmMs = 500) => {
    const { cpu, perSec, confirmedP99 } = await measure(system, BUYERS, seconds, warmMs)
    const sum = (isIt) => cpu.reduce((all, [name, ms]) => (isIt(name) ? all + ms : all), 0)
    const isDatabase = (name) => name.startsWith('pg ')
    const isControl = (name) => name === 'supervisor' || name.includes('control')
    const count = perSec * seconds
    const spentUs = { services: sum((name) => !isDatabase(name) && !isControl(name)) * 1_000 * count }
    const besides = {
      'control process, CPU ms/order': sum(isControl),
      'PostgreSQL, CPU ms/order': sum(isDatabase),
      'confirmed p99 ms': confirmedP99,
    }
    return { spentUs, count, failed: 0, besides }
  }
  return {
    warm: () => warm((seconds) => piece(seconds * 3, 0), WARM_ORDERS),
    piece: (seconds) => piece(seconds),
  }
}

function sideOf(hosts, watcher, work) {
  const piece = async (seconds, isLooked) => {
    const fetched =
      watcher && isLooked && pause((seconds * 1_000) / 2).then(() => watcher.fetchMetrics(hosts))
    const before = hosts.map(({ pid }) => spentUsOf(pid))
    const { count, ...result } = await work(seconds)
    const after = hosts.map(({ pid }) => spentUsOf(pid))
    await fetched
    if (watcher?.spans() === 0) throw new Error('no span has come: nothing is observed')
    const spentUs = Object.fromEntries(hosts.map(({ name }, index) => [name, after[index] - before[index]]))
    return { ...result, count, spentUs }
  }
  // All that will be done: what is done for the first time has code of others compiled anew.
  return { warm: () => warm((seconds) => piece(seconds, true), WARM_COUNT), piece }
}

async function warm(work, enough) {
  const endMs = performance.now() + WARM_MS_MAX
  for (let count = 0; count < enough && performance.now() < endMs; ) count += (await work(1)).count
}

/** Whoever keeps telemetry, as far as those notice who send it; in our own process, which has nothing else to do meanwhile. */
async function openWatcher(folder, cleanUps) {
  let spans = 0
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => {
      body += text
    })
    request.on('end', () => {
      spans += body.split('"spanId"').length - 1
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${server.address().port}`,
      FLOTILLA_LOG_LEVEL: 'info',
      BENCH_LOG: join(folder, 'hosts.log'),
    },
    spans: () => spans,
    async fetchMetrics(hosts) {
      for (const { http } of hosts) await (await fetch(`${http}/metrics`)).text()
    },
  }
}

function folderFor(cleanUps) {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
