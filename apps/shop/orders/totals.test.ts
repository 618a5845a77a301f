import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Ordered, priceOrder } from './totals.ts'

const line: fc.Arbitrary<Ordered> = fc.record({
  sku: fc.constant('A-1'),
  productId: fc.constant('p'),
  name: fc.constant('A'),
  quantity: fc.integer({ min: 1, max: 99 }),
  unitPrice: fc.integer({ min: 0, max: 1_000_000 }).map((amount) => ({ amount, currency: 'EUR' })),
  category: fc.constantFrom('books', 'audio', ''),
})

const country = fc.constantFrom('DE', 'FR', 'GB', 'US', 'constructor')

describe('priceOrder', () => {
  it('adds up exactly, whatever is bought', () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 50 }),
        fc.nat({ max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        country,
        (ordered, shipping, share, where) => {
          const gross = ordered.reduce((sum, { unitPrice, quantity }) => sum + unitPrice.amount * quantity, 0)
          const discount = Math.floor(gross * share)
          const { lines, totals } = priceOrder(ordered, {
            currency: 'EUR',
            discount,
            shipping,
            country: where,
          })
          const sum = (pick: (one: (typeof lines)[number]) => { amount: number }): number =>
            lines.reduce((all, one) => all + pick(one).amount, 0)
          assert.equal(
            sum(({ lineTotal }) => lineTotal),
            totals.subtotal.amount,
          )
          assert.equal(
            sum(({ discount: off }) => off),
            discount,
          )
          assert.equal(sum(({ tax }) => tax) + totals.shippingTax.amount, totals.tax.amount)
          assert.equal(totals.total.amount, totals.subtotal.amount - discount + shipping)
          for (const one of lines) {
            const net = one.lineTotal.amount - one.discount.amount
            assert.ok(net >= 0 && one.tax.amount >= 0 && one.tax.amount <= net)
          }
        },
      ),
    )
  })

  it('finds the tax that a price includes', () => {
    const bought = {
      sku: 'A-1',
      productId: 'p',
      name: 'A',
      quantity: 1,
      unitPrice: { amount: 11_900, currency: 'EUR' },
    }
    const tax = (category: string, where: string): number =>
      priceOrder([{ ...bought, category }], { currency: 'EUR', discount: 0, shipping: 0, country: where })
        .totals.tax.amount
    assert.equal(tax('audio', 'DE'), 1_900)
    assert.equal(tax('books', 'DE'), 779)
    assert.equal(tax('audio', 'US'), 0)
  })
})
