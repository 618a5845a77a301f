import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { CONTROL_FILE, claim, findRunning } from './control-file.ts'
import { DataFolder } from './data-folder.ts'
import { thisProcess } from './leftovers.ts'

describe('claim', () => {
  const file = { url: 'http://127.0.0.1:1', token: 't', isReady: false }

  it('refuses a second system on the data folder', (t) => {
    const folder = makeDataFolder(t)
    assert.equal(findRunning(folder), undefined)
    claim(folder, { ...file, ...thisProcess() })
    assert.equal(findRunning(folder)?.pid, process.pid)
    assert.throws(() => claim(folder, { ...file, ...thisProcess() }), /It runs already \(pid \d+\)/)
  })

  it('refuses one that was faster by a moment', (t) => {
    const folder = makeDataFolder(t)
    for (const [birth, pattern] of [
      [thisProcess().birth, /It runs already/],
      ['not to be seen yet', /Another system starts on .*; try again/],
    ] as const) {
      const theirs = { ...file, pid: process.pid, birth, token: 'theirs' }
      const raced = new DataFolder(folder.path)
      raced.move = (from, to) => {
        folder.move(from, to)
        folder.writeJson(from, theirs)
      }
      assert.throws(() => claim(raced, { ...file, ...thisProcess() }), pattern)
      assert.deepEqual(folder.readJson(CONTROL_FILE), theirs)
      folder.remove(CONTROL_FILE)
    }
  })

  it('takes nothing away from one that took over just before', (t) => {
    const folder = makeDataFolder(t)
    folder.writeJson(CONTROL_FILE, { ...file, pid: process.pid, birth: 'another' })
    const theirs = { ...file, ...thisProcess(), token: 'theirs' }
    const raced = new DataFolder(folder.path)
    raced.move = (from, to) => {
      if (from === CONTROL_FILE) folder.writeJson(from, theirs)
      folder.move(from, to)
    }
    assert.throws(() => claim(raced, { ...file, ...thisProcess() }), /It runs already/)
    assert.deepEqual(folder.readJson(CONTROL_FILE), theirs)
    assert.deepEqual(readdirSync(folder.path).sort(), [CONTROL_FILE, 'logs'])
  })

  it('takes over from a system that was killed, though its number is another’s now', (t) => {
    const folder = makeDataFolder(t)
    folder.writeJson(CONTROL_FILE, { ...file, pid: process.pid, birth: 'another' })
    assert.equal(findRunning(folder), undefined)
    claim(folder, { ...file, ...thisProcess() })
    assert.equal(findRunning(folder)?.pid, process.pid)
  })
})
