import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isOver, requireLegal, type States } from './transitions.ts'

const confirmed: States = { status: 'confirmed', paymentStatus: 'captured', fulfilmentStatus: 'unfulfilled' }

describe('requireLegal', () => {
  it('lets each dimension go its own way', () => {
    const shipped: States = { ...confirmed, status: 'shipped', fulfilmentStatus: 'shipped' }
    assert.doesNotThrow(() => requireLegal(confirmed, shipped))
    assert.doesNotThrow(() => requireLegal(confirmed, { ...confirmed, paymentStatus: 'refunded' }))
    assert.doesNotThrow(() => requireLegal(confirmed, confirmed))
  })

  it('refuses what is in no table', () => {
    const shipped: States = { ...confirmed, status: 'shipped', fulfilmentStatus: 'shipped' }
    for (const after of [
      { ...shipped, status: 'cancelled' },
      { ...shipped, fulfilmentStatus: 'stopped' },
      { ...shipped, paymentStatus: 'voided' },
      { ...shipped, status: 'pending' },
    ] as States[]) {
      assert.throws(() => requireLegal(shipped, after), {
        code: 'internal',
        message: /cannot go from shipped/,
      })
    }
  })

  it('never leaves an end', () => {
    for (const status of ['delivered', 'rejected', 'cancelled', 'expired'] as const) {
      assert.equal(isOver({ status }), true)
      assert.throws(() => requireLegal({ ...confirmed, status }, { ...confirmed, status: 'confirmed' }))
    }
    assert.equal(isOver({ status: 'shipped' }), false)
  })
})
