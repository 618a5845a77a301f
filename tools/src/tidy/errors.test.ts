import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkErrors } from './errors.ts'
import { repositoryOf } from './repository.ts'

function count(text: string, path = 'packages/core/src/wire/a.ts'): number {
  return checkErrors(repositoryOf({ [path]: text })).length
}

describe('checkErrors', () => {
  it('refuses errors of the language in packages, but not in the kernel, test beds, tests and tools', () => {
    const text = "throw new Error('no')"
    assert.equal(count(text), 1)
    assert.equal(count("throw new TypeError('no')"), 1)
    assert.equal(count("throw new FlotillaError('internal', 'no')\nthrow error"), 0)
    for (const path of ['kernel/a.ts', 'testing/a.ts', 'wire/a.test.ts']) {
      assert.equal(count(text, `packages/core/src/${path}`), 0)
    }
    assert.equal(count(text, 'tools/a.mjs'), 0)
  })

  it('refuses to swallow an error in silence', () => {
    assert.equal(count('try { f() } catch {}'), 1)
    assert.equal(count('try { f() } catch (error) {}'), 1)
    assert.equal(count('f().catch(() => {})'), 1)
    assert.equal(count('void f().catch(() => {})'), 1)
    assert.equal(count('await f().catch(() => {})'), 1)
    assert.equal(count('f().catch(() => undefined)'), 1)
    assert.equal(count('f().catch(function () {})'), 1)
  })

  it('accepts an error that is handled, or swallowed for a reason given', () => {
    assert.equal(count('try { f() } catch (error) { log(error) }'), 0)
    assert.equal(count('try { f() } catch {\n// It is closed already.\n}'), 0)
    assert.equal(count('f().catch((error) => log(error))'), 0)
    assert.equal(count('// It is closed already.\nf().catch(() => {})'), 0)
    assert.equal(count('f().catch(() => {\n// It is closed already.\n})'), 0)
    assert.equal(count('f().catch(() => 0); f().then(() => {})'), 0)
    assert.equal(count('const text = await f().catch(() => undefined); g(f().catch(() => undefined))'), 0)
  })
})
