/**
 * Putting a coupon on a cart and taking it off. It is only remembered: what it takes off is worked out anew whenever the
 * cart is read, and it is used up when something is ordered with it.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import type { cart } from '../contracts/cart.ts'
import { discountOf } from '../contracts/discount.ts'
import { findCart } from './cart-store.ts'
import { viewOf } from './cart-view.ts'
import { changeCart } from './change-cart.ts'
import { readTerms } from './coupon-terms.ts'
import { readPrices } from './price-list.ts'

/** Handles `cart.attachCoupon`. */
export const attachCoupon: Handlers<typeof cart>['attachCoupon'] = async ({ code, version }, ctx) => {
  const stored = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
  const skus = stored.lines.map(({ sku }) => sku)
  const [prices, asked] = await Promise.all([readPrices(ctx, skus), readTerms(ctx, code.toUpperCase())])
  if (asked?.terms === undefined) throw ctx.fail(asked?.refusal ?? 'coupon_unknown')
  const offers = { prices, terms: asked }
  const worth = discountOf(asked.terms, viewOf(stored, offers).totals.subtotal)
  if (worth.refusal !== undefined) throw ctx.fail(worth.refusal)
  return changeCart(ctx, { version, offers, apply: ({ lines }) => ({ lines, coupon: asked.code }) })
}

/** Handles `cart.removeCoupon`. */
export const removeCoupon: Handlers<typeof cart>['removeCoupon'] = async ({ version }, ctx) => {
  const { lines } = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
  const prices = await readPrices(
    ctx,
    lines.map(({ sku }) => sku),
  )
  const offers = { prices, terms: undefined }
  return changeCart(ctx, { version, offers, apply: (present) => ({ ...present, coupon: undefined }) })
}
