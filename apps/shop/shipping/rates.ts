/**
 * What sending costs: one table. A parcel up to a base weight has the price of its zone and method; every started kilogram
 * beyond adds to it; goods above a value are sent free where the table says so, however heavy.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'

/** A way of sending. */
export type Method = 'standard' | 'express'

/** One price: amounts are minor units. */
export interface Rate {
  readonly method: Method
  /** Up to the base weight. */
  readonly base: number
  /** For each started kilogram beyond. */
  readonly perKg: number
  /** Goods of this value or more are sent free; null: never. */
  readonly freeFrom: number | null
  readonly days: { readonly min: number; readonly max: number }
}

/** What is to be sent. */
export interface Parcel {
  /** ISO 3166-1. */
  readonly country: string
  readonly subtotal: Money
  readonly weightG: number
}

const CURRENCY = 'EUR'
const BASE_WEIGHT_G = 5_000
const KILOGRAM_G = 1_000

const UNION = 'AT BE BG CY CZ DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' ')
const NEIGHBOURS = 'AD CH GB IS LI MC NO SM VA'.split(' ')

/** Zones, the nearest first; the last one is everywhere else. */
const ZONES: readonly {
  readonly countries: readonly string[] | 'others'
  readonly rates: readonly Rate[]
}[] = [
  {
    countries: ['DE'],
    rates: [
      { method: 'standard', base: 490, perKg: 60, freeFrom: 5_000, days: { min: 2, max: 3 } },
      { method: 'express', base: 1_190, perKg: 90, freeFrom: null, days: { min: 1, max: 1 } },
    ],
  },
  {
    countries: UNION,
    rates: [
      { method: 'standard', base: 990, perKg: 120, freeFrom: 15_000, days: { min: 3, max: 6 } },
      { method: 'express', base: 2_490, perKg: 190, freeFrom: null, days: { min: 1, max: 2 } },
    ],
  },
  {
    countries: NEIGHBOURS,
    rates: [
      { method: 'standard', base: 1_490, perKg: 190, freeFrom: 25_000, days: { min: 4, max: 8 } },
      { method: 'express', base: 3_290, perKg: 290, freeFrom: null, days: { min: 2, max: 3 } },
    ],
  },
  {
    countries: 'others',
    rates: [{ method: 'standard', base: 2_490, perKg: 490, freeFrom: null, days: { min: 7, max: 21 } }],
  },
]

/** Every way to send `parcel`, the cheapest of the zone's table first; none when its currency has no prices. */
export function priceParcel({
  country,
  subtotal,
  weightG,
}: Parcel): readonly (Rate & { readonly price: Money })[] {
  if (subtotal.currency !== CURRENCY) return []
  const zone = ZONES.find(({ countries }) => countries === 'others' || countries.includes(country))
  const extraKg = Math.max(0, Math.ceil((weightG - BASE_WEIGHT_G) / KILOGRAM_G))
  return (zone?.rates ?? []).map((rate) => {
    const isFree = rate.freeFrom !== null && subtotal.amount >= rate.freeFrom
    const amount = isFree ? 0 : rate.base + extraKg * rate.perKg
    return { ...rate, price: { amount, currency: CURRENCY } }
  })
}
