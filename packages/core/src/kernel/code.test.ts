import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { codes, isCode } from './code.ts'

describe('codes', () => {
  it('codes are the sixteen of gRPC, in its order', () => {
    assert.deepEqual(Object.keys(codes), [
      'canceled',
      'unknown',
      'invalid_argument',
      'deadline_exceeded',
      'not_found',
      'already_exists',
      'permission_denied',
      'resource_exhausted',
      'failed_precondition',
      'aborted',
      'out_of_range',
      'unimplemented',
      'internal',
      'unavailable',
      'data_loss',
      'unauthenticated',
    ])
  })

  it('codes answer with error statuses only, and have titles without a full stop', () => {
    for (const [code, { status, title }] of Object.entries(codes)) {
      assert.ok(status >= 400 && status <= 599, code)
      assert.match(title, /^[A-Z].*[a-z]$/, code)
    }
  })

  it('codes call transient what passes by itself, and nothing else', () => {
    const transient = Object.entries(codes).filter(([, facts]) => facts.isTransient)
    assert.deepEqual(
      transient.map(([code]) => code),
      ['deadline_exceeded', 'resource_exhausted', 'aborted', 'unavailable'],
    )
  })

  it('isCode accepts the sixteen and nothing else, names every object has included', () => {
    for (const code of Object.keys(codes)) assert.equal(isCode(code), true)
    for (const other of ['', 'toString', '__proto__', 'constructor', 'Internal', null, 13]) {
      assert.equal(isCode(other), false, String(other))
    }
    fc.assert(
      fc.property(fc.anything(), (value) => isCode(value) === Object.keys(codes).includes(value as string)),
    )
  })
})
