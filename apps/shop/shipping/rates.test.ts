import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Parcel, priceParcel } from './rates.ts'

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const parcels = fc.record({
  country: fc.oneof(fc.constantFrom('DE', 'FR', 'CH', 'US'), fc.stringMatching(/^[A-Z]{2}$/)),
  subtotal: fc.integer({ min: 0, max: 100_000_000 }).map(eur),
  weightG: fc.integer({ min: 0, max: 1_000_000 }),
})

describe('priceParcel', () => {
  const cases: readonly (readonly [Parcel, readonly (readonly [string, number])[]])[] = [
    [
      { country: 'DE', subtotal: eur(4_999), weightG: 0 },
      [
        ['standard', 490],
        ['express', 1_190],
      ],
    ],
    [
      { country: 'DE', subtotal: eur(5_000), weightG: 9_999 },
      [
        ['standard', 0],
        ['express', 1_640],
      ],
    ],
    [
      { country: 'DE', subtotal: eur(100), weightG: 5_000 },
      [
        ['standard', 490],
        ['express', 1_190],
      ],
    ],
    [
      { country: 'DE', subtotal: eur(100), weightG: 5_001 },
      [
        ['standard', 550],
        ['express', 1_280],
      ],
    ],
    [
      { country: 'FR', subtotal: eur(5_000), weightG: 0 },
      [
        ['standard', 990],
        ['express', 2_490],
      ],
    ],
    [
      { country: 'CH', subtotal: eur(25_000), weightG: 0 },
      [
        ['standard', 0],
        ['express', 3_290],
      ],
    ],
    [{ country: 'NZ', subtotal: eur(900_000), weightG: 6_500 }, [['standard', 3_470]]],
    [{ country: 'DE', subtotal: { amount: 100, currency: 'USD' }, weightG: 0 }, []],
  ]
  for (const [parcel, expected] of cases) {
    it(`prices ${JSON.stringify(parcel)}`, () => {
      assert.deepEqual(
        priceParcel(parcel).map(({ method, price }) => [method, price.amount]),
        expected,
      )
    })
  }

  it('has for every country whole, never negative prices, the standard way first and never dearer', () => {
    fc.assert(
      fc.property(parcels, (parcel) => {
        const offers = priceParcel(parcel)
        assert.equal(offers[0]?.method, 'standard')
        const amounts = offers.map(({ price }) => price.amount)
        assert.ok(amounts.every((amount) => Number.isSafeInteger(amount) && amount >= 0))
        assert.deepEqual(
          amounts,
          amounts.toSorted((a, b) => a - b),
        )
        assert.ok(offers.every(({ price, days }) => price.currency === 'EUR' && days.min <= days.max))
      }),
    )
  })

  it('never asks less for more weight, nor more for goods of more value', () => {
    fc.assert(
      fc.property(parcels, fc.nat(1_000_000), fc.nat(1_000_000), (parcel, moreG, moreCents) => {
        const offers = priceParcel(parcel)
        const heavier = priceParcel({ ...parcel, weightG: parcel.weightG + moreG })
        const dearer = priceParcel({ ...parcel, subtotal: eur(parcel.subtotal.amount + moreCents) })
        for (const [index, { price }] of offers.entries()) {
          assert.ok((heavier[index]?.price.amount ?? -1) >= price.amount)
          assert.ok((dearer[index]?.price.amount ?? Number.POSITIVE_INFINITY) <= price.amount)
        }
      }),
    )
  })
})
