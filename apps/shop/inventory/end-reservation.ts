/**
 * How a reservation ends: taken out of stock, given back, or expired. The states are told in `reservation-store.ts`.
 *
 * @module
 */
import { crashpoint } from '@flotilla/core/crashpoint'
import type { Context, Handlers } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import type { inventory } from '../contracts/inventory.ts'
import { type Movement, moveStock } from './movements.ts'
import {
  closeUnopened,
  endReservation,
  expireReservations,
  findReservation,
  type OrderLine,
} from './reservation-store.ts'

/** So many reservations end in one transaction, and so many transactions make one turn. */
const EXPIRY_COUNT = 50
const EXPIRY_BATCHES = 20

/** Handles `inventory.commit`. */
export const commit: Handlers<typeof inventory>['commit'] = ({ orderId }, ctx) =>
  ctx.commit(async (tx) => {
    const actor = ctx.caller.service ?? ''
    const kept = await endReservation(tx, orderId, 'active', 'committed')
    if (kept.length > 0) {
      const sale = (quantity: number) => ({ onHandDelta: -quantity, reservedDelta: -quantity })
      await moveStock(ctx, tx, movementsOf(kept, 'sale', sale, actor))
      tellLater(ctx, tx, 'reserved stock sold', orderId)
      return {}
    }
    const expired = await endReservation(tx, orderId, 'expired', 'committed')
    if (expired.length > 0) {
      const sale = (quantity: number) => ({ onHandDelta: -quantity, reservedDelta: 0, needs: quantity })
      const { shortages } = await moveStock(ctx, tx, movementsOf(expired, 'sale', sale, actor))
      if (shortages.length > 0) throw ctx.fail('out_of_stock', undefined, { data: { skus: shortages } })
      tellLater(ctx, tx, 'stock sold whose reservation had expired', orderId)
      return {}
    }
    const present = await findReservation(tx, orderId)
    if (present === undefined) throw ctx.fail('no_reservation')
    if (present.state !== 'committed') throw ctx.fail('reservation_ended')
    return {}
  })

/** Handles `inventory.release`. */
export const release: Handlers<typeof inventory>['release'] = ({ orderId, reason }, ctx) =>
  ctx.commit(async (tx) => {
    const actor = ctx.caller.service ?? ''
    // First: who waits here for a reservation that is being made finds it afterwards.
    if (await closeUnopened(tx, orderId, ctx.newId())) return {}
    const kept = await endReservation(tx, orderId, 'active', 'released')
    const unkept = (quantity: number) => ({ onHandDelta: 0, reservedDelta: -quantity })
    await moveStock(ctx, tx, movementsOf(kept, 'release', unkept, actor, reason))
    const sold = await endReservation(tx, orderId, 'committed', 'released')
    const returned = (quantity: number) => ({ onHandDelta: quantity, reservedDelta: 0 })
    await moveStock(ctx, tx, movementsOf(sold, 'cancellation', returned, actor, reason))
    // Its stock is given back already; from here on it cannot be committed any more.
    await endReservation(tx, orderId, 'expired', 'released')
    if (kept.length > 0 || sold.length > 0) tellLater(ctx, tx, 'stock given back', orderId)
    return {}
  })

/** Ends what has expired: at most a thousand reservations a turn. */
export async function sweep(ctx: Context): Promise<void> {
  const actor = ctx.caller.service ?? ''
  const unkept = (quantity: number) => ({ onHandDelta: 0, reservedDelta: -quantity })
  for (let batch = 0; batch < EXPIRY_BATCHES; batch++) {
    const count = await ctx.db.transaction(async (tx) => {
      const expired = await expireReservations(tx, EXPIRY_COUNT)
      await moveStock(ctx, tx, movementsOf(expired, 'expiry', unkept, actor))
      if (expired.length > 0) crashpoint('task.before-commit', 'inventory', 'sweep')
      const orders = new Set(expired.map(({ orderId }) => orderId))
      for (const orderId of orders) tellLater(ctx, tx, 'stock reservation expired', orderId)
      return orders.size
    })
    if (count > 0) crashpoint('task.after-commit', 'inventory', 'sweep')
    if (count < EXPIRY_COUNT) return
  }
}

/** A line that the order's id finds, once `tx` is committed. */
function tellLater({ log }: Context, tx: Transaction, message: string, orderId: string): void {
  tx.afterCommit(() => log.info(message, { order_id: orderId }))
}

type Deltas = Pick<Movement, 'onHandDelta' | 'reservedDelta' | 'needs'>

function movementsOf(
  lines: readonly OrderLine[],
  kind: Movement['kind'],
  deltasOf: (quantity: number) => Deltas,
  actor: string,
  cause?: string,
): readonly Movement[] {
  const whose = cause === undefined ? { kind, actor } : { kind, actor, cause }
  return lines.map(({ orderId, sku, quantity }) => ({ ...whose, orderId, sku, ...deltasOf(quantity) }))
}
