/**
 * What an order costs. Prices include tax, as shops show them to people; the rate is that of the country it is sent to.
 *
 * Every amount is rounded once, per line: the discount is shared out over the lines by the largest remainder, then the tax that
 * is in what is left of each line is worked out. So `total = Σ (lineTotal - discount) + shipping` holds to the cent, and the tax of the
 * whole is the sum of its parts.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'
import { allocate, roundHalfUp } from '../contracts/money.ts'
import type { OrderLine, OrderTotals } from '../contracts/orders.ts'

/** Tenths of a percent that prices include, by country and kind of goods. @source standard and reduced VAT rates of 2026 */
const TAX_RATES: Readonly<Record<string, { readonly standard: number; readonly books: number }>> = {
  AT: { standard: 200, books: 100 },
  BE: { standard: 210, books: 60 },
  CH: { standard: 81, books: 26 },
  DE: { standard: 190, books: 70 },
  DK: { standard: 250, books: 250 },
  ES: { standard: 210, books: 40 },
  FR: { standard: 200, books: 55 },
  GB: { standard: 200, books: 0 },
  IE: { standard: 230, books: 0 },
  IT: { standard: 220, books: 40 },
  NL: { standard: 210, books: 90 },
  PL: { standard: 230, books: 50 },
  SE: { standard: 250, books: 60 },
}

/** What is ordered. */
export interface Ordered {
  readonly sku: string
  readonly productId: string
  readonly name: string
  readonly quantity: number
  readonly unitPrice: Money
  /** Decides about the tax. */
  readonly category: string
}

/** What it depends on besides the lines. */
export interface Conditions {
  /** All amounts are in it. */
  readonly currency: string
  /** Minor units, at most the subtotal. */
  readonly discount: number
  /** Minor units. */
  readonly shipping: number
  /** Where it goes; ISO 3166-1. Unknown ones have no tax. */
  readonly country: string
}

/** The price of an order. */
export interface Priced {
  readonly lines: readonly OrderLine[]
  readonly totals: OrderTotals
}

/** Works out all amounts. */
export function priceOrder(ordered: readonly Ordered[], conditions: Conditions): Priced {
  const { currency, discount, shipping, country } = conditions
  const money = (amount: number): Money => ({ amount, currency })
  const grosses = ordered.map(({ unitPrice, quantity }) => unitPrice.amount * quantity)
  const discounts = allocate(discount, grosses)
  const lines = ordered.map(({ category, ...line }, index) => {
    const gross = grosses[index] as number
    const off = discounts[index] as number
    return {
      ...line,
      lineTotal: money(gross),
      discount: money(off),
      tax: money(taxIn(gross - off, rateOf(country, category))),
    }
  })
  const subtotal = grosses.reduce((sum, gross) => sum + gross, 0)
  const shippingTax = taxIn(shipping, rateOf(country, ''))
  const lineTax = lines.reduce((sum, { tax }) => sum + tax.amount, 0)
  return {
    lines,
    totals: {
      subtotal: money(subtotal),
      discount: money(discount),
      shipping: money(shipping),
      shippingTax: money(shippingTax),
      tax: money(lineTax + shippingTax),
      total: money(subtotal - discount + shipping),
    },
  }
}

function rateOf(country: string, category: string): number {
  const rates = Object.hasOwn(TAX_RATES, country) ? TAX_RATES[country] : undefined
  return (category === 'books' ? rates?.books : rates?.standard) ?? 0
}

function taxIn(gross: number, rate: number): number {
  return roundHalfUp(gross, rate, 1_000 + rate)
}
