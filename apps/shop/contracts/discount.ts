/**
 * What a coupon takes off a subtotal: one rule for those who show it and those who charge for it.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'
import type { Benefit, Refusal, Terms } from './coupons.ts'
import { roundHalfUp } from './money.ts'

/** What it takes off, or why it takes nothing. */
export type Discount =
  | { readonly refusal: Extract<Refusal, 'coupon_minimum' | 'coupon_currency'> }
  | { readonly refusal: undefined; readonly discount: Money; readonly freeShipping: boolean }

/** Rounded once, for the whole; from 0 to the subtotal. */
export function discountOf(
  { benefit, minimum, currency }: Pick<Terms, 'benefit' | 'minimum' | 'currency'>,
  subtotal: Money,
): Discount {
  if (currency !== null && currency !== subtotal.currency) return { refusal: 'coupon_currency' }
  if (subtotal.amount < minimum) return { refusal: 'coupon_minimum' }
  return {
    refusal: undefined,
    discount: { amount: amountOff(benefit, subtotal.amount), currency: subtotal.currency },
    freeShipping: benefit.kind === 'free_shipping',
  }
}

function amountOff(benefit: Benefit, subtotal: number): number {
  switch (benefit.kind) {
    case 'percent':
      return roundHalfUp(subtotal, benefit.percent, 100)
    case 'fixed':
      return Math.min(benefit.amount, subtotal)
    case 'free_shipping':
      return 0
  }
}
