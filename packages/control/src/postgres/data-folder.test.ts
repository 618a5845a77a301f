import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '@flotilla/core/clock'
import { systemRandom } from '@flotilla/core/random'
import { findBinaries } from './binaries.ts'
import { ensureCluster, explainInitdb, openDataFolder } from './data-folder.ts'
import { findLauncher } from './launcher.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-data-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

/** Where nothing is to be started. */
const noBinaries = { initdb: '', postgres: '', env: {} }
const noLauncher = { identity: 'ourselves', launch: () => assert.fail(), own: async () => {} } as const

describe('openDataFolder', () => {
  it('keeps its password', async (t) => {
    const path = join(await temporaryFolder(t), 'a/b')
    const { password } = await openDataFolder(path, systemRandom)
    assert.match(password, /^[\w-]{32}$/)
    assert.equal((await openDataFolder(path, systemRandom)).password, password)
    assert.equal((await stat(path)).mode & 0o777, 0o700)
    assert.equal((await stat(join(path, 'password'))).mode & 0o777, 0o600)
  })

  it('takes no data that it cannot look at for missing, and makes no password for them', async (t) => {
    const path = await temporaryFolder(t)
    await symlink('data', join(path, 'data'))
    await assert.rejects(openDataFolder(path, systemRandom), /cannot be used: ELOOP/)
    assert.deepEqual(await readdir(path), ['data'])
  })
})

describe('ensureCluster', () => {
  it('may run twice at once: both find one whole cluster', async (t) => {
    const path = join(await temporaryFolder(t), 'postgres')
    const binaries = await findBinaries(join(path, 'lib'))
    const folder = await openDataFolder(path, systemRandom)
    const launcher = await findLauncher(binaries, path)
    await Promise.all([1, 2].map(() => ensureCluster(folder, binaries, launcher, systemClock)))
    assert.deepEqual((await readdir(path)).sort(), ['data', 'password'])
    assert.ok((await readdir(folder.data)).includes('postgresql.conf'))
  })

  it('serves a user who owned the folder before', { skip: process.getuid?.() !== 0 }, async (t) => {
    const parent = await temporaryFolder(t)
    await chmod(parent, 0o755)
    const path = join(parent, 'postgres')
    const binaries = await findBinaries(join(path, 'lib'))
    const launcher = await findLauncher(binaries, path, ['nobody']).catch(() => undefined)
    if (launcher === undefined) return t.skip('nobody cannot reach the programs here')
    const folder = await openDataFolder(path, systemRandom)
    await launcher.own(path)
    await ensureCluster(folder, binaries, launcher, systemClock)
    assert.ok((await readdir(folder.data)).includes('postgresql.conf'))
  })

  it('removes what an interrupted one left long ago, and nothing younger', async (t) => {
    const path = await temporaryFolder(t)
    const folder = await openDataFolder(path, systemRandom)
    await mkdir(join(path, 'init-abc'))
    await mkdir(folder.data)
    const ensure = (clock: { now(): number }) =>
      assert.rejects(ensureCluster(folder, noBinaries, noLauncher, { ...systemClock, ...clock }))
    await ensure({ now: () => systemClock.now() + 599_000 })
    assert.ok((await readdir(path)).includes('init-abc'))
    await ensure({ now: () => systemClock.now() + 601_000 })
    assert.ok(!(await readdir(path)).includes('init-abc'))
  })

  it('tells data whose version cannot be read from a folder that is something else', async (t) => {
    const path = await temporaryFolder(t)
    const folder = await openDataFolder(path, systemRandom)
    await mkdir(folder.data)
    const ensure = (): Promise<void> => ensureCluster(folder, noBinaries, noLauncher, systemClock)
    await assert.rejects(ensure, /is not the data folder of a PostgreSQL; move it away/)
    await symlink('PG_VERSION', join(folder.data, 'PG_VERSION'))
    await assert.rejects(ensure, /cannot be used: ELOOP/)
  })
})

describe('explainInitdb', () => {
  it('finds the reason in what it said', () => {
    const full = 'creating files ... initdb: error: could not write to file "x": No space left on device\n'
    assert.match(explainInitdb(full, '/data').message, /^There is no space left on the disk of \/data\.$/)
    const other = 'running bootstrap script ... \ninitdb: error: it broke\ninitdb: removing data directory'
    assert.match(
      explainInitdb(other, '/data').message,
      /could not be set up in \/data: initdb: error: it broke$/,
    )
  })
})
