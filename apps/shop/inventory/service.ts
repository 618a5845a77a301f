/**
 * The shop's inventory.
 *
 * @module
 */
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { inventory } from '../contracts/inventory.ts'
import { commit, release, sweep } from './end-reservation.ts'
import { findReservation } from './reservation-store.ts'
import { reserve } from './reserve.ts'
import { seedStock } from './seed.ts'
import { setStock } from './set-stock.ts'
import { findAvailable, findStock } from './stock-store.ts'

/** The inventory of the shop. */
export const inventoryService = defineService({
  contract: inventory,
  database: { migrations: 'inventory/migrations' },
  config: Type.Object({
    sweepMs: Type.Integer({
      minimum: 10,
      maximum: 5_000,
      default: 1_000,
      description: 'milliseconds between two looks for expired reservations',
    }),
  }),
  open({ config, every }) {
    every('expire reservations', config.sweepMs, sweep)
    return {
      async stock({ sku }, ctx) {
        const stock = await findStock(ctx.db, sku)
        if (stock === undefined) throw ctx.fail('no_stock')
        return stock
      },
      availability: async ({ skus }, ctx) => ({ items: await findAvailable(ctx.db, skus) }),
      setStock,
      reserve,
      commit,
      release,
      async reservation({ orderId }, ctx) {
        const reservation = await findReservation(ctx.db, orderId)
        if (reservation === undefined) throw ctx.fail('no_reservation')
        return reservation
      },
    }
  },
  seed: seedStock,
})
