import assert from 'node:assert/strict'
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { findBinaries, prepareBinaries } from './binaries.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-data-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

const refusal = (message: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && message.test(error.message)

describe('findBinaries', () => {
  it('refuses a platform it has none for', async () => {
    await assert.rejects(
      findBinaries('/nowhere', 'win32-x64'),
      refusal(/does not run on win32-x64.*DATABASE_URL/),
    )
  })
})

describe('prepareBinaries', () => {
  const links = JSON.stringify([{ source: 'native/lib/libx.so.1.2', target: 'native/lib/libx.so.1' }])

  it('makes the links that are missing, beside the libraries', async (t) => {
    const root = await temporaryFolder(t)
    mkdirSync(join(root, 'native/lib'), { recursive: true })
    writeFileSync(join(root, 'native/pg-symlinks.json'), links)
    for (let times = 0; times < 2; times++) {
      assert.deepEqual((await prepareBinaries(root, join(root, 'links'))).env, {})
      assert.equal(readlinkSync(join(root, 'native/lib/libx.so.1')), 'libx.so.1.2')
    }
  })

  it('makes them elsewhere when it cannot, and tells the loader', async (t) => {
    const root = await temporaryFolder(t)
    mkdirSync(join(root, 'native'))
    writeFileSync(join(root, 'native/pg-symlinks.json'), links)
    const folder = join(root, 'links')
    const { env } = await prepareBinaries(root, folder)
    assert.equal(env['LD_LIBRARY_PATH'], `${folder}:${join(root, 'native/lib')}`)
    assert.equal(readlinkSync(join(folder, 'libx.so.1')), join(root, 'native/lib/libx.so.1.2'))
  })
})
