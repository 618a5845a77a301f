import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { until } from '@flotilla/core/until'
import { VirtualClock } from '@flotilla/core/virtual-clock'
import { openLogFile } from './log-file.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-data-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

describe('openLogFile', () => {
  it('cuts the file when it has grown too long, under whoever writes to it', async (t) => {
    const path = join(await temporaryFolder(t), 'log')
    const clock = new VirtualClock()
    writeFileSync(path, 'before\n')
    const log = await openLogFile(path, clock, 20)
    writeSync(log.fd, 'first line\n')
    assert.equal(await log.tail(), 'first line\n')
    writeSync(log.fd, 'second line\n')
    await clock.advance(10_000)
    await until('it is cut', () => statSync(path).size === 0)
    writeSync(log.fd, 'third line\n')
    assert.equal(readFileSync(path, 'utf8'), 'third line\n')
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'before\nfirst line\nsecond line\n')
    await log.close()
    assert.equal(clock.pending, 0)
  })
})
