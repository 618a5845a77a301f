/**
 * 13: coupons are used no more often than they may be.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { cameToNothing, seeOrders } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const COUPONS = '13 Coupons keep to their limits'

/** The checks. */
export const couponChecks: readonly Check[] = [
  {
    invariant: COUPONS,
    says: 'uses are counted right, and are within the limits',
    holds: 'always',
    look: limits,
  },
  { invariant: COUPONS, says: 'in use is what orders that stand have', holds: 'settled', look: usedByOrders },
]

async function limits(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{
    code: string
    uses: number
    limitTotal: number | null
    limitPerCustomer: number | null
    active: number
    most: number
  }>(
    'coupons',
    sql`
      select code, uses, limit_total as "limitTotal", limit_per_customer as "limitPerCustomer",
        coalesce(active, 0) as active, coalesce(most, 0) as most
      from coupon left join (
        select code, sum(times) as active, max(times) as most from (
          select code, count(*) as times from coupon_use where state = 'active' group by code, user_id) as each
        group by code) as used using (code)`,
  )
  for (const { code, uses, limitTotal, limitPerCustomer, active, most } of rows) {
    finding.expect(uses === Number(active), code, () => `${uses} uses are counted, ${active} are there`)
    finding.expect(active <= (limitTotal ?? active), code, () => `${active} uses of ${limitTotal}`)
    finding.expect(
      most <= (limitPerCustomer ?? most),
      code,
      () => `${most} uses by one of ${limitPerCustomer}`,
    )
  }
  return finding
}

async function usedByOrders(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{ id: string; code: string; discount: number }>(
    'coupons',
    sql`select order_id as id, code, discount from coupon_use where state = 'active'`,
  )
  const uses = new Map(rows.map((row) => [row.id, row]))
  for (const order of (await seeOrders(world)).values()) {
    const { couponCode, totals } = order.placed
    const use = uses.get(order.id)
    uses.delete(order.id)
    const wanted = cameToNothing(order) ? undefined : couponCode
    finding.expect(
      use?.code === wanted,
      order.id,
      () => `${order.status} with ${couponCode}, in use ${use?.code}`,
    )
    if (use === undefined) continue
    const { amount } = totals.discount
    finding.expect(use.discount === amount, order.id, () => `${use.discount} off, in the order ${amount}`)
  }
  for (const id of uses.keys()) finding.wrong(id, 'a coupon is in use by no such order')
  return finding
}
