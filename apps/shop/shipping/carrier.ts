/**
 * The carrier, simulated: parcels move on when they were long enough where they are, by the database's clock. Every
 * instance does this; each takes what no other has in hand. What is told of a parcel is published in the transaction that
 * moves it.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import { deliver, pack, ship } from './shipment-store.ts'

/** How long parcels stay in each status, in milliseconds. */
export interface Pace {
  readonly packMs: number
  readonly shipMs: number
  readonly deliverMs: number
}

/** One turn: moves what is due. */
export async function moveParcels(ctx: Context, { packMs, shipMs, deliverMs }: Pace): Promise<void> {
  await ctx.db.transaction((tx) => pack(tx, { afterMs: packMs }))
  await ctx.db.transaction((tx) => ship(tx, { afterMs: shipMs }))
  await ctx.db.transaction((tx) => deliver(tx, { afterMs: deliverMs }))
}
