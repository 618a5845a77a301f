import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { isOutdated } from './bundle-age.ts'

/** A checkout; `write` puts a file into it that was last changed at a time in seconds. */
function makeCheckout(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'flotilla-checkout-'))
  t.after(() => rmSync(root, { recursive: true }))
  const write = (path: string, atSeconds: number, text = ''): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    utimesSync(join(root, path), atSeconds, atSeconds)
  }
  return { root, write, isOld: () => isOutdated(root, join(root, 'bundle')) }
}

const inputs = JSON.stringify({
  'packages/a/dist/x/y.js': '',
  'apps/b/dist/z.js': '',
  'node_modules/c/dist/c.js': '',
})

describe('isOutdated', () => {
  it('knows a source that was changed and not compiled, and one that was compiled and not bundled', (t) => {
    const { write, isOld } = makeCheckout(t)
    write('packages/a/src/x/y.ts', 10)
    write('packages/a/dist/x/y.js', 11)
    write('packages/a/tsconfig.tsbuildinfo', 12)
    write('apps/b/z.ts', 10)
    write('apps/b/dist/z.js', 11)
    write('apps/b/dist/tsconfig.tsbuildinfo', 12)
    write('node_modules/c/dist/c.js', 99)
    write('bundle/inputs.json', 12, inputs)
    assert.equal(isOld(), false)
    for (const [path, builtAt] of [
      ['packages/a/src/x/y.ts', 10],
      ['packages/a/dist/x/y.js', 11],
      ['apps/b/z.ts', 10],
    ] as const) {
      write(path, 20)
      assert.equal(isOld(), true, path)
      write(path, builtAt)
    }
    // Touched, but the same: the compiler looked, and there was nothing to bundle.
    write('packages/a/src/x/y.ts', 20)
    write('packages/a/tsconfig.tsbuildinfo', 21)
    assert.equal(isOld(), false)
  })

  it('says nothing where there are no sources', (t) => {
    const { write, isOld } = makeCheckout(t)
    assert.equal(isOld(), false)
    write('bundle/inputs.json', 12, inputs)
    assert.equal(isOld(), false)
  })
})
