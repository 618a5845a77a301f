/**
 * What a coupon is to a user: its terms, or why it is refused.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Refusal, Terms } from '../contracts/coupons.ts'
import { type Discount, discountOf } from '../contracts/discount.ts'
import { benefit } from './coupon-store.ts'

/** What a user is offered at this moment. */
export type Offer =
  | { readonly refusal: Exclude<Refusal, 'coupon_minimum' | 'coupon_currency'> }
  | { readonly refusal: undefined; readonly terms: Terms }

interface OfferRow extends Terms {
  readonly isValid: boolean
  readonly isExhausted: boolean
  /** As often as this user may. */
  readonly isUsed: boolean
}

/** Times are the database's. It stays true only under the coupon's lock. */
export async function findOffer(
  queries: Session | Transaction,
  code: string,
  userId: string,
): Promise<Offer> {
  const row = await queries.maybe<OfferRow>(sql`
    select code, ${benefit}, minimum, currency,
      valid_from <= now() and coalesce(now() < valid_until, true) as "isValid",
      coalesce(uses >= limit_total, false) as "isExhausted",
      limit_per_customer is not null and (
        select count(*) from coupon_use where coupon_use.code = coupon.code and user_id = ${userId} and state = 'active'
      ) >= limit_per_customer as "isUsed"
    from coupon where code = ${code}`)
  if (row === undefined) return { refusal: 'coupon_unknown' }
  const { isValid, isExhausted, isUsed, ...terms } = row
  if (!isValid) return { refusal: 'coupon_expired' }
  // Who has used it is told so, even when nobody can use it any more.
  if (isUsed) return { refusal: 'coupon_used' }
  return isExhausted ? { refusal: 'coupon_exhausted' } : { refusal: undefined, terms }
}

/** As `findOffer`, for an order of that subtotal. */
export async function findDiscount(
  queries: Session | Transaction,
  code: string,
  userId: string,
  subtotal: Money,
): Promise<Extract<Offer, { refusal: string }> | Discount> {
  const offer = await findOffer(queries, code, userId)
  return offer.refusal === undefined ? discountOf(offer.terms, subtotal) : offer
}
