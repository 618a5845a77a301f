/**
 * Shipping: prices of sending, shipments, and a simulated carrier that moves them.
 *
 * @module
 */
import { on } from '@flotilla/core/reaction'
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { orders } from '../contracts/orders.ts'
import { shipping } from '../contracts/shipping.ts'
import { moveParcels, movesTo } from './carrier.ts'
import { findCheapest, findQuote, pruneQuotes, quoteShipping } from './quotes.ts'
import { createShipment, findShipment, findShipments, stopShipments } from './shipment-store.ts'

const PRUNE_MS = 600_000
const DELAY_MS_MAX = 86_400_000

const delay = (defaultMs: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: DELAY_MS_MAX, default: defaultMs, description })

/** The shipping of the shop. */
export const shippingService = defineService({
  contract: shipping,
  database: { migrations: 'shipping/migrations' },
  config: Type.Object({
    packMs: delay(30_000, 'milliseconds until a shipment is packed'),
    shipMs: delay(60_000, 'milliseconds from packed to handed over to the carrier'),
    deliverMs: delay(120_000, 'milliseconds the carrier takes'),
    carrierMs: Type.Integer({
      minimum: 10,
      default: 500,
      description: 'milliseconds between two looks for shipments to move',
    }),
  }),
  reactions: [
    on(orders.events.confirmed, ({ data }, { tx, log }) => {
      createShipment(tx, data)
      tx.afterCommit(() => log.info('shipment prepared', { order_id: data.orderId }))
    }),
  ],
  open({ config, every }) {
    every('move parcels', config.carrierMs, (ctx) => moveParcels(ctx, config))
    every('forget old quotes', PRUNE_MS, ({ db }) => pruneQuotes(db))
    return {
      quote: quoteShipping,
      cheapest: findCheapest,
      quoted: findQuote,
      async shipment({ id }, ctx) {
        const found = await findShipment(ctx.db, id, ctx.user.id)
        if (found === undefined) throw ctx.fail('no_shipment')
        return found
      },
      shipments: async ({ orderId }, ctx) => ({ items: await findShipments(ctx.db, orderId, ctx.user.id) }),
      pack: movesTo('packed'),
      ship: movesTo('shipped'),
      deliver: movesTo('delivered'),
      stop: ({ orderId }, ctx) =>
        ctx.commit(async (tx) => {
          const stopped = await stopShipments(tx, orderId)
          const message = stopped ? 'shipments stopped' : 'shipments too late to stop'
          tx.afterCommit(() => ctx.log.info(message, { order_id: orderId }))
          return { stopped }
        }),
    }
  },
})
