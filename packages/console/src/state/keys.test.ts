import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeyReader } from './keys.ts'

const press = (key: string, more: object = {}) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...more,
})

describe('KeyReader', () => {
  it('goes to a page by two keys, the second soon after the first', () => {
    const keys = new KeyReader()
    assert.deepEqual(keys.read(press('g'), 0, false), { kind: 'first' })
    assert.deepEqual(keys.read(press('s'), 900, false), { kind: 'page', key: 's' })
    assert.deepEqual(keys.read(press('s'), 950, false), { kind: 'none' })
    keys.read(press('g'), 1_000, false)
    assert.deepEqual(keys.read(press('s'), 3_000, false), { kind: 'none' })
  })

  it('leaves alone who types, and other modifiers', () => {
    const keys = new KeyReader()
    assert.deepEqual(keys.read(press('/'), 0, true), { kind: 'none' })
    assert.deepEqual(keys.read(press('r', { ctrlKey: true }), 0, false), { kind: 'none' })
    assert.deepEqual(keys.read(press('/'), 0, false), { kind: 'search' })
    assert.deepEqual(keys.read(press('k', { metaKey: true }), 0, true), { kind: 'search' })
    assert.deepEqual(keys.read(press('toString'), 0, false), { kind: 'none' })
  })
})
