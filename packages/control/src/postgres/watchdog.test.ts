import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { until } from '@flotilla/core/until'
import { pidFilePath } from './postmaster.ts'
import { isWatched, openWatchdog } from './watchdog.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-watchdog-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** Something that runs, in place of a server. */
function spawnStandIn(t: TestContext): ChildProcess & { readonly pid: number } {
  const child = spawn('sleep', ['60'])
  t.after(() => child.kill('SIGKILL'))
  return child as ChildProcess & { readonly pid: number }
}

describe('openWatchdog', () => {
  it('stops a server that still runs when our end of the pipe is closed', async (t) => {
    const folder = await temporaryFolder(t)
    const server = spawnStandIn(t)
    await writeFile(pidFilePath(folder), `${server.pid}\n`)
    const watchdog = await openWatchdog(folder, folder, server.pid)
    assert.ok(await isWatched(folder, folder))
    await watchdog.dismiss()
    await until('it is stopped', () => server.signalCode === 'SIGINT')
    assert.ok(!(await isWatched(folder, folder)))
  })

  it('leaves a process alone that is not the server any more', async (t) => {
    const folder = await temporaryFolder(t)
    const stranger = spawnStandIn(t)
    await writeFile(pidFilePath(folder), `${process.pid}\n`)
    await (await openWatchdog(folder, folder, stranger.pid)).dismiss()
    assert.equal(stranger.signalCode, null)
    assert.ok(stranger.kill(0))
  })

  it('leaves when the server is a zombie, which nobody can stop', async (t) => {
    const folder = await temporaryFolder(t)
    // A parent that never looks after its child.
    const parent = spawn('/bin/sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'])
    t.after(() => parent.kill())
    const line = await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve))
    const zombie = Number(line.toString())
    await writeFile(pidFilePath(folder), `${zombie}\n`)
    const watchdog = await openWatchdog(folder, folder, zombie)
    const fromMs = systemClock.monotonicMs()
    await watchdog.dismiss()
    assert.ok(systemClock.monotonicMs() - fromMs < 10_000)
  })

  it('keeps the number of its successor', async (t) => {
    const folder = await temporaryFolder(t)
    const gone = 0x7fff_fff0
    const first = await openWatchdog(folder, folder, gone)
    const second = await openWatchdog(folder, folder, gone)
    const number = await readFile(join(folder, 'watchdog.pid'), 'utf8')
    await first.dismiss()
    assert.equal(await readFile(join(folder, 'watchdog.pid'), 'utf8'), number)
    await second.dismiss()
    await assert.rejects(readFile(join(folder, 'watchdog.pid')))
  })
})
