import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { moneyText } from './money-text.ts'

describe('moneyText', () => {
  const cases = [
    [0, 'EUR', '0.00 EUR'],
    [5, 'EUR', '0.05 EUR'],
    [123_456, 'EUR', '1234.56 EUR'],
    [-7, 'EUR', '-0.07 EUR'],
    [500, 'JPY', '500 JPY'],
    [1_005, 'KWD', '1.005 KWD'],
    [Number.MAX_SAFE_INTEGER, 'EUR', '90071992547409.91 EUR'],
  ] as const
  for (const [amount, currency, text] of cases) {
    it(`writes ${text}`, () => assert.equal(moneyText({ amount, currency }), text))
  }

  it('loses nothing', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom('EUR', 'JPY', 'KWD'), (amount, currency) => {
        const text = moneyText({ amount, currency })
        assert.equal(Number(text.replace('.', '').split(' ')[0]), amount === 0 ? 0 : amount)
      }),
    )
  })
})
