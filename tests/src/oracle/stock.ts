/**
 * 4 to 6: stock is what its movements say, nothing is sold twice, and what is kept for an order is given back or taken.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import { cameToNothing, seeOrders, wasConfirmed } from './orders.ts'
import { type Check, Finding, type Found } from './report.ts'
import type { World } from './world.ts'

const EQUATION = '4 Stock is what its movements say'
const SOLD = '5 Nothing is sold that is not there'
const RESERVED = '6 Reservations end, once'

/** How long after its time a reservation may still be active: the sweep, and whoever was dead meanwhile. */
const SWEEP_S = 30

/** The checks. */
export const stockChecks: readonly Check[] = [
  {
    invariant: EQUATION,
    says: 'on hand and reserved are the sums of the movements, reserved that of active reservations',
    holds: 'always',
    look: equation,
  },
  {
    invariant: SOLD,
    says: 'no movement ever left less than nothing, or less than what is reserved',
    holds: 'always',
    look: neverBelowNothing,
  },
  {
    invariant: SOLD,
    says: 'taken out of stock is what confirmed orders that stand have, line by line',
    holds: 'settled',
    look: soldIsOrdered,
  },
  {
    invariant: RESERVED,
    says: 'each was kept once and ended at most once, in the way its state says',
    holds: 'always',
    look: endedOnce,
  },
  { invariant: RESERVED, says: 'none is active any more', holds: 'settled', look: noneActive },
]

interface StockRow {
  readonly sku: string
  readonly onHand: number
  readonly reserved: number
  readonly version: number
  readonly movements: number
  readonly last: number
  readonly moved: number
  readonly movedReserved: number
  readonly active: number
}

async function equation(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<StockRow>(
    'inventory',
    sql`
      select stock.sku, on_hand as "onHand", reserved, version, movements, last, moved, moved_reserved as "movedReserved",
        coalesce(active, 0) as active
      from stock
      left join (
        select sku, count(*) as movements, max(version) as last, sum(on_hand_delta) as moved,
          sum(reserved_delta) as moved_reserved
        from movement group by sku) as movement using (sku)
      left join (
        select sku, sum(quantity) as active from reservation_line join reservation using (order_id)
        where state = 'active' group by sku) as kept using (sku)`,
  )
  for (const { sku, onHand, reserved, version, movements, last, moved, movedReserved, active } of rows) {
    finding.expect(onHand === moved, sku, () => `${onHand} on hand, the movements make ${moved}`)
    finding.expect(
      reserved === movedReserved && reserved === active,
      sku,
      () => `${reserved} reserved, the movements make ${movedReserved}, active reservations ${active}`,
    )
    finding.expect(
      movements === version && last === version,
      sku,
      () => `version ${version}, ${movements} movements up to ${last}`,
    )
  }
  return finding
}

async function neverBelowNothing(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{ sku: string; movements: number; wrong: number }>(
    'inventory',
    sql`
      select sku, count(*) as movements, min(version) filter (where on_hand < 0 or reserved < 0 or reserved > on_hand) as wrong
      from (
        select sku, version, sum(on_hand_delta) over so_far as on_hand, sum(reserved_delta) over so_far as reserved
        from movement window so_far as (partition by sku order by version)) as told
      group by sku`,
  )
  for (const { sku, wrong, movements } of rows) {
    finding.checked += movements - 1
    finding.expect(wrong === null, sku, () => `oversold at version ${wrong}`)
  }
  return finding
}

async function soldIsOrdered(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{ id: string; sku: string; sold: number }>(
    'inventory',
    sql`
      select order_id as id, sku, -sum(on_hand_delta) as sold from movement
      where kind in ('sale', 'cancellation', 'restock') and order_id is not null group by order_id, sku`,
  )
  const sold = new Map(rows.map(({ id, sku, sold: count }) => [`${id} ${sku}`, count]))
  for (const order of (await seeOrders(world)).values()) {
    const isTaken = wasConfirmed(order) && !cameToNothing(order)
    const wanted = new Map<string, number>()
    for (const { sku, quantity } of order.placed.lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity)
    for (const [sku, quantity] of wanted) {
      const name = `${order.id} ${sku}`
      const taken = sold.get(name) ?? 0
      sold.delete(name)
      const want = isTaken ? quantity : 0
      finding.expect(taken === want, [order.id, sku], () => `${taken} taken for ${want} (${order.status})`)
    }
  }
  for (const [name, count] of sold)
    finding.expect(count === 0, name, () => `${count} taken for no such order`)
  return finding
}

async function endedOnce(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{
    id: string
    sku: string
    state: string
    quantity: number
    kinds: Readonly<Record<string, number>>
  }>(
    'inventory',
    sql`
      select order_id as id, sku, state, quantity, coalesce(kinds, '{}') as kinds
      from reservation_line join reservation using (order_id) left join (
        select order_id, sku, json_object_agg(kind, times) as kinds
        from (select order_id, sku, kind, count(*) as times from movement group by order_id, sku, kind) as counted
        group by order_id, sku) as told using (order_id, sku)`,
  )
  for (const { id, sku, state, kinds } of rows) {
    const { reservation = 0, release = 0, expiry = 0, sale = 0, cancellation = 0 } = kinds
    const ends = release + expiry + (expiry === 0 ? sale : 0)
    const isRight =
      reservation === 1 &&
      cancellation <= sale &&
      sale <= 1 &&
      ends === (state === 'active' ? 0 : 1) &&
      (state !== 'committed' || (sale === 1 && cancellation === 0)) &&
      (state !== 'expired' || expiry === 1) &&
      (state !== 'released' || sale === cancellation)
    finding.expect(isRight, [id, sku], () => `it is ${state} after ${JSON.stringify(kinds)}`)
  }
  return finding
}

async function noneActive(world: World): Promise<Found> {
  const finding = new Finding()
  const rows = await world.rows<{ id: string; isActive: boolean; isLate: boolean }>(
    'inventory',
    sql`
      select order_id as id, state = 'active' as "isActive", expires_at < now() - make_interval(secs => ${SWEEP_S}) as "isLate"
      from reservation`,
  )
  for (const { id, isActive, isLate } of rows) {
    finding.expect(!isActive, id, isLate ? 'active long after its time' : 'active although nothing goes on')
  }
  return finding
}
