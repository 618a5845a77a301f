import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { seededRandom } from '@flotilla/core/random'
import { until } from '@flotilla/core/until'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { Supervisor } from './supervisor.ts'

const READY = `process.send({ kind: 'ready', http: '' }); setInterval(() => {}, 1_000);`
const STUBBORN = `process.on('SIGTERM', () => {}); ${READY}`

interface Bed {
  readonly supervisor: Supervisor
  readonly clock: VirtualClock
  /** Changes, such as `edge-1 ready`. */
  readonly changes: string[]
}

/** A supervisor of two waves: `store`, twice, and then `edge`. */
function makeSupervisor(t: TestContext, program: (host: string) => string = () => READY): Bed {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-supervisor-'))
  const clock = new VirtualClock()
  const changes: string[] = []
  const supervisor = new Supervisor({
    clock,
    random: seededRandom(1),
    placement: {
      name: 'test',
      hosts: {
        edge: { services: ['gateway'], instances: 1 },
        store: { services: ['catalog'], instances: 2 },
      },
    },
    waves: [['store'], ['edge']],
    logFolder: folder,
    command: (host, ordinal, attempt) => ({
      program: process.execPath,
      args: ['-e', program(host)],
      environment: {},
      instance: `${host}-${ordinal}-${attempt}`,
    }),
    onChange: ({ name, state }) => changes.push(`${name} ${state}`),
  })
  t.after(async () => {
    for (const { pid } of supervisor.slots) if (pid !== undefined) process.kill(pid, 'SIGKILL')
    await until('all is over', () => supervisor.slots.every(({ pid }) => pid === undefined))
    rmSync(folder, { recursive: true })
  })
  return { supervisor, clock, changes }
}

const namesOf = ({ slots }: Supervisor): string[] => slots.map(({ name }) => name)

const isCode = (code: string) => (error: unknown) => isFlotillaError(error) && error.code === code

describe('Supervisor', () => {
  it('starts wave after wave, and stops in the opposite order', async (t) => {
    const { supervisor, clock, changes } = makeSupervisor(t)
    const waves: string[] = []
    await supervisor.start((hosts) => waves.push(hosts.join()))
    assert.deepEqual(waves, ['store', 'edge'])
    assert.ok(changes.indexOf('edge-1 starting') > changes.indexOf('store-1 ready'))
    assert.ok(changes.indexOf('edge-1 starting') > changes.indexOf('store-2 ready'))
    assert.deepEqual(namesOf(supervisor), ['edge-1', 'store-1', 'store-2'])
    await supervisor.stop(1_000)
    assert.ok(changes.indexOf('edge-1 stopped') < changes.indexOf('store-1 stopping'))
    assert.deepEqual(new Set(changes.slice(-2)), new Set(['store-1 stopped', 'store-2 stopped']))
    assert.equal(clock.pending, 0)
  })

  it('stops those that only load at once, not wave after wave', async (t) => {
    const { supervisor, changes } = makeSupervisor(t, () => `setInterval(() => {}, 1_000)`)
    supervisor.load()
    await supervisor.stop(60_000)
    assert.deepEqual(
      changes.slice(3, 6).map((change) => change.split(' ')[1]),
      ['stopping', 'stopping', 'stopping'],
    )
    assert.ok(changes.slice(6).every((change) => change.endsWith(' stopped')))
  })

  it('has all load at once, and opens them wave after wave', async (t) => {
    const { supervisor, changes } = makeSupervisor(
      t,
      () => `process.on('message', ({ kind }) => { if (kind === 'open') ${READY} })`,
    )
    supervisor.load()
    assert.deepEqual(
      supervisor.slots.map(({ state }) => state),
      ['starting', 'starting', 'starting'],
    )
    await supervisor.start((hosts) => changes.push(hosts.join()))
    assert.deepEqual(
      supervisor.slots.map(({ state, starts }) => [state, starts]),
      [
        ['ready', 1],
        ['ready', 1],
        ['ready', 1],
      ],
    )
    const placeOf = (change: string): number => changes.indexOf(change)
    assert.ok(placeOf('edge') > placeOf('store-1 ready') && placeOf('edge') > placeOf('store-2 ready'))
    assert.ok(placeOf('edge-1 ready') > placeOf('edge'))
  })

  it('tells all other processes which traces one of them keeps', async (t) => {
    // The edge keeps a trace as soon as it is there; who is told says so in his output.
    const hears = `process.on('message', (told) => console.log(JSON.stringify(told)));`
    const keeps = `process.send({ kind: 'keep', traceIds: ['t1'] });`
    const { supervisor } = makeSupervisor(t, (host) => hears + READY + (host === 'edge' ? keeps : ''))
    await supervisor.start(() => {})
    const heardBy = (slot: string): string => readFileSync(supervisor.logPath(slot), 'utf8')
    for (const slot of ['store-1', 'store-2'])
      await until(`${slot} has heard`, () => heardBy(slot) === '{"kind":"keep","traceIds":["t1"]}\n')
    assert.equal(heardBy('edge-1'), '')
  })

  it('restarts one process, and kills one as a crash would', async (t) => {
    const { supervisor, clock, changes } = makeSupervisor(t)
    await supervisor.start(() => {})
    const [, first, second] = supervisor.slots
    const pids = [first?.pid, second?.pid]
    assert.equal(await supervisor.restart('store-1', 1_000), true)
    assert.equal(first?.state, 'ready')
    assert.notEqual(first?.pid, pids[0])
    assert.equal(second?.pid, pids[1])
    assert.ok(changes.includes('store-1 stopped'))
    assert.equal(supervisor.kill('store-2'), true)
    await until('its end is seen', () => second?.state === 'waiting')
    await clock.advance(5_000)
    await until('it is back', () => second?.state === 'ready')
    assert.deepEqual([supervisor.kill('none'), await supervisor.restart('none', 1_000)], [false, false])
  })

  it('leaves the start and the end of a process beside the placement to whoever wants it, but starts it again', async (t) => {
    const { supervisor, clock, changes } = makeSupervisor(t)
    const beside = supervisor.accompany({
      name: 'control',
      services: ['control'],
      command: (attempt) => ({
        program: process.execPath,
        args: ['-e', READY],
        environment: {},
        instance: `control-${attempt}`,
      }),
      onMessage: () => {},
    })
    await supervisor.start(() => {})
    assert.equal(beside.state, 'stopped')
    beside.start()
    await beside.whenReady()
    process.kill(beside.pid as number, 'SIGKILL')
    await until('its end is seen', () => beside.state === 'waiting')
    await clock.advance(0)
    await beside.whenReady()
    assert.equal(beside.starts, 2)
    await supervisor.stop(1_000)
    assert.equal(beside.state, 'ready')
    await beside.stop(1_000)
    assert.equal(changes.at(-1), 'control stopped')
  })

  it('scales a host up and down', async (t) => {
    const { supervisor } = makeSupervisor(t)
    await supervisor.start(() => {})
    await supervisor.scale('store', 4, 1_000)
    assert.deepEqual(namesOf(supervisor), ['edge-1', 'store-1', 'store-2', 'store-3', 'store-4'])
    assert.ok(supervisor.slots.every(({ state }) => state === 'ready'))
    await supervisor.scale('store', 1, 1_000)
    assert.deepEqual(namesOf(supervisor), ['edge-1', 'store-1'])
    await supervisor.stop(1_000)
  })

  it('refuses to scale what is not there, and to what cannot be', async (t) => {
    const { supervisor } = makeSupervisor(t)
    await supervisor.start(() => {})
    await assert.rejects(supervisor.scale('nothing', 1, 0), isCode('not_found'))
    for (const instances of [0, -1, 1.5, 65, Number.NaN]) {
      await assert.rejects(supervisor.scale('store', instances, 0), isCode('invalid_argument'))
    }
    await supervisor.stop(1_000)
    await assert.rejects(supervisor.scale('store', 3, 0), isCode('unavailable'))
    assert.deepEqual(namesOf(supervisor), ['edge-1', 'store-1', 'store-2'])
  })

  it('knows a process that is on its way out, and stops no sooner than it is gone', async (t) => {
    const { supervisor, clock, changes } = makeSupervisor(t, (host) => (host === 'store' ? STUBBORN : READY))
    await supervisor.start(() => {})
    const scaled = supervisor.scale('store', 1, 30_000)
    assert.deepEqual(namesOf(supervisor), ['edge-1', 'store-1', 'store-2'])
    assert.equal(supervisor.slotsOf('store').length, 1)
    let isStopped = false
    const stopped = supervisor.stop(8_000).then(() => {
      isStopped = true
    })
    await until('the store is asked', () => changes.includes('store-1 stopping'))
    await clock.advance(29_000)
    await until('the other one is gone', () => changes.includes('store-1 stopped'))
    assert.equal(isStopped, false)
    await clock.advance(1_000)
    await Promise.all([scaled, stopped])
    assert.ok(changes.includes('store-2 stopped'))
  })

  it('takes no more than 30 s to stop, however many hang and whatever they are given', async (t) => {
    const { supervisor, clock } = makeSupervisor(t, () => STUBBORN)
    await supervisor.start(() => {})
    const stopped = supervisor.stop(100_000)
    await clock.advance(30_000)
    // In this time the stores were silent for too long as well; some may be gone before they are asked.
    await until('all are stopped', async () => {
      await clock.advance(0)
      return supervisor.slots.every(({ state }) => state === 'stopped')
    })
    await stopped
  })

  it('stops while it starts: no further wave begins', async (t) => {
    const { supervisor, changes } = makeSupervisor(t, () => 'setInterval(() => {}, 1_000)')
    const started = supervisor.start(() => {})
    await supervisor.stop(1_000)
    await started
    assert.deepEqual(namesOf(supervisor), ['store-1', 'store-2'])
    assert.ok(!changes.includes('edge-1 starting'))
  })
})
