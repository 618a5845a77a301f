import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addMoney, allocate, roundHalfUp } from './money.ts'

const amount = fc.oneof(fc.nat(30), fc.nat(1_000_000), fc.nat(Number.MAX_SAFE_INTEGER))
const internal = { code: 'internal' }
const sumOf = (parts: readonly number[]): bigint => parts.reduce((sum, part) => sum + BigInt(part), 0n)

describe('roundHalfUp', () => {
  it('rounds a half up', () => {
    const tenths = [0, 4, 5, 9, 10, 14, 15].map((value) => roundHalfUp(value, 1, 10))
    assert.deepEqual(tenths, [0, 0, 1, 1, 1, 1, 2])
    assert.equal(roundHalfUp(1_020, 75, 1_000), 77)
  })

  it('is the integer in (exact − 1/2, exact + 1/2]', () => {
    const factor = fc.nat(1_000)
    const divisor = fc.integer({ min: 1_000, max: 100_000 })
    fc.assert(
      fc.property(amount, factor, divisor, (value, numerator, denominator) => {
        const rounded = BigInt(roundHalfUp(value, numerator, denominator))
        const exact = 2n * BigInt(value) * BigInt(numerator)
        const twice = 2n * rounded * BigInt(denominator)
        assert.ok(twice - exact > -BigInt(denominator) && twice - exact <= BigInt(denominator))
      }),
    )
  })

  it('refuses what is no amount', () => {
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53]) {
      assert.throws(() => roundHalfUp(wrong, 1, 1), internal)
      assert.throws(() => roundHalfUp(1, wrong, 1), internal)
      assert.throws(() => roundHalfUp(1, 1, wrong), internal)
    }
    assert.throws(() => roundHalfUp(1, 1, 0), internal)
    assert.throws(() => roundHalfUp(Number.MAX_SAFE_INTEGER, 2, 1), internal)
  })
})

describe('allocate', () => {
  it('gives what is left to the largest remainders, of equal ones to the first', () => {
    assert.deepEqual(allocate(100, [1, 1, 1]), [34, 33, 33])
    assert.deepEqual(allocate(10, [6, 5, 9]), [3, 3, 4])
    assert.deepEqual(allocate(5, [0, 0]), [3, 2])
    assert.deepEqual(allocate(0, []), [])
    assert.throws(() => allocate(1, []), internal)
    assert.throws(() => allocate(1, [1, -1]), internal)
  })

  it('gives integers >= 0 that add up to the whole, each within one of its exact share', () => {
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1, maxLength: 50 }), (total, weights) => {
        const parts = allocate(total, weights)
        assert.equal(parts.length, weights.length)
        assert.equal(sumOf(parts), BigInt(total))
        const sum = sumOf(weights)
        for (const [index, part] of parts.entries()) {
          assert.ok(Number.isSafeInteger(part) && part >= 0)
          if (sum === 0n) continue
          const share = BigInt(total) * BigInt(weights[index] ?? 0)
          const off = BigInt(part) * sum - share
          assert.ok(off > -sum && off < sum)
        }
      }),
    )
  })

  it('never gives more than the weight while the total is not larger than all of them', () => {
    const weighted = fc
      .array(fc.nat(1_000_000), { minLength: 1, maxLength: 50 })
      .chain((weights) => fc.tuple(fc.nat(Number(sumOf(weights))), fc.constant(weights)))
    fc.assert(
      fc.property(weighted, ([total, weights]) => {
        for (const [index, part] of allocate(total, weights).entries())
          assert.ok(part <= (weights[index] ?? 0))
      }),
    )
  })
})

describe('addMoney', () => {
  it('adds within one currency only', () => {
    assert.deepEqual(addMoney({ amount: 1, currency: 'EUR' }, { amount: 2, currency: 'EUR' }), {
      amount: 3,
      currency: 'EUR',
    })
    assert.throws(() => addMoney({ amount: 1, currency: 'EUR' }, { amount: 2, currency: 'JPY' }), internal)
    const most = { amount: Number.MAX_SAFE_INTEGER, currency: 'EUR' }
    assert.throws(() => addMoney(most, { amount: 1, currency: 'EUR' }), internal)
  })
})
