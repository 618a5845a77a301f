import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { findLauncher } from './launcher.ts'
import { run } from './run.ts'

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flotilla-data-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

const refusal = (message: RegExp) => (error: unknown) =>
  isFlotillaError(error) && error.code === 'failed_precondition' && message.test(error.message)

describe('findLauncher', () => {
  it('tells what was tried when nothing works', async (t) => {
    const binaries = { initdb: '/nowhere/initdb', postgres: '/nowhere/postgres', env: {} }
    const path = await temporaryFolder(t)
    await assert.rejects(
      findLauncher(binaries, path, ['ourselves', 'namespace']),
      refusal(/as ourselves: .*ENOENT.*; as namespace: .*nowhere.*set DATABASE_URL/),
    )
  })

  it('gives the folder to whom it finds', { skip: process.getuid?.() !== 0 }, async (t) => {
    const path = await temporaryFolder(t)
    await chmod(path, 0o755)
    const folder = join(path, 'postgres')
    await mkdir(join(folder, 'deep'), { recursive: true })
    // Any program that everybody may run does.
    const binaries = { initdb: '/bin/true', postgres: '/bin/true', env: {} }
    for (const [identity, isRoot] of [
      ['nobody', false],
      ['namespace', true],
    ] as const) {
      const launcher = await findLauncher(binaries, folder, [identity]).catch(() => undefined)
      if (launcher === undefined) return t.skip(`${identity} is not to be had here`)
      await launcher.own(folder)
      for (const name of ['.', 'deep']) assert.equal((await stat(join(folder, name))).uid === 0, isRoot)
      const { output } = await run(launcher.launch('/bin/sh', ['-c', 'touch "$0/x" && id -un', folder]))
      assert.equal(output, 'nobody\n')
    }
  })

  it('does not take one who cannot reach the folder', { skip: process.getuid?.() !== 0 }, async (t) => {
    const path = await temporaryFolder(t)
    const binaries = { initdb: '/bin/true', postgres: '/bin/true', env: {} }
    const inside = join(path, 'postgres')
    await assert.rejects(findLauncher(binaries, inside, ['nobody']), refusal(/as nobody: .*cd/))
    const second = await findLauncher(binaries, inside, ['nobody', 'ourselves'])
    assert.equal(second.identity, 'ourselves')
  })
})
