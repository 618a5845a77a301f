/**
 * `npm run bench -- gateway`: the gateway with everything that is on by default before a service, against nginx proxying and doing
 * nothing else; one core each, the generator (wrk) and what stands behind on the other.
 *
 * Where one core is not enough for generator and upstream together, requests per second tell more of them than of what is measured:
 * the CPU time of a request does not depend on them, and its inverse is what one core could do.
 *
 * @module
 */
import { execFile, fork, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock as clock } from '@flotilla/core/clock'
import { createKeyPair, Signer } from '@flotilla/core/credentials'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { body } from './gateway-app.mjs'
import { childrenOf, cpuOf } from './proc.mjs'

const HOST = fileURLToPath(new URL('./host.mjs', import.meta.url))
const CONNECTIONS = [8, 64, 512]
const UPSTREAM_CORE = '0'
const MEASURED_CORE = '1'
const run = promisify(execFile)

/** What is compared: each opens and gives its URL, the processes that are measured, and how to close it. */
const peers = { flotilla: openFlotilla, nginx: openNginx }

/** Compares; `only` names peers, comma-separated. */
export async function measureGateway({ seconds, repeats, only }) {
  const names = only?.split(',') ?? Object.keys(peers)
  const results = new Map()
  for (let repeat = 1; repeat <= repeats; repeat++) {
    for (const name of names) {
      process.stdout.write(`\rrepeat ${repeat} of ${repeats}: ${name.padEnd(12)}`)
      const folder = mkdtempSync(join(tmpdir(), 'flotilla-bench-'))
      const peer = await peers[name](folder)
      try {
        await load(peer, 64, 2)
        for (const connections of CONNECTIONS) {
          const result = await load(peer, connections, seconds)
          const key = `${name} ${connections}`
          results.set(key, [...(results.get(key) ?? []), result])
        }
      } finally {
        await peer.close()
        rmSync(folder, { recursive: true, force: true })
      }
    }
  }
  show(names, results)
}

function show(names, results) {
  console.log('\r'.padEnd(40))
  for (const connections of CONNECTIONS) {
    const nginx = results.get(`nginx ${connections}`)
    console.log(
      `${connections} connections`.padEnd(18),
      'requests/s  CPU µs/request  x nginx by CPU   p50 ms   p99 ms  not 2xx',
    )
    for (const name of names) {
      const of = results.get(`${name} ${connections}`)
      const cpuUs = medianOf(of, 'cpuUs')
      console.log(
        `  ${name.padEnd(16)}`,
        medianOf(of, 'perSec').toFixed(0).padStart(10),
        cpuUs.toFixed(1).padStart(15),
        (nginx === undefined ? '-' : (medianOf(nginx, 'cpuUs') / cpuUs).toFixed(2)).padStart(15),
        medianOf(of, 'p50Ms').toFixed(2).padStart(8),
        medianOf(of, 'p99Ms').toFixed(2).padStart(8),
        String(medianOf(of, 'failed')).padStart(8),
      )
    }
  }
}

/** Has wrk ask for so long. */
async function load({ url, headers, pids }, connections, seconds) {
  const before = sumOf(pids)
  const { stdout } = await run('taskset', [
    '-c',
    UPSTREAM_CORE,
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    ...headers.flatMap((header) => ['-H', header]),
    url,
  ])
  const spentUs = (sumOf(pids) - before) * 1000
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  return {
    perSec: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    cpuUs: spentUs / requests,
    p50Ms: millisecondsOf(/50%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    p99Ms: millisecondsOf(/99%\s+([\d.]+\w+)/.exec(stdout)?.[1]),
    failed: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
  }
}

const sumOf = (pids) => pids.reduce((sum, pid) => sum + (cpuOf(pid)?.ownMs ?? 0), 0)

function millisecondsOf(text = '') {
  const [, number, unit] = /^([\d.]+)(\w+)$/.exec(text) ?? []
  return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit]
}

function medianOf(list, field) {
  const sorted = (list ?? []).map((result) => result[field]).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Registry and service in one process, the gateway in another, frames between them. */
async function openFlotilla(folder) {
  const keys = { process: createKeyPair(), user: createKeyPair() }
  const token = await generateKeyPair('ES256', { extractable: true })
  const port = await freePort()
  const environment = (name, services) => {
    const signer = new Signer(keys.process.privateKey)
    const socket = (of) => `unix:${join(folder, `${of}.sock`)}`
    return {
      FLOTILLA_SERVICES: services.join(','),
      FLOTILLA_INSTANCE: name,
      FLOTILLA_FRAMES: socket(name),
      FLOTILLA_REGISTRY: name === 'back' ? '' : socket('back'),
      FLOTILLA_PROCESS_KEY: keys.process.publicKey,
      FLOTILLA_USER_KEY: keys.user.publicKey,
      FLOTILLA_CREDENTIAL: signer.process({ instance: name, services, expiresAt: clock.now() + 3_600_000 }),
      FLOTILLA_LOG_LEVEL: 'warn',
      GATEWAY_PORT: String(port),
      GATEWAY_USER_SIGNING_KEY: keys.user.privateKey,
      GATEWAY_ACCESS_LOG: join(folder, 'access.log'),
      // Counted like any other, and never reached.
      GATEWAY_ADDRESS_PER_MINUTE: '1000000000',
      GATEWAY_PREMIUM_PER_MINUTE: '1000000000',
    }
  }
  const jwk = { ...(await exportJWK(token.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  const children = []
  const start = async (name, services, core) => {
    const child = fork(HOST, {
      execPath: '/usr/bin/taskset',
      execArgv: ['-c', core, process.execPath],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, BENCH_TOKEN_KEY: JSON.stringify(jwk) },
    })
    children.push(child)
    await ask(child, { module: './gateway-app.mjs', environment: environment(name, services) })
    return child.pid
  }
  await start('back', ['registry', 'bench'], UPSTREAM_CORE)
  const pid = await start('edge', ['gateway'], MEASURED_CORE)
  const bearer = await new SignJWT({ roles: ['user'], tier: 'premium' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
    .setSubject('anna')
    .setIssuer('https://bench.test')
    .setAudience('bench')
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(token.privateKey)
  return {
    url: `http://127.0.0.1:${port}/api/v1/products/AUD-0007`,
    headers: [`authorization: Bearer ${bearer}`],
    pids: [pid],
    async close() {
      for (const child of children) await ended(child)
    },
  }
}

/** One worker that proxies to another nginx, whose answer stands in its configuration. */
async function openNginx(folder) {
  const [back, front] = [await freePort(), await freePort()]
  const upstream = await startNginx(
    folder,
    'back',
    UPSTREAM_CORE,
    `server { listen 127.0.0.1:${back}; keepalive_requests 1000000000;
      location / { default_type application/json; return 200 '${body}'; } }`,
  )
  const proxy = await startNginx(
    folder,
    'front',
    MEASURED_CORE,
    `upstream back { server 127.0.0.1:${back}; keepalive 512; keepalive_requests 1000000000; }
    server { listen 127.0.0.1:${front}; keepalive_requests 1000000000;
      location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ''; } }`,
  )
  return {
    url: `http://127.0.0.1:${front}/api/v1/products/AUD-0007`,
    headers: [],
    pids: childrenOf(proxy.pid),
    async close() {
      await ended(proxy)
      await ended(upstream)
    },
  }
}

async function startNginx(folder, name, core, servers) {
  const path = join(folder, `${name}.conf`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/${name}-${kind};`)
    .join(' ')
  writeFileSync(
    path,
    `daemon off; worker_processes 1; pid ${folder}/${name}.pid; error_log ${folder}/${name}.log;
    events { worker_connections 4096; }
    http { access_log off; ${temporary} ${servers} }`,
  )
  const child = spawn('taskset', ['-c', core, 'nginx', '-c', path, '-p', folder], { stdio: 'inherit' })
  while (childrenOf(child.pid).length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
  return child
}

function ended(child) {
  return new Promise((resolve) => {
    if (child.exitCode !== null) return resolve()
    child.once('exit', resolve)
    // A host ends by itself when nobody is left to tell it anything.
    if (child.connected) child.disconnect()
    else child.kill()
  })
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function ask(child, message) {
  return new Promise((resolve, reject) => {
    const onExit = (code) => reject(new Error(`a host ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (answer) => {
      child.off('exit', onExit)
      resolve(answer)
    })
    child.send(message)
  })
}
