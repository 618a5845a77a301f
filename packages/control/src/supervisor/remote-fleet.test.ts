import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { seededRandom } from '@flotilla/core/random'
import { until } from '@flotilla/core/until'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { type JoinedFleet, joinFleet } from '../testing/joined-fleet.ts'
import type { FromControl } from './fleet.ts'
import { RemoteFleet } from './remote-fleet.ts'
import { Supervisor } from './supervisor.ts'

const READY = `process.send({ kind: 'ready', http: 'http://127.0.0.1:1' }); setInterval(() => {}, 1_000);`

interface Bed extends JoinedFleet {
  readonly supervisor: Supervisor
  readonly clock: VirtualClock
}

/** A supervisor of `store`, twice, and the process `control` beside it. */
async function makeBed(t: TestContext, onDown = () => {}): Promise<Bed> {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-fleet-'))
  const clock = new VirtualClock()
  const command = (name: string) => (attempt: number) => ({
    program: process.execPath,
    args: ['-e', READY],
    environment: {},
    instance: `${name}-${attempt}`,
  })
  const supervisor = new Supervisor({
    clock,
    random: seededRandom(1),
    placement: { name: 'test', hosts: { store: { services: ['catalog'], instances: 2 } } },
    waves: [['store']],
    logFolder: folder,
    command: (host, ordinal, attempt) => command(`${host}-${ordinal}`)(attempt),
    onChange: () => joined.tell(),
  })
  const joined = joinFleet({ supervisor, clock, onDown })
  const beside = supervisor.accompany({
    name: 'control',
    services: ['control', 'observe'],
    command: command('control'),
    onMessage: () => {},
  })
  t.after(async () => {
    for (const { pid } of supervisor.slots) if (pid !== undefined) process.kill(pid, 'SIGKILL')
    await until('all is over', () => supervisor.slots.every(({ pid }) => pid === undefined))
    rmSync(folder, { recursive: true })
  })
  beside.start()
  await supervisor.start(() => {})
  await beside.whenReady()
  await joined.fleet.known()
  return { ...joined, supervisor, clock }
}

const isOwn = (code: string) => (error: unknown) =>
  isFlotillaError(error) && error.code === code && !error.isRemote

describe('RemoteFleet', () => {
  it('knows every process, those beside the placement included', async (t) => {
    const { fleet, supervisor } = await makeBed(t)
    assert.deepEqual(
      fleet.processes.map(({ name, host, services, state, http, instance }) => {
        return [name, host, services.join(), state, http, instance]
      }),
      [
        ['store-1', 'store', 'catalog', 'ready', 'http://127.0.0.1:1', 'store-1-1'],
        ['store-2', 'store', 'catalog', 'ready', 'http://127.0.0.1:1', 'store-2-1'],
        ['control', 'control', 'control,observe', 'ready', 'http://127.0.0.1:1', 'control-1'],
      ],
    )
    process.kill(supervisor.slots[0]?.pid as number, 'SIGKILL')
    await until('its end is known', () => fleet.processes[0]?.lastEnd === 'SIGKILL after 0.0 s')
    assert.equal(fleet.processes[0]?.pid, undefined)
  })

  it('has processes scaled, restarted and killed, and says which it does not know', async (t) => {
    const { fleet } = await makeBed(t)
    await fleet.scale('store', 3)
    await until('there are three', () => fleet.processes.some(({ name }) => name === 'store-3'))
    const [first] = fleet.processes
    assert.equal(await fleet.restart('store-1'), true)
    await until('it is another', () => {
      const [now] = fleet.processes
      return now?.state === 'ready' && now.pid !== first?.pid
    })
    assert.equal(await fleet.kill('store-2'), true)
    await until('it ended', () => fleet.processes[1]?.state === 'waiting')
    assert.deepEqual([await fleet.kill('none'), await fleet.restart('none')], [false, false])
  })

  it('is refused in the words of the supervisor, as if it were here', async (t) => {
    const { fleet, supervisor } = await makeBed(t)
    await assert.rejects(fleet.scale('nothing', 1), isOwn('not_found'))
    // The process beside the placement is one, whatever happens.
    await assert.rejects(fleet.scale('control', 2), isOwn('not_found'))
    await assert.rejects(fleet.scale('store', 65), isOwn('invalid_argument'))
    await supervisor.stop(1_000)
    await assert.rejects(fleet.scale('store', 1), isOwn('unavailable'))
  })

  it('is answered before the process that asks is ended', async (t) => {
    for (const act of ['restart', 'kill'] as const) {
      const { fleet, supervisor, clock } = await makeBed(t)
      const beside = supervisor.slots.at(-1)
      const pid = beside?.pid as number
      assert.equal(await fleet[act]('control'), true)
      assert.deepEqual([beside?.state, beside?.pid], ['ready', pid])
      await until('it is another', async () => {
        await clock.advance(100)
        return beside?.state === 'ready' && beside.pid !== pid
      })
      assert.equal(beside?.starts, 2)
      assert.ok(supervisor.slotsOf('store').every(({ starts }) => starts === 1))
    }
  })

  it('passes on that everything is to stop, both ways', async (t) => {
    let isDown = false
    const { fleet } = await makeBed(t, () => {
      isDown = true
    })
    await fleet.down()
    assert.equal(isDown, true)
    const said: string[] = []
    const told = new RemoteFleet({
      clock: new VirtualClock(),
      send: ({ kind }) => said.push(kind),
      onClosing: async () => {
        said.push('looks no more')
        throw new Error('not all of it')
      },
    })
    // To every host; nothing of this.
    told.take({ kind: 'keep', traceIds: ['t1'] })
    told.take({ kind: 'closing' })
    await until('it has said so', () => said.length === 2)
    assert.deepEqual(said, ['looks no more', 'quiet'])
  })

  it('waits no longer for a supervisor that is gone, nor for ever for one that says nothing', async () => {
    const clock = new VirtualClock()
    const said: FromControl[] = []
    const fleet = new RemoteFleet({
      clock,
      send: (message) => said.push(message),
      onClosing: async () => {},
    })
    const late = assert.rejects(fleet.restart('store-1'), isOwn('deadline_exceeded'))
    await clock.advance(90_000)
    await late
    const isGone = (executed: string) => (error: unknown) =>
      isOwn('unavailable')(error) && (error as { executed?: string }).executed === executed
    const cut = assert.rejects(fleet.kill('store-1'), isGone('maybe'))
    fleet.cut()
    await cut
    await assert.rejects(fleet.kill('store-1'), isGone('no'))
    assert.equal(said.length, 2)
    assert.equal(clock.pending, 0)
  })
})
