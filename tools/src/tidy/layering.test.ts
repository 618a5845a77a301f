import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findingText } from './finding.ts'
import { checkLayering } from './layering.ts'
import { repositoryOf } from './repository.ts'

const TREE = {
  'architecture.json': JSON.stringify({
    parts: {
      'core/kernel': [],
      'core/wire': ['core/kernel'],
      'core/testing': ['core/kernel', 'core/wire'],
      'shop/cart': ['@flotilla/core'],
      'shop/app': ['shop/cart'],
    },
  }),
  'packages/core/package.json': JSON.stringify({
    name: '@flotilla/core',
    exports: { './error': { types: './dist/kernel/error.d.ts', default: './dist/kernel/error.js' } },
  }),
  'apps/shop/package.json': JSON.stringify({ name: '@flotilla/shop' }),
  'tests/package.json': JSON.stringify({ name: '@flotilla/tests' }),
  'packages/core/src/kernel/error.ts': 'export const a = 1',
  'packages/core/src/wire/http.ts': "import { a } from '../kernel/error.ts'",
  'packages/core/src/testing/bed.ts': "import '../wire/http.ts'",
  'apps/shop/cart/service.ts': "import { a } from '@flotilla/core/error'\nimport './lines.ts'",
  'apps/shop/cart/deep/down.ts': "import { a } from '../service.ts'",
  'apps/shop/app.ts': "const cart = () => import('./cart/service.ts')",
}

function findings(files: Record<string, string>): string[] {
  return checkLayering(repositoryOf({ ...TREE, ...files })).map(findingText)
}

describe('checkLayering', () => {
  it('finds nothing in a tree that keeps to the table', () => assert.deepEqual(findings({}), []))

  for (const [form, text] of Object.entries({
    'a static import': "import { a } from '../wire/http.ts'",
    'an import for its effect': "import '../wire/http.ts'",
    'a type import': "import type { A } from '../wire/http.ts'",
    'an import type': "type A = import('../wire/http.ts').A",
    'a dynamic import': "const a = await import('../wire/http.ts')",
    'an export from': "export { a } from '../wire/http.ts'",
    'an export of all': "export * from '../wire/http.ts'",
    'a URL': "new URL('../wire/http.js', import.meta.url)",
  })) {
    it(`refuses ${form} that the table does not allow`, () => {
      assert.deepEqual(findings({ 'packages/core/src/kernel/up.ts': `\n${text}` }), [
        'packages/core/src/kernel/up.ts:2 core/kernel may not import core/wire',
      ])
    })
  }

  it('lets tests, and only tests, import the test bed and other tests', () => {
    const text = "import '../testing/bed.ts'\nimport './other.test.ts'"
    assert.deepEqual(findings({ 'packages/core/src/wire/a.test.ts': text }), [])
    assert.deepEqual(findings({ 'packages/core/src/wire/a.ts': text }), [
      'packages/core/src/wire/a.ts:1 core/wire may not import core/testing',
      "packages/core/src/wire/a.ts:2 './other.test.ts' is a test: only tests may import it",
    ])
  })

  it('refuses what another package does not export', () => {
    const text = "import '@flotilla/core/dist/kernel/error.js'\nimport '@flotilla/core'"
    assert.deepEqual(findings({ 'apps/shop/cart/a.ts': text }), [
      "apps/shop/cart/a.ts:1 @flotilla/core does not export '@flotilla/core/dist/kernel/error.js': add it to its exports or do without",
      "apps/shop/cart/a.ts:2 @flotilla/core does not export '@flotilla/core': add it to its exports or do without",
    ])
  })

  it('refuses a package that the table does not name for the part', () => {
    assert.deepEqual(findings({ 'apps/shop/main.ts': "import '@flotilla/core/error'" }), [
      'apps/shop/main.ts:1 shop/app may not import @flotilla/core',
    ])
  })

  it('refuses a relative path out of the package, and the own name within it', () => {
    const out = "import '../packages/core/src/kernel/error.ts'"
    assert.deepEqual(
      findings({ 'tests/a.test.ts': out, 'packages/core/src/wire/b.ts': "import '@flotilla/core/error'" }),
      [
        'packages/core/src/wire/b.ts:1 import @flotilla/core/error by its relative path: it is the same package',
        "tests/a.test.ts:1 '../packages/core/src/kernel/error.ts' leaves the package: import what the other package exports, by its name",
      ],
    )
    assert.deepEqual(
      findings({ 'tests/a.test.ts': "new URL('../packages/core/dist/x.js', import.meta.url)" }),
      [],
    )
  })

  it('lets a URL lead to what is not code, within the package', () => {
    const text = "new URL('../../migrations/', import.meta.url)\nnew URL('../../../other/', import.meta.url)"
    assert.deepEqual(findings({ 'packages/core/src/wire/a.ts': text }), [
      "packages/core/src/wire/a.ts:2 '../../../other/' leaves the package: import what the other package exports, by its name",
    ])
  })

  it('lets a package find its own files that are not code by its name', () => {
    const text = "import.meta.resolve('@flotilla/core/package.json')"
    const exports = {
      './error': './dist/kernel/error.js',
      './package.json': './package.json',
    }
    const manifest = JSON.stringify({ name: '@flotilla/core', exports })
    const files = { 'packages/core/src/wire/a.ts': text, 'packages/core/package.json': manifest }
    assert.deepEqual(findings(files), [])
  })

  it('refuses a part that is not in the table, and a file in no part', () => {
    assert.deepEqual(findings({ 'packages/core/src/new/a.ts': '', 'packages/core/src/a.ts': '' }), [
      'packages/core/src/a.ts:1 belongs to no part: move it into a folder of src/',
      'packages/core/src/new/a.ts:1 the part core/new is not in architecture.json',
    ])
  })

  it('refuses a table in which a part names one below it', () => {
    const parts = {
      'a/low': ['@flotilla/b'],
      'a/mid': ['a/low', 'a/high'],
      'a/high': [],
      'b/one': ['@flotilla/a'],
    }
    assert.deepEqual(findings({ 'architecture.json': JSON.stringify({ parts }) }).slice(0, 2), [
      'architecture.json:1 a/low names @flotilla/b, which does not stand above it',
      'architecture.json:1 a/mid names a/high, which does not stand above it',
    ])
  })
})
