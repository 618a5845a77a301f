/**
 * The shop's carts.
 *
 * @module
 */
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { cart } from '../contracts/cart.ts'
import { catalog } from '../contracts/catalog.ts'
import { coupons } from '../contracts/coupons.ts'
import { findCart, pruneCarts } from './cart-store.ts'
import { type Offers, viewOf } from './cart-view.ts'
import { changeCart } from './change-cart.ts'
import { checkout, ordered } from './checkout.ts'
import { attachCoupon, removeCoupon } from './coupon.ts'
import { readTermsIfThere } from './coupon-terms.ts'
import { readPrices } from './price-list.ts'
import { putItem } from './put-item.ts'

/** Deleting the lines of so many carts takes well under a second. */
const PRUNE_COUNT = 500

/** What an empty cart needs to know. */
const NOTHING: Offers = { prices: new Map(), terms: undefined }

/** The carts of the shop. */
export const cartService = defineService({
  contract: cart,
  database: { migrations: 'cart/migrations' },
  calls: [catalog, coupons],
  config: Type.Object({
    pruneMs: Type.Integer({
      minimum: 10,
      default: 60_000,
      description: 'milliseconds between two looks for expired carts',
    }),
  }),
  open({ config, every }) {
    every('prune expired carts', config.pruneMs, async ({ db, clock }) => {
      await pruneCarts(db, clock.now(), PRUNE_COUNT)
    })
    return {
      async get(_, ctx) {
        const stored = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
        const skus = stored.lines.map(({ sku }) => sku)
        const [prices, terms] = await Promise.all([
          readPrices(ctx, skus),
          readTermsIfThere(ctx, stored.coupon),
        ])
        return viewOf(stored, { prices, terms })
      },
      addItem: ({ quantity, ...put }, ctx) =>
        putItem(ctx, { ...put, quantityOf: (present) => present + quantity }),
      setItem: ({ quantity, ...put }, ctx) => putItem(ctx, { ...put, quantityOf: () => quantity }),
      async removeItem({ sku, version }, ctx) {
        const { lines, coupon } = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
        const skus = lines.map((line) => line.sku).filter((one) => one !== sku)
        const [prices, terms] = await Promise.all([readPrices(ctx, skus), readTermsIfThere(ctx, coupon)])
        return changeCart(ctx, {
          version,
          offers: { prices, terms },
          apply: (present) => ({ ...present, lines: present.lines.filter((line) => line.sku !== sku) }),
        })
      },
      clear: ({ version }, ctx) =>
        changeCart(ctx, { version, offers: NOTHING, apply: () => ({ lines: [], coupon: undefined }) }),
      attachCoupon,
      removeCoupon,
      checkout,
      ordered,
    }
  },
})
