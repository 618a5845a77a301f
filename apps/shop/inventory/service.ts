/**
 * The shop's inventory.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import { defineService } from '@flotilla/core/service'
import { inventory } from '../contracts/inventory.ts'
import { products } from '../seed/products.ts'
import { setStock } from './set-stock.ts'
import { findAvailable, findStock, seedStock } from './stock-store.ts'

/** The inventory of the shop. */
export const inventoryService = defineService({
  contract: inventory,
  database: { migrations: 'inventory/migrations' },
  open: () => ({
    async stock({ sku }, ctx) {
      const stock = await findStock(ctx.db, sku)
      if (stock === undefined) throw ctx.fail('no_stock')
      return stock
    },
    availability: async ({ skus }, ctx) => ({ items: await findAvailable(ctx.db, skus) }),
    setStock,
  }),
  seed: (ctx) => seedStock(ctx.db, products, isoTime(ctx.clock.now())),
})
