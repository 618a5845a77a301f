import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { durationTone, toneOf } from './marks.tsx'

describe('durationTone', () => {
  it('parts at 100 and 500 ms', () => {
    assert.deepEqual([0, 99.9, 100, 500, 500.1].map(durationTone), ['ok', 'ok', 'warning', 'warning', 'bad'])
  })
})

describe('toneOf', () => {
  it('takes what it does not know for bad', () => {
    assert.deepEqual(['ready', 'parked', 'info', 'constructor'].map(toneOf), ['ok', 'bad', 'idle', 'bad'])
  })
})
