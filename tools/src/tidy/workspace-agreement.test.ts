import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findingText } from './finding.ts'
import { repositoryOf } from './repository.ts'
import { checkWorkspaceAgreement } from './workspace-agreement.ts'

const ROOT = { name: 'flotilla', version: '1.0.0' }
const CORE = { name: '@flotilla/core', version: '1.0.0', dependencies: { pg: '8.0.0' } }
const SHOP = { name: '@flotilla/shop', version: '1.0.0', dependencies: { '@flotilla/core': '1.0.0' } }

function findings(changes: {
  core?: object
  shop?: object
  lock?: object
  references?: readonly object[]
}): string[] {
  const core = { ...CORE, ...changes.core }
  const shop = { ...SHOP, ...changes.shop }
  const lock = { packages: { '': ROOT, 'packages/core': core, 'apps/shop': shop, ...changes.lock } }
  const files = {
    'package.json': ROOT,
    'package-lock.json': lock,
    'packages/core/package.json': core,
    'packages/core/tsconfig.json': {},
    'apps/shop/package.json': shop,
    'apps/shop/tsconfig.json': { references: changes.references ?? [{ path: '../../packages/core' }] },
    'tsconfig.json': { references: [{ path: 'packages/core' }, { path: './apps/shop' }] },
  }
  const texts = Object.entries(files).map(([path, value]) => [path, JSON.stringify(value)] as const)
  return checkWorkspaceAgreement(repositoryOf(Object.fromEntries(texts))).map(findingText)
}

describe('checkWorkspaceAgreement', () => {
  it('accepts packages that agree', () => assert.deepEqual(findings({}), []))

  it('refuses another version, of a package or of a dependency on it', () => {
    assert.deepEqual(findings({ core: { version: '1.0.1' } }), [
      'packages/core/package.json:1 has version 1.0.1, the root has 1.0.0',
    ])
    assert.deepEqual(findings({ shop: { dependencies: { '@flotilla/core': '*' } } }), [
      'apps/shop/package.json:1 asks for @flotilla/core *, it is 1.0.0',
    ])
  })

  it('refuses a range', () => {
    assert.deepEqual(findings({ core: { dependencies: { pg: '^8.0.0' } } }), [
      'packages/core/package.json:1 pg ^8.0.0: pin the exact version',
    ])
  })

  it('refuses a lockfile that is behind', () => {
    const behind =
      'packages/core/package.json:1 package-lock.json does not match its dependencies: run npm install'
    assert.deepEqual(findings({ lock: { 'packages/core': { ...CORE, dependencies: {} } } }), [behind])
    assert.deepEqual(findings({ core: { dependencies: {} }, lock: { 'packages/core': undefined } }), [behind])
  })

  it('refuses a project that does not refer to what it depends on, or that the root does not refer to', () => {
    assert.deepEqual(findings({ references: [] }), [
      'apps/shop/tsconfig.json:1 does not refer to packages/core',
    ])
    const lonely = repositoryOf({
      'package.json': '{}',
      'tsconfig.json': '{}',
      'tools/package.json': '{}',
      'tools/tsconfig.json': '{}',
    })
    assert.deepEqual(checkWorkspaceAgreement(lonely).map(findingText), [
      'tsconfig.json:1 does not refer to tools',
    ])
  })
})
