/**
 * Counting the stock of a SKU anew.
 *
 * A count that finds what is booked anyway changes nothing: no row, no version. So a repeat is quiet, also one that still
 * names the version before: the platform repeats commands like this one when an answer was lost on the way, and the
 * one who counted must not be told that somebody else did.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import type { inventory, Stock } from '../contracts/inventory.ts'
import { moveStock, tellStock } from './movements.ts'
import { createStock, lockStock } from './stock-store.ts'

/** Handles `inventory.setStock`. */
export const setStock: Handlers<typeof inventory>['setStock'] = ({ sku, onHand, version }, ctx) =>
  ctx.commit(async (tx): Promise<Stock> => {
    const actor = ctx.user.id
    // Who names a version means a SKU that is there.
    const [created] = version === undefined ? await createStock(tx, [{ sku, onHand }], actor) : []
    if (created !== undefined) {
      await tellStock(ctx, tx, created)
      return created
    }
    const stock = await lockStock(tx, sku)
    if (stock === undefined) throw ctx.fail('stale_version')
    const isBooked = stock.onHand === onHand
    const isMeant = version === undefined || version === stock.version
    if (isBooked && (isMeant || version === stock.version - 1)) return stock
    if (!isMeant) throw ctx.fail('stale_version')
    if (onHand < stock.reserved) throw ctx.fail('below_reserved')
    const onHandDelta = onHand - stock.onHand
    const count = { sku, kind: 'count', onHandDelta, reservedDelta: 0, actor } as const
    const { stocks } = await moveStock(ctx, tx, [count])
    return stocks[0] as Stock
  })
