/**
 * `npm run bench -- NAME [--repeats N] [--seconds N] [--only NAME,…] [--rows N]`: comparisons side by side, in one run; `--help` lists them,
 * `all` runs one after the other. What each compares and how to read it: docs/benchmarks.md.
 *
 * Sides take turns, each repeat with fresh processes; medians count. On Linux the calling process is pinned to one core and the
 * answering one to another. What is promised are the ratios; the figures belong to the machine.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Every comparison: where it is, what it compares, whether it needs the peers, and what is not as usual. */
const comparisons = {
  gateway: {
    from: ['./gateway.mjs', 'measureGateway'],
    about: 'the gateway, all on, before a service; nginx bare, JavaScript gateways with JWT and limit',
    hasPeers: true,
  },
  upstream: {
    from: ['./gateway.mjs', 'measureUpstream'],
    about: 'the gateway, all on, before a foreign HTTP server; JavaScript proxies and nginx bare',
    hasPeers: true,
  },
  cache: {
    from: ['./gateway.mjs', 'measureCache'],
    about: 'answers kept by the gateway, JWT and limit on; by nginx and Varnish',
  },
  calls: {
    from: ['./calls.mjs', 'measureCalls'],
    about: 'calls between two processes, all on; Moleculer, NestJS, undici + fastify, gRPC bare',
    hasPeers: true,
  },
  local: {
    from: ['./calls.mjs', 'measureLocal'],
    about: 'calls inside one process, all on; Moleculer bare',
    hasPeers: true,
  },
  events: {
    from: ['./events.mjs', 'measureEvents'],
    about: 'durable events from their publication to the commit of the reaction; pg-boss, RabbitMQ',
    hasPeers: true,
  },
  sagas: {
    from: ['./events.mjs', 'measureSagas'],
    about: 'durable sagas of two steps; DBOS',
    hasPeers: true,
  },
  orders: {
    from: ['./orders.mjs', 'measureOrders'],
    about: 'whole orders through the shop, as a fleet and as a monolith, by number of buyers',
  },
  start: {
    from: ['./starting.mjs', 'measureStart'],
    about: 'warm start of the shop to ready, and its memory when idle',
  },
  growth: {
    from: ['./growth.mjs', 'measureGrowth'],
    about: 'longer chains of calls, more instances, more orders in the database',
  },
  faults: {
    from: ['./faults.mjs', 'measureFaults'],
    about: 'what callers see of dead, ill and killed instances, beside controls',
  },
  overload: {
    from: ['./overload.mjs', 'measureOverload'],
    about: 'ten times the load that can be answered, beside controls',
    // An overload has to last.
    repeats: 1,
    seconds: 60,
  },
  telemetry: {
    from: ['./telemetry.mjs', 'measureTelemetry'],
    about:
      'the telemetry store with ten minutes of 1,000 spans and 2,000 log lines a second, while it is asked',
    repeats: 1,
    seconds: 60,
  },
  observing: {
    from: ['./observing.mjs', 'measureObserving'],
    about: 'what telemetry costs requests, calls and orders, on as by default and off',
    repeats: 8,
    seconds: 1,
  },
  console: {
    from: ['./console.mjs', 'measureConsole'],
    about:
      'a running shop whose control process keeps 1,000 spans and 2,000 log lines a second more, while a console asks it',
    repeats: 1,
    seconds: 600,
  },
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeats: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    rows: { type: 'string' },
    help: { type: 'boolean' },
  },
})
const [name] = positionals

if (values.help) console.log(usage())
else if (name === 'all') runAll()
else if (Object.hasOwn(comparisons, name ?? '')) await run(comparisons[name])
else fail(usage())

function usage() {
  const lines = Object.entries(comparisons).map(([one, { about }]) => `  ${one.padEnd(10)} ${about}`)
  return [
    'npm run bench -- NAME [--repeats 3] [--seconds 2] [--only A,B]',
    '',
    ...lines,
    `  ${'all'.padEnd(10)} all of them in turn`,
    '',
    '--only names sides (gateway, upstream, cache, calls, local), numbers of buyers (orders: 1,8), parts (growth, faults, overload) or workloads (observing);',
    '--rows is how many orders growth goes up to (100000).',
  ].join('\n')
}

async function run({ from: [module, measure], hasPeers = false, ...usual }) {
  if (hasPeers) installPeers()
  const repeats = Number(values.repeats ?? usual.repeats ?? 3)
  const seconds = Number(values.seconds ?? usual.seconds ?? 2)
  console.log(
    `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, Node ${process.version}, load before ${loadavg()[0].toFixed(2)}, ` +
      `${repeats} repeats of ${seconds} s, medians\n`,
  )
  const measures = await import(module)
  const isRight = await measures[measure]({ seconds, repeats, only: values.only, rows: values.rows })
  if (isRight === false) process.exitCode = 1
}

/** Each in a process of its own, so that none finds what another has left. */
function runAll() {
  const names = Object.keys(comparisons)
  const options = ['repeats', 'seconds', 'rows'].flatMap((option) =>
    values[option] === undefined ? [] : [`--${option}`, values[option]],
  )
  const wrong = names.filter((one, index) => {
    console.log(`${index === 0 ? '' : '\n'}── ${index + 1} of ${names.length}: ${one}`)
    const args = [fileURLToPath(import.meta.url), one, ...options]
    return spawnSync(process.execPath, args, { stdio: 'inherit' }).status !== 0
  })
  if (wrong.length > 0) fail(`\nended with an error: ${wrong.join(', ')}`)
}

/** The peers have a lockfile of their own: nobody but this comparison needs them. */
function installPeers() {
  if (existsSync(`${folder}node_modules/rabbitmq-client`)) return
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
