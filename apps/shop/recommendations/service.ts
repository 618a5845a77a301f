/**
 * Recommendations, from what orders and the catalog tell.
 *
 * @module
 */
import { on } from '@flotilla/core/reaction'
import { defineService } from '@flotilla/core/service'
import { together } from '@flotilla/gateway/aggregate'
import { catalog } from '../contracts/catalog.ts'
import { orders } from '../contracts/orders.ts'
import { recommendations } from '../contracts/recommendations.ts'
import { choosePersonal, choosePopular } from './choose.ts'
import { noteCancellation, noteProduct, notePurchases } from './purchases.ts'

const LIMIT_DEFAULT = 10
/** Nobody waits long for a suggestion. */
const CATALOG_MS = 500

/** The recommendations of the shop. */
export const recommendationsService = defineService({
  contract: recommendations,
  database: { migrations: 'recommendations/migrations' },
  calls: [catalog],
  reactions: [
    on(orders.events.confirmed, ({ data, time }, { tx, log }) => {
      notePurchases(tx, data, time)
      tx.afterCommit(() => log.info('purchases noted', { order_id: data.orderId }))
    }),
    on(orders.events.cancelled, ({ data }, { tx, log }) => {
      noteCancellation(tx, data.orderId)
      tx.afterCommit(() => log.info('purchases taken back', { order_id: data.orderId }))
    }),
    on(catalog.events.productChanged, ({ data }, { tx }) => noteProduct(tx, data)),
  ],
  open: () => ({
    async list({ limit = LIMIT_DEFAULT }, ctx) {
      const { user } = ctx.caller
      const personal = user === undefined ? [] : await choosePersonal(ctx.db, user.id, limit)
      if (personal.length > 0) return { items: personal, source: 'personal', partial: [] }
      const popular = await choosePopular(ctx.db, limit)
      if (popular.length > 0) return { items: popular, source: 'popular', partial: [] }
      const { bestRated, partial } = await together(ctx, {
        bestRated: ctx.call(catalog).products({ sort: 'rating', limit }, { timeoutMs: CATALOG_MS }),
      })
      const items = (bestRated?.items ?? []).map(({ id, sku, name, price }) => ({
        productId: id,
        sku,
        name,
        price,
      }))
      return { items, source: 'best_rated', partial }
    },
  }),
})
