import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { StoredCart } from './cart-store.ts'
import { type Offers, viewOf } from './cart-view.ts'
import type { Offer } from './price-list.ts'

const SKUS = ['A', 'B', 'C', 'D', 'E']
const money = fc.record({
  amount: fc.integer({ min: 0, max: 100_000_000 }),
  currency: fc.constantFrom('EUR', 'JPY', 'KWD'),
})

const stored: fc.Arbitrary<StoredCart> = fc
  .uniqueArray(
    fc.record({
      sku: fc.constantFrom(...SKUS),
      quantity: fc.integer({ min: 1, max: 99 }),
      productId: fc.constant('kept'),
      name: fc.constant('kept'),
      unitPrice: money,
    }),
    { selector: ({ sku }) => sku },
  )
  .map((lines) => ({ id: 'a-cart', version: 7, updatedAtMs: 1_700_000_000_000, lines, coupon: undefined }))

/** For each SKU an offer, no such product, or not asked. */
const prices: fc.Arbitrary<Offers> = fc
  .tuple(...SKUS.map(() => fc.oneof(money, fc.constant(null), fc.constant(undefined))))
  .map((answers) => {
    const entries = answers.flatMap((price, index): [string, Offer | null][] => {
      const sku = SKUS[index] as string
      if (price === undefined) return []
      return [
        [sku, price === null ? null : { id: 'current', sku, name: 'current', category: 'things', price }],
      ]
    })
    return { prices: new Map(entries), terms: undefined }
  })

describe('viewOf', () => {
  it('adds exactly the lines that count, all in one currency', () => {
    fc.assert(
      fc.property(stored, prices, (cart, list) => {
        const { lines, totals } = viewOf(cart, list)
        const counted = lines.filter(({ isAvailable }) => isAvailable)
        assert.equal(
          totals.items,
          counted.reduce((sum, { quantity }) => sum + quantity, 0),
        )
        assert.equal(
          BigInt(totals.subtotal.amount),
          counted.reduce(
            (sum, { quantity, unitPrice }) => sum + BigInt(quantity) * BigInt(unitPrice.amount),
            0n,
          ),
        )
        for (const { unitPrice } of counted) assert.equal(unitPrice.currency, totals.subtotal.currency)
      }),
    )
  })

  it('shows every line in its place, at the price of the moment where there is one', () => {
    fc.assert(
      fc.property(stored, prices, (cart, list) => {
        const { lines } = viewOf(cart, list)
        assert.deepEqual(
          lines.map(({ sku, quantity }) => [sku, quantity]),
          cart.lines.map(({ sku, quantity }) => [sku, quantity]),
        )
        for (const [index, line] of lines.entries()) {
          const offer = list.prices.get(line.sku)
          assert.deepEqual(line.unitPrice, offer?.price ?? cart.lines[index]?.unitPrice)
          assert.equal(line.name, offer ? 'current' : 'kept')
          assert.equal(line.lineTotal.amount, line.unitPrice.amount * line.quantity)
          if (offer === null) assert.equal(line.isAvailable, false)
        }
      }),
    )
  })

  it('counts something whenever something can be bought', () => {
    fc.assert(
      fc.property(stored, prices, (cart, list) => {
        const { lines } = viewOf(cart, list)
        const isForSale = cart.lines.some(({ sku }) => list.prices.get(sku) !== null)
        assert.equal(
          lines.some(({ isAvailable }) => isAvailable),
          isForSale,
        )
      }),
    )
  })

  it('takes off from nothing to everything, and says why when a coupon does not hold', () => {
    const benefit = fc.oneof(
      fc.record({ kind: fc.constant('percent' as const), percent: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ kind: fc.constant('fixed' as const), amount: fc.integer({ min: 1, max: 100_000_000 }) }),
      fc.record({ kind: fc.constant('free_shipping' as const) }),
    )
    const terms = fc.option(
      fc.record({
        code: fc.constantFrom('CODE', 'OTHER'),
        terms: fc.record({
          code: fc.constant('CODE'),
          benefit,
          minimum: fc.nat(100_000_000),
          currency: fc.constantFrom('EUR', 'JPY', null),
        }),
      }),
      { nil: undefined },
    )
    fc.assert(
      fc.property(stored, prices, terms, (cart, list, asked) => {
        const { totals, coupon } = viewOf({ ...cart, coupon: 'CODE' }, { ...list, terms: asked })
        const { subtotal, discount, total } = totals
        assert.deepEqual(discount, coupon?.discount)
        assert.ok(discount.amount >= 0 && total.amount >= 0)
        assert.equal(total.amount + discount.amount, subtotal.amount)
        assert.deepEqual([discount.currency, total.currency], [subtotal.currency, subtotal.currency])
        if (coupon?.note !== undefined) assert.deepEqual([discount.amount, coupon.freeShipping], [0, false])
        if (asked?.code !== 'CODE') assert.ok(coupon?.note !== undefined)
      }),
    )
  })
})
