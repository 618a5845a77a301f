import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import type { DataFolder } from './data-folder.ts'
import { endLeftovers, isAlive, recordProcesses, type StartedProcess, thisProcess } from './leftovers.ts'

type Running = ChildProcess & { readonly pid: number }

/** A process that says when it runs. */
async function spawnProcess(
  t: TestContext,
  [command, ...args]: readonly [string, ...string[]] = ['/bin/sh', '-c', 'echo up; exec sleep 60'],
): Promise<Running> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  return child as unknown as Running
}

const recorded = (folder: DataFolder): StartedProcess[] =>
  folder.readJson<StartedProcess[]>('processes.json') ?? []

describe('endLeftovers', () => {
  it('ends what an earlier run left behind, and forgets it', async (t) => {
    const folder = makeDataFolder(t)
    const [orphan, other] = [await spawnProcess(t), await spawnProcess(t)]
    recordProcesses(folder, [orphan.pid, 0x7fff_fff0])
    assert.deepEqual(
      recorded(folder).map(({ pid }) => pid),
      [orphan.pid],
    )
    assert.equal(await endLeftovers(folder, systemClock), 1)
    await until('it ended', () => orphan.signalCode === 'SIGTERM')
    assert.ok(other.kill(0))
    assert.equal(await endLeftovers(folder, systemClock), 0)
  })

  it('leaves a process alone that only has the number of an earlier one', async (t) => {
    const folder = makeDataFolder(t)
    const stranger = await spawnProcess(t)
    recordProcesses(folder, [stranger.pid])
    folder.writeJson(
      'processes.json',
      recorded(folder).map(({ pid, birth }) => ({ pid, birth: `${birth}0` })),
    )
    assert.equal(await endLeftovers(folder, systemClock), 0)
    assert.equal(stranger.signalCode, null)
    assert.ok(stranger.kill(0))
  })

  it('kills one that does not end when asked, and returns when it is gone', async (t) => {
    const folder = makeDataFolder(t)
    // So much memory that to be killed takes it a moment.
    const program = `process.on('SIGTERM', () => {}); const held = Buffer.alloc(256e6, 1); console.log('up'); setInterval(() => held, 1_000)`
    const stubborn = await spawnProcess(t, [process.execPath, '-e', program])
    recordProcesses(folder, [stubborn.pid])
    const [left] = recorded(folder)
    // So that the 3 s that it is given pass in no time; those after the kill are real.
    let elapsedMs = 0
    const clock = {
      ...systemClock,
      monotonicMs: () => elapsedMs,
      sleep: (ms: number) => {
        elapsedMs += ms
        return systemClock.sleep(elapsedMs <= 3_000 ? 1 : ms)
      },
    }
    assert.equal(await endLeftovers(folder, clock), 1)
    assert.ok(!isAlive(left as StartedProcess))
    await until('it ended', () => stubborn.signalCode === 'SIGKILL')
  })

  it('has nothing to do without a record', async (t) => {
    const folder = makeDataFolder(t)
    assert.equal(await endLeftovers(folder, systemClock), 0)
  })
})

describe('isAlive', () => {
  it('is false for a zombie: it has ended, and nobody collected it', async (t) => {
    const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'])
    t.after(() => parent.kill('SIGKILL'))
    const line = await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve))
    const folder = makeDataFolder(t)
    const pid = Number(line.toString())
    await until('it is a zombie', () => {
      recordProcesses(folder, [pid])
      return recorded(folder).length === 0
    })
    assert.ok(isAlive(thisProcess()))
  })
})
