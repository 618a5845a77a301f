import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { LogFile } from './log-file.ts'

const LONG_BYTES = 16 * 1024 * 1024

function openLog(t: TestContext): LogFile {
  const folder = mkdtempSync(join(tmpdir(), 'flotilla-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const log = new LogFile(join(folder, 'catalog-1.log'))
  t.after(() => log.close())
  return log
}

describe('LogFile', () => {
  it('goes on where an earlier run stopped, for its owner only', (t) => {
    const log = openLog(t)
    writeSync(log.descriptor, 'first\n')
    const again = new LogFile(log.path)
    t.after(() => again.close())
    writeSync(again.descriptor, 'second\n')
    assert.equal(readFileSync(log.path, 'utf8'), 'first\nsecond\n')
    assert.equal(statSync(log.path).mode & 0o777, 0o600)
  })

  it('becomes the older generation when it is long; its writer goes on at the start', (t) => {
    const log = openLog(t)
    log.rotateIfLong()
    assert.throws(() => statSync(`${log.path}.1`), { code: 'ENOENT' })
    truncateSync(log.path, LONG_BYTES)
    log.rotateIfLong()
    writeSync(log.descriptor, 'after\n')
    assert.equal(readFileSync(log.path, 'utf8'), 'after\n')
    assert.equal(statSync(`${log.path}.1`).size, LONG_BYTES)
  })

  it('stays bounded when the older generation cannot be written', (t) => {
    const log = openLog(t)
    truncateSync(log.path, LONG_BYTES)
    rmSync(log.path)
    log.rotateIfLong()
    writeSync(log.descriptor, 'after\n')
    assert.throws(() => statSync(`${log.path}.1`), { code: 'ENOENT' })
  })
})
