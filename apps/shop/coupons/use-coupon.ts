/**
 * Using a coupon for an order, and giving the use back.
 *
 * A use is a row of `coupon_use`, one per order: a repeat finds it and gets the same answer. Who takes or gives back
 * locks the coupon first and looks at its limits then, so that all who are after one coupon come one after the other, and
 * nobody waits in a circle. (So a coupon is used as often as its row can be changed: some hundred times a second.)
 *
 * An order that gives back what it never took gets a released row too: a `take` that was still on its way is refused.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Money } from '@flotilla/core/schema'
import type { Handlers } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { coupons } from '../contracts/coupons.ts'
import { canonicalCode, lockCoupon } from './coupon-store.ts'
import { findDiscount } from './offer.ts'

interface Quote {
  readonly code: string
  readonly discount: Money
  readonly freeShipping: boolean
}

interface Use extends Quote {
  readonly state: 'active' | 'released'
  readonly userId: string
}

/** Handles `coupons.take`. */
export const take: Handlers<typeof coupons>['take'] = ({ orderId, code: typed, userId, subtotal }, ctx) => {
  const code = canonicalCode(typed)
  return ctx.commit(async (tx) => {
    await lockCoupon(tx, code)
    const present = await findUse(tx, orderId)
    if (present !== undefined) {
      if (present.state === 'released') throw ctx.fail('coupon_released')
      if (present.code !== code || present.userId !== userId) throw ctx.fail('coupon_differs')
      return { code, discount: present.discount, freeShipping: present.freeShipping }
    }
    const worth = await findDiscount(tx, code, userId, subtotal)
    if (worth.refusal !== undefined) throw ctx.fail(worth.refusal)
    const { discount, freeShipping } = worth
    await addUse(tx, orderId, userId, { code, discount, freeShipping })
    tx.afterCommit(() => ctx.log.info('coupon used', { order_id: orderId }))
    return { code, discount, freeShipping }
  })
}

/** Handles `coupons.release`. */
export const release: Handlers<typeof coupons>['release'] = ({ orderId }, ctx) =>
  ctx.commit(async (tx) => {
    const isClosed = await tx.execute(sql`
      insert into coupon_use (order_id, state, released_at) values (${orderId}, 'released', now())
      on conflict (order_id) do nothing`)
    if (isClosed === 1) return {}
    const use = await findUse(tx, orderId)
    if (use === undefined || use.state === 'released') return {}
    await lockCoupon(tx, use.code)
    await tx.execute(sql`
      with released as (
        update coupon_use set state = 'released', released_at = now()
        where order_id = ${orderId} and state = 'active'
        returning code
      )
      update coupon set uses = uses - 1 from released where coupon.code = released.code`)
    tx.afterCommit(() => ctx.log.info('coupon given back', { order_id: orderId }))
    return {}
  })

function findUse(tx: Transaction, orderId: string): Promise<Use | undefined> {
  return tx.maybe<Use>(sql`
    select state, code, user_id as "userId", json_build_object('amount', discount, 'currency', currency) as discount,
      free_shipping as "freeShipping"
    from coupon_use where order_id = ${orderId}`)
}

async function addUse(tx: Transaction, orderId: string, userId: string, quote: Quote): Promise<void> {
  const { code, discount, freeShipping } = quote
  const added = await tx.execute(sql`
    with used as (
      insert into coupon_use (order_id, state, code, user_id, discount, currency, free_shipping)
      values (${orderId}, 'active', ${code}, ${userId}, ${discount.amount}, ${discount.currency}, ${freeShipping})
      on conflict (order_id) do nothing
      returning code
    )
    update coupon set uses = uses + 1 from used where coupon.code = used.code`)
  // Under the lock of this coupon only another coupon, or a release, can have got in between.
  if (added === 0)
    throw new FlotillaError('aborted', 'This order is being changed by somebody else; try again.')
}
