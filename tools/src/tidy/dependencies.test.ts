import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkDependencies } from './dependencies.ts'
import { findingText } from './finding.ts'
import { repositoryOf } from './repository.ts'

function findings(manifest: object, files: Record<string, string>): string[] {
  return checkDependencies(
    repositoryOf({
      'packages/core/package.json': `{"name":"@flotilla/core","exports":{"./a":"./dist/wire/a.js"}}`,
      'packages/gateway/package.json': JSON.stringify(
        { name: '@flotilla/gateway', ...manifest },
        undefined,
        2,
      ),
      'tools/package.json': '{"devDependencies":{"esbuild":"1.0.0"}}',
      'tools/build.mjs': "import 'esbuild'",
      ...files,
    }),
  ).map(findingText)
}

const A = 'packages/gateway/src/edge/a.ts'

describe('checkDependencies', () => {
  it('refuses an import that is not declared, of an outside package or of ours', () => {
    const text =
      "import fs from 'node:fs'\nimport { x } from 'pg/lib/x'\nimport '@flotilla/core/a'\nimport '@scope/b'"
    assert.deepEqual(findings({}, { [A]: text }), [
      `${A}:2 'pg/lib/x' is imported but packages/gateway does not declare pg`,
      `${A}:3 '@flotilla/core/a' is imported but packages/gateway does not declare @flotilla/core`,
      `${A}:4 '@scope/b' is imported but packages/gateway does not declare @scope/b`,
    ])
  })

  it('refuses a development dependency in the product, not in its tests', () => {
    const manifest = { devDependencies: { 'fast-check': '1.0.0' } }
    assert.deepEqual(findings(manifest, { [A]: "import 'fast-check'" }), [
      `${A}:1 fast-check is imported by the product: move it from devDependencies to dependencies`,
    ])
    assert.deepEqual(findings(manifest, { 'packages/gateway/src/edge/a.test.ts': "import 'fast-check'" }), [])
  })

  it('refuses a dependency that no file imports', () => {
    assert.deepEqual(findings({ dependencies: { pg: '1.0.0' } }, {}), [
      'packages/gateway/package.json:4 pg is declared but no file of the package imports it',
    ])
  })

  it('accepts what is declared and imported, types included', () => {
    const manifest = {
      dependencies: { '@flotilla/core': '0.1.0', pg: '1.0.0' },
      optionalDependencies: { '@scope/b': '1.0.0' },
      devDependencies: { '@types/pg': '1.0.0', '@types/scope__b': '1.0.0' },
    }
    const text = "import type { A } from 'pg'\nimport '@flotilla/core/a'\nawait import('@scope/b/deep')"
    assert.deepEqual(findings(manifest, { [A]: text }), [])
  })
})
