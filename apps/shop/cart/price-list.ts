/**
 * What the catalog says about the products of a cart. It is asked before a transaction is opened, never within one.
 *
 * @module
 */
import type { OutputOf } from '@flotilla/core/operation'
import type { Context } from '@flotilla/core/service'
import { catalog } from '../contracts/catalog.ts'

/** A product as it is sold right now. */
export type Offer = OutputOf<(typeof catalog)['operations']['productsBySku']>['items'][number]

/** Offers by SKU. Null: the catalog has no such product. No entry: the catalog was not asked about it. */
export type PriceList = ReadonlyMap<string, Offer | null>

/**
 * Asks about `skus`, in one call.
 *
 * @param skus at most 100 different ones.
 * @throws FlotillaError `unavailable` while the catalog is: a price is never made up.
 */
export async function readPrices(ctx: Context, skus: readonly string[]): Promise<PriceList> {
  const prices = new Map<string, Offer | null>(skus.map((sku) => [sku, null]))
  if (prices.size === 0) return prices
  const { items } = await ctx.call(catalog).productsBySku({ skus: [...prices.keys()] })
  for (const item of items) prices.set(item.sku, item)
  return prices
}
