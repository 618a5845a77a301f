import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { anyone, user } from './access.ts'
import { refusedRequest } from './admission.ts'
import { defineContract } from './contract.ts'
import { command } from './operation.ts'
import { Type } from './schema.ts'

const spec = { summary: 'Puts.', input: Type.Object({ n: Type.Integer() }), output: Type.Object({}) }
const { put, open } = defineContract({
  name: 'box',
  version: 1,
  summary: 'Holds things.',
  operations: {
    put: command({ ...spec, access: user, idempotency: 'key_required' }),
    open: command({ ...spec, access: anyone, idempotency: 'natural' }),
  },
}).operations
const someone = { user: { id: 'u', roles: [], scopes: [], tier: 'free' } } as const

describe('refusedRequest', () => {
  it('asks who, then what, then for the key', () => {
    assert.equal(refusedRequest(put, {}, { caller: {} })?.code, 'unauthenticated')
    const invalid = refusedRequest(put, { n: 'secret' }, { caller: someone })
    assert.deepEqual(invalid?.toBody(), {
      code: 'invalid_argument',
      message: 'The request is not valid.',
      executed: 'no',
      issues: [{ pointer: '/n', message: 'must be integer' }],
    })
    assert.match(refusedRequest(put, { n: 1 }, { caller: someone })?.message ?? '', /Idempotency-Key/)
    assert.equal(refusedRequest(put, { n: 1 }, { caller: someone, idempotencyKey: 'k' }), undefined)
  })

  it('takes keys of 1 to 255 characters, none of them a control character, on any operation', () => {
    const refuses = (idempotencyKey: string): boolean => {
      const refused = refusedRequest(open, { n: 1 }, { caller: {}, idempotencyKey })
      if (refused !== undefined) assert.equal(`${refused.code} ${refused.executed}`, 'invalid_argument no')
      return refused !== undefined
    }
    const allowed = fc
      .string({ unit: 'grapheme', maxLength: 300 })
      .map((text) => text.replace(/\p{Cc}/gu, ''))
    fc.assert(
      fc.property(allowed, (key) => {
        const characterCount = [...key].length
        assert.equal(refuses(key), characterCount < 1 || characterCount > 255)
      }),
    )
    for (const key of ['', 'k'.repeat(256), 'a\nb', 'a\0', '\x7f', '\x85']) assert.ok(refuses(key), key)
    for (const key of ['k'.repeat(255), '🛒'.repeat(255), ' ']) assert.ok(!refuses(key), key)
  })
})
