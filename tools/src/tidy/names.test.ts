import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkNames } from './names.ts'
import { repositoryOf } from './repository.ts'

function count(path: string, text = ''): number {
  return checkNames(repositoryOf({ [path]: text })).length
}

describe('checkNames', () => {
  for (const path of [
    'packages/core/src/kernel/utils.ts',
    'packages/core/src/kernel/index.ts',
    'packages/core/src/kernel/base.test.ts',
    'packages/core/src/kernel/order-utils.ts',
    'packages/core/src/kernel/placement-manager.ts',
    'packages/core/src/shared/a.ts',
    'apps/shop/lib/a.ts',
    'tests/helpers/a.ts',
  ]) {
    it(`refuses ${path}`, () => assert.equal(count(path), 1))
  }

  for (const path of [
    'packages/core/src/kernel/search-index.ts',
    'packages/core/src/kernel/base64.ts',
    'packages/core/src/kernel/index.sql',
    'docs/index.md',
  ]) {
    it(`accepts ${path}`, () => assert.equal(count(path), 0))
  }

  it('refuses empty names of exports', () => {
    const names = ['class OrderManager {}', 'class BaseStore {}', 'interface IStore {}', 'class StoreImpl {}']
    assert.equal(count('tools/a.ts', names.map((one) => `export ${one}`).join('\n')), names.length)
    assert.equal(
      count('tools/a.ts', 'export class Baseline {}\nexport interface Item {}\nexport type IPv4 = 1'),
      0,
    )
  })
})
