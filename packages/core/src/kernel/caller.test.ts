import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anonymous } from './caller.ts'

describe('anonymous', () => {
  it('anonymous is nobody, and nobody can make it somebody', () => {
    assert.deepEqual(anonymous, {})
    assert.throws(() => Object.assign(anonymous, { service: 'admin' }), TypeError)
  })
})
