import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { joinPath, partOf } from './paths.ts'

describe('partOf', () => {
  for (const [path, part] of Object.entries({
    'packages/core/src/wire/http.ts': 'core/wire',
    'packages/core/src/wire/frames/frame.ts': 'core/wire',
    'packages/core/src/error.ts': undefined,
    'packages/core/package.json': undefined,
    'apps/shop/cart/service.ts': 'shop/cart',
    'apps/shop/cart/migrations/one.ts': 'shop/cart',
    'apps/shop/app.ts': 'shop/app',
    'tools/src/tidy/paths.ts': undefined,
    'biome.json': undefined,
  })) {
    it(`${path} is in ${part ?? 'no part'}`, () => assert.equal(partOf(path), part))
  }
})

describe('joinPath', () => {
  it('follows steps up and down, and shows when they leave the root', () => {
    assert.equal(joinPath('a/b', '../c/./d.ts'), 'a/c/d.ts')
    assert.equal(joinPath('', './d.ts'), 'd.ts')
    assert.equal(joinPath('a', '../../d.ts'), '../d.ts')
    assert.equal(joinPath('a', '../../../d.ts'), '../../d.ts')
  })
})
