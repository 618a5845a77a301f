/**
 * Keeping stock for an order: all of it or nothing.
 *
 * The order's id makes it once: a repeat gets the answer of the first, as long as that still holds.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { Handlers } from '@flotilla/core/service'
import type { Transaction } from '@flotilla/core/transaction'
import type { inventory } from '../contracts/inventory.ts'
import { type Movement, moveStock } from './movements.ts'
import { addLines, findReservation, type Line, openReservation } from './reservation-store.ts'

/** Long enough to pay, short enough for others to wait. */
const TTL_S = 900

type Reserve = Handlers<typeof inventory>['reserve']

/** Handles `inventory.reserve`. */
export const reserve: Reserve = ({ orderId, lines, ttlS = TTL_S }, ctx) =>
  ctx.commit(async (tx) => {
    const wanted = summed(lines)
    const opened = await openReservation(tx, { orderId, id: ctx.newId(), ttlS })
    if (opened === undefined) return presentOf(ctx, tx, orderId, wanted)
    const order = { orderId, actor: ctx.caller.service ?? '' }
    const movements = wanted.map(({ sku, quantity }): Movement => {
      return { ...order, kind: 'reservation', sku, onHandDelta: 0, reservedDelta: quantity, needs: quantity }
    })
    const { shortages } = await moveStock(ctx, tx, movements)
    if (shortages.length > 0) throw ctx.fail('out_of_stock', undefined, { data: { skus: shortages } })
    addLines(tx, orderId, wanted)
    tx.afterCommit(() => ctx.log.info('stock reserved', { order_id: orderId, lines: wanted.length }))
    return opened
  })

/** Each SKU once. */
function summed(lines: readonly Line[]): readonly Line[] {
  const quantities = new Map<string, number>()
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity)
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }))
}

/** The answer to a repeat. */
async function presentOf(
  ctx: Parameters<Reserve>[1],
  tx: Transaction,
  orderId: string,
  wanted: readonly Line[],
): Promise<{ reservationId: string; expiresAt: string }> {
  const present = await findReservation(tx, orderId)
  if (present === undefined) throw new FlotillaError('internal', 'A reservation is gone.')
  const { state, reservationId, expiresAt, lines } = present
  if (state !== 'active' && state !== 'committed') throw ctx.fail('reservation_ended')
  const kept = new Map(lines.map(({ sku, quantity }) => [sku, quantity]))
  const isSame =
    kept.size === wanted.length && wanted.every(({ sku, quantity }) => kept.get(sku) === quantity)
  if (!isSame) throw ctx.fail('reservation_differs')
  return { reservationId, expiresAt }
}
