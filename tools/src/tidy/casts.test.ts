import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkCasts } from './casts.ts'
import { repositoryOf } from './repository.ts'

function count(text: string, path = 'packages/core/src/wire/a.ts'): number {
  return checkCasts(repositoryOf({ [path]: text })).length
}

describe('checkCasts', () => {
  it('refuses casts to any, even in tests', () => {
    assert.equal(count('const a = b as any'), 1)
    assert.equal(count('const a = <any>b'), 1)
    assert.equal(count('const a = b as any', 'tools/a.test.ts'), 1)
  })

  it('refuses a double cast without a comment', () => {
    assert.equal(count('// About something else.\n\nconst a = b as unknown as A'), 1)
    assert.equal(count('f(\n  1,\n  b as unknown as A,\n)'), 1)
  })

  it('accepts a double cast with a comment on its lines or the line before, and any in tests', () => {
    assert.equal(count('const a = b as unknown as A // B has all of it.'), 0)
    assert.equal(count('// B has all of it.\nconst a = b as unknown as A'), 0)
    assert.equal(
      count('// B has all of it.\nreturn f(\n  b as unknown as A,\n)'.replace('return ', 'const a = ')),
      0,
    )
    assert.equal(count('const a = b as unknown as A', 'tools/a.test.ts'), 0)
  })

  it('accepts a single cast', () => assert.equal(count('const a = b as A; const c = d as unknown'), 0))
})
