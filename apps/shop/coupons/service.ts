/**
 * The shop's coupons.
 *
 * @module
 */
import { defineService } from '@flotilla/core/service'
import { coupons } from '../contracts/coupons.ts'
import { createCoupon, list } from './admin.ts'
import { canonicalCode, endCoupon } from './coupon-store.ts'
import { findDiscount, findOffer } from './offer.ts'
import { seedCoupons } from './seed.ts'
import { release, take } from './use-coupon.ts'

/** The coupons of the shop. */
export const couponsService = defineService({
  contract: coupons,
  database: { migrations: 'coupons/migrations' },
  seed: seedCoupons,
  open: () => ({
    async terms({ code, userId }, ctx) {
      const offer = await findOffer(ctx.db, canonicalCode(code), userId)
      if (offer.refusal !== undefined) throw ctx.fail(offer.refusal)
      return offer.terms
    },
    async quote({ code: typed, userId, subtotal }, ctx) {
      const code = canonicalCode(typed)
      const worth = await findDiscount(ctx.db, code, userId, subtotal)
      if (worth.refusal !== undefined) throw ctx.fail(worth.refusal)
      return { code, discount: worth.discount, freeShipping: worth.freeShipping }
    },
    take,
    release,
    createCoupon,
    coupons: list,
    endCoupon: ({ code }, ctx) =>
      ctx.commit(async (tx) => {
        if (!(await endCoupon(tx, canonicalCode(code)))) throw ctx.fail('coupon_unknown')
        return {}
      }),
  }),
})
