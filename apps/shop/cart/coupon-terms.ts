/**
 * What the coupons say about the one on a cart. Like prices, it is asked before a transaction is opened, never within one,
 * and what it takes off is worked out where the lines are known.
 *
 * @module
 */
import type { CallOptions } from '@flotilla/core/calls'
import { isFlotillaError } from '@flotilla/core/error'
import type { Context } from '@flotilla/core/service'
import { coupons, type Refusal, refusals, type Terms } from '../contracts/coupons.ts'

/** What a coupon is worth, or a note for people on why it is worth nothing now. */
export type CouponTerms =
  | { readonly code: string; readonly terms: Terms }
  | { readonly code: string; readonly terms: undefined; readonly refusal: Refusal }

/** How long a cart that is only looked at waits for it. */
const PATIENCE_MS = 500

/**
 * Asks about `code`, if there is one.
 *
 * @throws FlotillaError `unavailable` while the coupons are.
 */
export async function readTerms(
  ctx: Context,
  code: string | undefined,
  options?: CallOptions,
): Promise<CouponTerms | undefined> {
  if (code === undefined) return undefined
  try {
    const terms = await ctx.call(coupons).terms({ code, userId: ctx.user.id }, options)
    return { code: terms.code, terms }
  } catch (error) {
    if (isFlotillaError(error) && isRefusal(error.reason))
      return { code, terms: undefined, refusal: error.reason }
    throw error
  }
}

/** As `readTerms`; undefined also while the coupons are away: a cart without its discount beats no cart. */
export async function readTermsIfThere(
  ctx: Context,
  code: string | undefined,
): Promise<CouponTerms | undefined> {
  try {
    return await readTerms(ctx, code, { timeoutMs: PATIENCE_MS })
  } catch (error) {
    ctx.log.warn('the coupons did not answer; the cart is shown without a discount', { error })
    return undefined
  }
}

function isRefusal(reason: string | undefined): reason is Refusal {
  return reason !== undefined && Object.hasOwn(refusals, reason)
}
