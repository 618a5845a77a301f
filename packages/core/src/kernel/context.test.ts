import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { criticalities } from './context.ts'

describe('criticalities', () => {
  it('criticalities go from what is served last to what is shed first', () => {
    assert.deepEqual(criticalities, ['critical_plus', 'critical', 'sheddable_plus', 'sheddable'])
  })
})
