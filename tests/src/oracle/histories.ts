/**
 * 7: what happens to an order is a way through the table of transitions, without gaps.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { seeOrders } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const LEGAL = '7 Histories are legal'

/** The checks. */
export const historyChecks: readonly Check[] = [
  {
    invariant: LEGAL,
    says: 'versions are 1, 2, 3 …, every change is a legal one, what is over stays over',
    holds: 'always',
    look: async (world) => {
      const finding = new Finding()
      for (const { id, mistakes } of (await seeOrders(world)).values()) {
        finding.expect(mistakes.length === 0, id, () => mistakes.join('; '))
      }
      return finding
    },
  },
  {
    invariant: LEGAL,
    says: 'what a cancelled order had in parcels never left, and what is shipped or delivered has',
    holds: 'settled',
    look: parcels,
  },
]

async function parcels(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{ id: string; fate: string; statuses: string[] }>(
    'shipping',
    sql`
      select fulfilment.order_id as id, fate, coalesce(array_agg(status) filter (where status is not null), '{}') as statuses
      from fulfilment left join shipment using (order_id) group by fulfilment.order_id, fate`,
  )
  const byOrder = new Map(rows.map((row) => [row.id, row]))
  for (const { id, status, types } of (await seeOrders(world)).values()) {
    const { fate = 'none', statuses = [] } = byOrder.get(id) ?? {}
    const hasLeft = statuses.some((one) => one === 'shipped' || one === 'delivered')
    byOrder.delete(id)
    const isCancelled = types.includes('cancelled')
    finding.expect(
      isCancelled
        ? fate === 'stopped' && !hasLeft
        : hasLeft === (status === 'shipped' || status === 'delivered'),
      id,
      () => `the order is ${status}, its parcels are ${fate}: ${statuses.join(', ')}`,
    )
  }
  for (const id of byOrder.keys()) finding.wrong(id, 'parcels of no such order')
  return finding
}
