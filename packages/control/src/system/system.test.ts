import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { isFlotillaError } from '@flotilla/core/error'
import { findFreePort } from '@flotilla/core/free-port'
import { createIds } from '@flotilla/core/ids'
import { createLogger } from '@flotilla/core/log'
import { systemRandom } from '@flotilla/core/random'
import { removeFolder } from '@flotilla/core/remove-folder'
import { until } from '@flotilla/core/until'
import { openTelemetryStore } from '../telemetry/telemetry-store.ts'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { loadAllServices, loadApp } from './app-module.ts'
import { type DataFolder, Secrets } from './data-folder.ts'
import { openSystem, type System } from './system.ts'

const READY = `const tell = () => process.send({ kind: 'stats', cpuMs: 0, rssBytes: 1, inFlight: 0, loopDelayMs: 0 })
process.send({ kind: 'ready', http: '' }); setInterval(tell, 1_000)`
const CRASH = `console.log(JSON.stringify({ level: 'error', message: 'the harbour is closed' })); process.exit(78)`

/** The app of a harbour, as a checkout has it. */
const APP = `
import { defineContract } from ${JSON.stringify(import.meta.resolve('@flotilla/core/contract'))}
import { defineService } from ${JSON.stringify(import.meta.resolve('@flotilla/core/service'))}
const contract = defineContract({ name: 'harbour', version: 1, summary: 'A harbour', operations: {} })
const harbour = defineService({ contract, open: () => ({}) })
export const app = {
  name: 'test',
  folder: '',
  services: { harbour: async () => harbour },
  outside: [
    {
      service: 'harbour',
      port: 8070,
      tells: [{ service: 'harbour', field: 'callUrl', value: 'http://127.0.0.1:{gateway}/ships' }],
    },
  ],
  secrets: [{ service: 'harbour', field: 'key', name: 'of the lock' }],
}
`

interface Bed {
  readonly folder: DataFolder
  /** Lines of the supervisor's own log. */
  readonly lines: readonly string[]
  /** Of the harbour, which is outside the system. */
  readonly harbourPort: number
  readonly open: (signal?: AbortSignal) => Promise<System>
}

/** A system of one host, `main`, whose processes run `program`; its server is that of the tests. */
async function makeBed(t: TestContext, program: string, prepare = 'process.exit(0)'): Promise<Bed> {
  const systems: System[] = []
  // Before the folder is removed: until then its control process writes there.
  t.after(() => Promise.all(systems.map((system) => system.close().catch(() => {}))))
  const folder = makeDataFolder(t)
  const main = join(folder.path, 'main.cjs')
  writeFileSync(main, `if (process.argv[2] === 'prepare') ${prepare}\nelse { ${program} }`)
  const { path: root } = makeDataFolder(t)
  mkdirSync(join(root, 'harbour/bundle'), { recursive: true })
  writeFileSync(join(root, 'package.json'), '{"type":"module","flotilla":{"app":"harbour"}}')
  writeFileSync(join(root, 'harbour/bundle/main.js'), '')
  writeFileSync(join(root, 'harbour/bundle/app.js'), APP)
  const found = await loadApp(root)
  const lines: string[] = []
  const tcp = {
    gateway: await findFreePort(),
    control: await findFreePort(),
    registry: await findFreePort(),
    postgres: await findFreePort(),
    outside: { harbour: await findFreePort() },
  }
  const open = async (signal = new AbortController().signal): Promise<System> => {
    const system = await openSystem({
      module: { ...found, main },
      services: await loadAllServices(found.app),
      placeable: [{ name: 'harbour', calls: [], isSingle: true, isOutside: true }],
      placement: { name: 'test', hosts: { main: { services: ['harbour'], instances: 1 } } },
      folder,
      secrets: new Secrets(folder, systemRandom),
      tcp,
      ports: { clock: systemClock, random: systemRandom, newId: createIds(systemClock, systemRandom) },
      environment: {
        DATABASE_URL: process.env['FLOTILLA_TEST_DATABASE_URL'],
        FLOTILLA_DRAIN_DELAY_MS: '0',
      },
      log: createLogger({
        level: 'error',
        clock: systemClock,
        fields: {},
        destination: { write: (text: string) => void lines.push(text) },
      }),
      onStep: () => {},
      onEnd: () => {},
      onDown: () => {},
      onLost: () => {},
      signal,
    })
    systems.push(system)
    return system
  }
  return { folder, lines, harbourPort: tcp.outside.harbour, open }
}

describe('openSystem', () => {
  it('does not wait for a host that always crashes: names it, with its last words, and leaves nothing', async (t) => {
    const { folder, open } = await makeBed(t, CRASH)
    await assert.rejects(open(), (error) => {
      assert.ok(isFlotillaError(error))
      assert.match(
        error.message,
        /^main-1 does not start \(exit code 78 after [\d.]+ s\)\. Its last words, from .*main-1\.log:\n( {2}error: the harbour is closed\n?)+$/,
      )
      return error.code === 'failed_precondition'
    })
    assert.equal(existsSync(join(folder.path, 'control.json')), false)
    assert.deepEqual(folder.readJson('processes.json'), [])
  })

  it('tells services what follows from ports, and their secrets', async (t) => {
    const program = `require('node:fs').writeFileSync(__dirname + '/told.json', JSON.stringify(process.env)); ${READY}`
    const { folder, open, harbourPort } = await makeBed(t, program)
    const { gateway } = await open()
    const told = folder.readJson<Record<string, string>>('told.json')
    assert.equal(told?.['HARBOUR_PORT'], String(harbourPort))
    assert.equal(told['HARBOUR_CALL_URL'], `${gateway}/ships`)
    assert.equal(told['HARBOUR_KEY'], new Secrets(folder, systemRandom).get('shared of the lock'))
    assert.match(told['HARBOUR_KEY'] ?? '', /^[\w-]{24}$/)
  })

  it('starts nothing when the port of a service that stands for the outside world is taken', async (t) => {
    const { folder, open, harbourPort } = await makeBed(t, READY)
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(harbourPort, '127.0.0.1', resolve))
    t.after(() => {
      other.close()
    })
    await assert.rejects(open(), {
      code: 'failed_precondition',
      message: `Port ${harbourPort}, which the harbour needs, is taken by another program; stop it, or choose another port with FLOTILLA_HARBOUR_PORT.`,
    })
    assert.equal(existsSync(join(folder.path, 'processes.json')), false)
  })

  it('tells of a host that was ready and crashes again and again, and is not ready until it is', async (t) => {
    const program = `if (require('node:fs').existsSync(__dirname + '/loop')) { ${CRASH} } else { ${READY} }`
    const { folder, open } = await makeBed(t, program)
    const { control, processes } = await open()
    const token = new Secrets(folder, systemRandom).get('control token')
    const ask = async (operation: string): Promise<string> => {
      const answer = await fetch(`${control}/operations/control.${operation}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: '{}',
      })
      return answer.text()
    }
    assert.match(await ask('status'), /"isReady":true.*"isLooping":false/)
    writeFileSync(join(folder.path, 'loop'), '')
    process.kill(processes[0]?.pid as number, 'SIGKILL')
    await until('it is a loop', async () => (await ask('status')).includes('"isLooping":true'))
    assert.match(await ask('status'), /"isReady":false/)
    assert.match(await ask('processes'), /"isLooping":true.*"lastEnd":"exit code 78 after/)
    rmSync(join(folder.path, 'loop'))
    await until('it runs again', async () => (await ask('status')).includes('"isReady":true'))
  })

  it('looks no more when it is to stop, and takes what its processes say last', async (t) => {
    // Longer than it takes to the next look at metrics.
    const ending = `process.on('SIGTERM', () => setTimeout(() => { console.log('farewell'); process.exit() }, 6_000)); ${READY}`
    const { folder, open } = await makeBed(t, ending)
    const system = await open()
    const closingMs = systemClock.now()
    await system.close()
    const log = { warn: () => {} }
    const store = await openTelemetryStore({
      folder: join(folder.path, 'telemetry'),
      clock: systemClock,
      log,
    })
    t.after(() => store.close())
    const { samples } = (await store.stats()).kinds
    assert.ok((samples.newestMs ?? 0) < closingMs + 1_000)
    const range = { fromMs: closingMs - 60_000, toMs: systemClock.now() + 1_000 }
    const { lines } = await store.searchLogs({ ...range, query: 'farewell' })
    assert.deepEqual(
      lines.map(({ instance }) => instance),
      ['main-1'],
    )
  })

  it('stops though the control process is killed meanwhile, and does not start it again', async (t) => {
    const ending = `process.on('SIGTERM', () => setTimeout(() => process.exit(), 1_000)); ${READY}`
    const { folder, open } = await makeBed(t, ending)
    const system = await open()
    const { pid = 0 } = system.processes.find(({ name }) => name === 'control') ?? {}
    const recorded = (): number[] =>
      (folder.readJson<{ pid: number }[]>('processes.json') ?? []).map((one) => one.pid)
    const before = recorded()
    let isOver = false
    const closed = system.close().finally(() => {
      isOver = true
    })
    process.kill(pid, 'SIGKILL')
    const added = new Set<number>()
    await until('it has stopped', () => {
      for (const one of recorded()) if (!before.includes(one)) added.add(one)
      return isOver
    })
    await closed
    assert.deepEqual([[...added], recorded()], [[], []])
  })

  it('ends its processes though its data folder is gone, and says what it could not write', async (t) => {
    const { folder, lines, open } = await makeBed(t, READY)
    const system = await open()
    const pid = system.processes[0]?.pid as number
    process.kill(pid, 0)
    await removeFolder(folder.path)
    await system.close()
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    assert.match(lines.join(''), /ENOENT.*the processes could not be written down/)
  })

  it('waits no longer for a host that hangs at its start when it is to stop', async (t) => {
    const { folder, open } = await makeBed(t, `setInterval(() => {}, 1_000)`)
    const stop = new AbortController()
    const opening = open(stop.signal)
    await until('the host is started', () => (folder.readJson<unknown[]>('processes.json') ?? []).length > 0)
    stop.abort()
    await assert.rejects(opening, (error) => error === stop.signal.reason)
    assert.deepEqual(folder.readJson('processes.json'), [])
    assert.equal(existsSync(join(folder.path, 'control.json')), false)
  })

  it('ends a task that hangs when it is to stop, and the processes that load meanwhile', async (t) => {
    const { folder, open } = await makeBed(t, READY, '{ console.log(process.pid); for (;;); }')
    const path = join(folder.logs, 'prepare.log')
    const stop = new AbortController()
    const opening = open(stop.signal)
    await until('the task runs', () => existsSync(path) && readFileSync(path, 'utf8').endsWith('\n'))
    stop.abort()
    await assert.rejects(opening, (error) => error === stop.signal.reason)
    assert.throws(() => process.kill(Number(readFileSync(path, 'utf8')), 0), { code: 'ESRCH' })
    assert.deepEqual(folder.readJson('processes.json'), [])
  })
})
