import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { seededRandom } from '@flotilla/core/random'
import { makeDataFolder } from '../testing/test-data-folder.ts'
import { DataFolder, Secrets } from './data-folder.ts'

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

const isRefusal = (pattern: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && pattern.test(error.message)

describe('DataFolder', () => {
  it('is for its owner only, whatever the umask', (t) => {
    const umask = process.umask(0)
    t.after(() => {
      process.umask(umask)
    })
    const folder = makeDataFolder(t)
    for (const path of [folder.path, folder.logs, folder.sockets]) assert.equal(modeOf(path), '700', path)
    folder.writeJson('a.json', {})
    folder.createJson('b.json', {})
    for (const name of ['a.json', 'b.json']) assert.equal(modeOf(join(folder.path, name)), '600', name)
  })

  it('leaves no trace until it is made', (t) => {
    const parent = makeDataFolder(t).path
    const folder = new DataFolder(join(parent, 'below'))
    assert.equal(folder.readJson('x.json'), undefined)
    assert.deepEqual([folder.path, folder.sockets].filter(existsSync), [])
  })

  it('says in one line that it cannot be written, and how to choose another', (t) => {
    const folder = makeDataFolder(t)
    writeFileSync(join(folder.path, 'file'), '')
    const below = join(folder.path, 'file', 'below')
    assert.throws(
      () => new DataFolder(below).make(),
      isRefusal(/^The data folder .*below cannot be written \(ENOTDIR\); choose another/),
    )
  })

  it('has short paths for sockets, of its own, that nobody else can have laid out', (t) => {
    const folder = makeDataFolder(t)
    const other = makeDataFolder(t)
    assert.notEqual(folder.sockets, other.sockets)
    assert.ok(Buffer.byteLength(join(folder.sockets, `${'x'.repeat(40)}.sock`)) < 107)
    mkdirSync(folder.sockets, { recursive: true, mode: 0o777 })
    folder.make()
    assert.equal(modeOf(folder.sockets), '700')
    rmSync(folder.sockets, { recursive: true })
    symlinkSync(other.logs, folder.sockets)
    assert.throws(() => folder.make(), isRefusal(/is not a folder; remove it/))
    rmSync(folder.sockets)
  })

  it('tells another user who may use it, and not to remove what a running system needs', (t) => {
    const folder = makeDataFolder(t)
    const { getuid } = process
    const own = getuid?.()
    process.getuid = () => 4_242
    t.after(() => {
      Object.assign(process, { getuid })
    })
    assert.throws(
      () => folder.make(),
      isRefusal(/used by another user.*; run this as the user who started it\.$/),
    )
    if (own !== 0) {
      chmodSync(folder.path, 0o000)
      t.after(() => chmodSync(folder.path, 0o700))
      const advice = /\(EACCES\); run this as the user who started it/
      assert.throws(() => folder.make(), isRefusal(advice))
      assert.throws(() => folder.readJson('x.json'), isRefusal(advice))
      assert.throws(() => folder.logNames(), isRefusal(advice))
    }
  })

  it('replaces a file as a whole, and makes one only when it is not there', (t) => {
    const folder = makeDataFolder(t)
    assert.equal(folder.readJson('x.json'), undefined)
    folder.writeJson('x.json', { a: 1 })
    assert.deepEqual(folder.readJson('x.json'), { a: 1 })
    assert.equal(folder.createJson('x.json', { a: 2 }), false)
    assert.deepEqual(folder.readJson('x.json'), { a: 1 })
    folder.remove('x.json')
    folder.remove('x.json')
    assert.equal(folder.createJson('x.json', { a: 2 }), true)
    assert.deepEqual(folder.readJson('x.json'), { a: 2 })
    assert.deepEqual(readdirSync(folder.path).sort(), ['logs', 'x.json'])
  })

  it('takes a file that was cut short for none', (t) => {
    const folder = makeDataFolder(t)
    writeFileSync(join(folder.path, 'x.json'), '{"a":')
    assert.equal(folder.readJson('x.json'), undefined)
    mkdirSync(join(folder.path, 'y.json'))
    assert.throws(() => folder.readJson('y.json'), isRefusal(/y\.json cannot be read \(EISDIR\)\.$/))
  })
})

describe('Secrets', () => {
  it('makes each once, keeps it for the next run, and shows it to its owner only', (t) => {
    const folder = makeDataFolder(t)
    const path = join(folder.path, 'secrets.json')
    const secrets = new Secrets(folder, seededRandom(1))
    assert.ok(!existsSync(path))
    const token = secrets.get('control token')
    assert.match(token, /^[\w-]{24}$/)
    assert.notEqual(secrets.get('database cart'), token)
    assert.equal(new Secrets(folder, seededRandom(2)).get('control token'), token)
    assert.equal(modeOf(path), '600')
    assert.ok(readFileSync(path, 'utf8').includes(token))
  })
})
