/**
 * The shop's carts.
 *
 * @module
 */
import { Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { cart } from '../contracts/cart.ts'
import { catalog } from '../contracts/catalog.ts'
import { findCart, pruneCarts } from './cart-store.ts'
import { viewOf } from './cart-view.ts'
import { changeCart } from './change-cart.ts'
import { readPrices } from './price-list.ts'
import { putItem } from './put-item.ts'

/** Deleting the lines of so many carts takes well under a second. */
const PRUNE_COUNT = 500

/** The carts of the shop. */
export const cartService = defineService({
  contract: cart,
  database: { migrations: 'cart/migrations' },
  calls: [catalog],
  config: Type.Object({
    pruneMs: Type.Integer({
      minimum: 10,
      default: 60_000,
      description: 'milliseconds between two looks for expired carts',
    }),
  }),
  open({ config, every }) {
    every('prune expired carts', config.pruneMs, async ({ db, clock }) => {
      await pruneCarts(db, clock.now(), PRUNE_COUNT)
    })
    return {
      async get(_, ctx) {
        const stored = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
        const skus = stored.lines.map(({ sku }) => sku)
        return viewOf(stored, await readPrices(ctx, skus))
      },
      addItem: ({ quantity, ...put }, ctx) =>
        putItem(ctx, { ...put, quantityOf: (present) => present + quantity }),
      setItem: ({ quantity, ...put }, ctx) => putItem(ctx, { ...put, quantityOf: () => quantity }),
      async removeItem({ sku, version }, ctx) {
        const { lines } = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
        const skus = lines.map((line) => line.sku).filter((one) => one !== sku)
        const prices = await readPrices(ctx, skus)
        return changeCart(ctx, {
          version,
          prices,
          apply: (present) => present.filter((line) => line.sku !== sku),
        })
      },
      clear: ({ version }, ctx) => changeCart(ctx, { version, prices: new Map(), apply: () => [] }),
    }
  },
})
