/**
 * The first stock: that of the products in the first catalog.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import { products } from '../seed/products.ts'
import { tellStock } from './movements.ts'
import { createStock } from './stock-store.ts'

/** Counts the first stock of every product that has none. */
export async function seedStock(ctx: Context): Promise<void> {
  const counts = products.map(({ sku, stock }) => ({ sku, onHand: stock }))
  await ctx.db.transaction(async (tx) => {
    for (const created of await createStock(tx, counts, 'seed')) await tellStock(ctx, tx, created)
  })
}
