import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'

const { bundle, BUNDLES } = (await import(new URL('../../bundle.mjs', import.meta.url).href)) as {
  bundle(root: string): Promise<void>
  BUNDLES: readonly { readonly entries: readonly string[] }[]
}

/** The console: its template, style and script. */
const page = [
  ['packages/console/src/app/page.html', '<script src="app.js"></script><link href="app.css">'],
  ['packages/console/src/style/console.css', 'body {}'],
  ['packages/console/dist/app/main.js', 'export {}'],
] as const

/** A repository with the programs that are bundled; the shop's loads one chunk lazily. */
function repository(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'flotilla-bundle-'))
  t.after(() => rmSync(root, { recursive: true }))
  const built = join(root, 'apps/shop/dist')
  for (const entry of BUNDLES.flatMap(({ entries }) => entries)) {
    mkdirSync(dirname(join(root, entry)), { recursive: true })
    writeFileSync(join(root, entry), 'export {}')
  }
  writeFileSync(join(built, 'lazy.js'), 'export const answer = 42')
  writeFileSync(join(built, 'main.js'), "export const load = () => import('./lazy.js')")
  writeFileSync(join(built, 'app.js'), 'export const app = {}')
  for (const [path, text] of page) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  const folder = join(root, 'apps/shop/bundle')
  return { root, built, folder, main: join(folder, 'main.js'), chunks: () => readdirSync(folder).sort() }
}

describe('bundle', () => {
  it('makes a program that loads its chunks, and CommonJS that requires', async (t) => {
    const { root, built, main } = repository(t)
    writeFileSync(join(built, 'common.cjs'), "exports.separator = require('path').sep")
    writeFileSync(join(built, 'lazy.js'), "export { separator as answer } from './common.cjs'")
    await bundle(root)
    const { load } = await import(pathToFileURL(main).href)
    assert.equal((await load()).answer, '/')
  })

  it('leaves a bundle alone until one of its files changes, then removes chunks that are gone', async (t) => {
    const { root, built, folder, chunks } = repository(t)
    await bundle(root)
    const before = chunks()
    const bundledAt = () => statSync(join(folder, 'inputs.json')).mtimeMs
    const firstAt = bundledAt()
    await bundle(root)
    assert.deepEqual(chunks(), before)
    assert.equal(bundledAt(), firstAt)
    writeFileSync(join(built, 'lazy.js'), 'export const answer = 4_300')
    await bundle(root)
    assert.notDeepEqual(chunks(), before)
    assert.equal(chunks().length, before.length)
  })

  it('does not rewrite files that come out the same', async (t) => {
    const { root, built, main } = repository(t)
    await bundle(root)
    const { ino } = statSync(main)
    writeFileSync(join(built, 'main.js'), "export const load = () => import('./lazy.js') // the same")
    await bundle(root)
    assert.equal(statSync(main).ino, ino)
  })

  it('bundles again after a failure', async (t) => {
    const { root, built, main } = repository(t)
    writeFileSync(join(built, 'lazy.js'), "import './gone.js'")
    await assert.rejects(bundle(root), /Could not resolve "\.\/gone\.js"/)
    writeFileSync(join(built, 'lazy.js'), 'export const answer = 1')
    await bundle(root)
    assert.ok(statSync(main).isFile())
  })
})
