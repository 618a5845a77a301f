/**
 * Moving parcels: by an admin's hand, or by the carrier, which is simulated. The carrier moves what was long enough where
 * it is, by the database's clock; every instance plays it, and each takes what no other has in hand. What becomes of a
 * parcel is published in the transaction that moves it.
 *
 * @module
 */
import { crashpoint } from '@flotilla/core/crashpoint'
import type { Context, Handlers } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import { type Shipment, shipping } from '../contracts/shipping.ts'
import { deliver, findShipment, pack, ship, type Which } from './shipment-store.ts'

/** How long parcels stay in each status, in milliseconds. */
export interface Pace {
  readonly packMs: number
  readonly shipMs: number
  readonly deliverMs: number
}

type Goal = 'packed' | 'shipped' | 'delivered'

/** How far a shipment has come. */
const PROGRESS: Readonly<Record<Shipment['status'], number>> = {
  stopped: 0,
  pending: 1,
  packed: 2,
  shipped: 3,
  delivered: 4,
}

/** One turn of the carrier: moves what is due. */
export async function moveParcels(ctx: Context, { packMs, shipMs, deliverMs }: Pace): Promise<void> {
  await moveDue(ctx, 'packed', packMs)
  await moveDue(ctx, 'shipped', shipMs)
  await moveDue(ctx, 'delivered', deliverMs)
}

/** Answers an admin who moves a shipment; one that has come so far already is quietly shown. */
export function movesTo(goal: Goal): Handlers<typeof shipping>['ship'] {
  return ({ id }, ctx) =>
    ctx.commit(async (tx) => {
      await move(ctx, tx, goal, { id })
      const shipment = await findShipment(tx, id, null)
      if (shipment === undefined) throw ctx.fail('no_shipment')
      if (PROGRESS[shipment.status] < PROGRESS[goal]) throw ctx.fail('wrong_state')
      return shipment
    })
}

async function moveDue(ctx: Context, goal: Goal, afterMs: number): Promise<void> {
  const count = await ctx.db.transaction(async (tx) => {
    const moved = await move(ctx, tx, goal, { afterMs })
    if (moved > 0) crashpoint('task.before-commit', 'shipping', goal)
    return moved
  })
  if (count > 0) crashpoint('task.after-commit', 'shipping', goal)
}

/** How many parcels were moved. */
async function move(ctx: Context, tx: Transaction, goal: Goal, which: Which): Promise<number> {
  if (goal === 'packed') return pack(tx, which)
  const isShipping = goal === 'shipped'
  const moved = await (isShipping ? ship : deliver)(tx, which)
  const { shipped, delivered } = shipping.events
  for (const parcel of moved) {
    await ctx.publish(tx, isShipping ? shipped : delivered, parcel)
    const { orderId: order_id, shipmentId: shipment_id } = parcel
    tx.afterCommit(() => ctx.log.info(`parcel ${goal}`, { order_id, shipment_id }))
  }
  return moved.length
}
