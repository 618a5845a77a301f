/**
 * Moving parcels: by an admin's hand, or by the carrier, which is simulated. The carrier moves what was long enough where
 * it is, by the database's clock; every instance plays it, and each takes what no other has in hand. What becomes of a
 * parcel is published in the transaction that moves it.
 *
 * @module
 */
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
  await ctx.db.transaction((tx) => move(ctx, tx, 'packed', { afterMs: packMs }))
  await ctx.db.transaction((tx) => move(ctx, tx, 'shipped', { afterMs: shipMs }))
  await ctx.db.transaction((tx) => move(ctx, tx, 'delivered', { afterMs: deliverMs }))
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

async function move(ctx: Context, tx: Transaction, goal: Goal, which: Which): Promise<void> {
  if (goal === 'packed') {
    await pack(tx, which)
    return
  }
  const isShipping = goal === 'shipped'
  const moved = await (isShipping ? ship : deliver)(tx, which)
  const { shipped, delivered } = shipping.events
  for (const parcel of moved) await ctx.publish(tx, isShipping ? shipped : delivered, parcel)
}
