/**
 * Counting the stock of a SKU anew.
 *
 * A count that finds what is booked anyway changes nothing: no row, no version. So a repeat is quiet, also one that still
 * names the version before: the platform repeats commands like this one when an answer was lost on the way, and the
 * one who counted must not be told that somebody else did.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import type { Handlers } from '@flotilla/core/service'
import type { inventory, Stock } from '../contracts/inventory.ts'
import { adjustStock, createStock, lockStock } from './stock-store.ts'

/** Handles `inventory.setStock`. */
export const setStock: Handlers<typeof inventory>['setStock'] = ({ sku, onHand, version }, ctx) =>
  ctx.commit(async (tx): Promise<Stock> => {
    const count = { sku, onHand, countedBy: ctx.user.id, countedAt: isoTime(ctx.clock.now()) }
    // Who names a version means a SKU that is there.
    const created = version === undefined ? await createStock(tx, count) : undefined
    if (created !== undefined) return created
    const stock = await lockStock(tx, sku)
    if (stock === undefined) throw ctx.fail('stale_version')
    const isBooked = stock.onHand === onHand
    const isMeant = version === undefined || version === stock.version
    if (isBooked && (isMeant || version === stock.version - 1)) return stock
    if (!isMeant) throw ctx.fail('stale_version')
    if (onHand < stock.reserved) throw ctx.fail('below_reserved')
    return adjustStock(tx, count, stock.onHand)
  })
