/**
 * What the inventory says of the products of a page, in one call. A page without stock beats no page: when the inventory
 * does not answer, `stock` is null.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import { inventory } from '../contracts/inventory.ts'

/** How long a page waits for it. */
const PATIENCE_MS = 300

/** How many of each SKU can be sold; null: not known right now. */
export type Availability = ReadonlyMap<string, number> | null

/** Asks for the products of one page. */
export async function availabilityOf(ctx: Context, skus: readonly string[]): Promise<Availability> {
  if (skus.length === 0) return new Map()
  try {
    const { items } = await ctx.call(inventory).availability({ skus: [...skus] }, { timeoutMs: PATIENCE_MS })
    return new Map(items.map(({ sku, available }) => [sku, available]))
  } catch (error) {
    ctx.log.warn('the inventory did not answer; stock is not shown', { error })
    return null
  }
}
