import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { repositoryOf } from './repository.ts'
import { checkUnits } from './units.ts'

/** The names that are refused in `text`. */
function refused(text: string, path = 'packages/core/src/kernel/a.ts'): string[] {
  return checkUnits(repositoryOf({ [path]: text })).map(({ message }) => message.split(' ')[0] ?? '')
}

describe('checkUnits', () => {
  for (const [text, name] of Object.entries({
    'interface A { timeout: number }': 'timeout',
    'interface A { readonly connectTimeout?: number | undefined }': 'connectTimeout',
    'type A = { readonly size: number }': 'size',
    'class A { delay: number }': 'delay',
    'class A { #ttl = 5 }': 'ttl',
    'function wait(delay: number) {}': 'delay',
    'const wait = (delay = 500) => 1': 'delay',
    'interface A { sleep(interval: number): void }': 'interval',
    'type A = (window: number) => void': 'window',
    'const RETRY_DELAY = 5 * 60_000': 'RETRY_DELAY',
    'const duration: number = f()': 'duration',
  })) {
    it(`refuses ${text}`, () => assert.deepEqual(refused(text), [name]))
  }

  for (const text of [
    'interface A { timeoutMs: number; bodyBytesMax: number; sizeMax: number }',
    'interface A { timeout: Timeout; wait(): void; storage: number; homepage: number }',
    'interface A { readonly size: number; get(key: string): string }',
    'class A { #size = 0; get size(): number { return this.#size } }',
    'let size = 0',
    'const size = entries.length',
  ]) {
    it(`accepts ${text}`, () => assert.deepEqual(refused(text), []))
  }

  it('leaves tests alone', () => assert.deepEqual(refused('const delay = 5', 'tools/a.test.ts'), []))
})
