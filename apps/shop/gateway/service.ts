/**
 * The shop's gateway.
 *
 * @module
 */
import { defineGateway } from '@flotilla/gateway'
import { together } from '@flotilla/gateway/aggregate'
import { invalidates } from '@flotilla/gateway/cache'
import { auth } from '../contracts/auth.ts'
import { cart } from '../contracts/cart.ts'
import { catalog } from '../contracts/catalog.ts'
import { coupons } from '../contracts/coupons.ts'
import { gateway } from '../contracts/gateway.ts'
import { inventory } from '../contracts/inventory.ts'
import { mailbox } from '../contracts/mailbox.ts'
import { notifications } from '../contracts/notifications.ts'
import { orders } from '../contracts/orders.ts'
import { payments } from '../contracts/payments.ts'
import { recommendations } from '../contracts/recommendations.ts'
import { search } from '../contracts/search.ts'
import { shipping } from '../contracts/shipping.ts'
import { AUDIENCE, ISSUER } from '../contracts/tokens.ts'
import { placeOrder } from './place-order.ts'

const SHELF_LENGTH = 8
const ORDERS_SHOWN = 5

/** Who guesses at what: the account, or the address a new account would have. */
const byEmail = (input: unknown): string => String((input as { readonly email: string }).email).toLowerCase()

/** The gateway of the shop. */
export const gatewayService = defineGateway({
  contract: gateway,
  contracts: [
    auth,
    catalog,
    search,
    inventory,
    cart,
    coupons,
    payments,
    shipping,
    orders,
    recommendations,
    notifications,
    mailbox,
  ],
  title: 'Flotilla shop',
  description: 'A complete shop on the Flotilla platform.',
  issuer: ISSUER,
  audience: AUDIENCE,
  fetchKeys: (ctx) => ctx.call(auth).jwks(),
  fetchEndedSessions: (ctx, after, limit) => ctx.call(auth).endedSessions({ after, limit }),
  findApiKey: async (ctx, key) => (await ctx.call(auth).verifyApiKey({ key })).user ?? undefined,
  strictRoutes: [
    { operation: auth.operations.login, keyOf: byEmail },
    { operation: auth.operations.register, keyOf: byEmail },
  ],
  invalidations: [
    invalidates(catalog.events.productChanged, ({ productId }) => ['products', `product:${productId}`]),
    invalidates(catalog.events.productRated, ({ productId }) => ['products', `product:${productId}`]),
    invalidates(inventory.events.stockChanged, ({ sku }) => [`sku:${sku}`]),
  ],
  handlers: {
    placeOrder,
    async home(_, ctx) {
      const products = ctx.call(catalog)
      const { categories, newest, bestRated, partial } = await together(ctx, {
        categories: products.categories(),
        newest: products.products({ sort: 'newest', limit: SHELF_LENGTH }),
        bestRated: products.products({ sort: 'rating', limit: SHELF_LENGTH }),
      })
      return {
        categories: categories?.items ?? null,
        newest: newest?.items ?? null,
        bestRated: bestRated?.items ?? null,
        partial,
      }
    },
    async dashboard(_, ctx) {
      const parts = await together(ctx, {
        profile: ctx.call(auth).me(),
        cart: ctx.call(cart).get(),
        suggestions: ctx.call(catalog).products({ sort: 'rating', limit: SHELF_LENGTH }),
        orders: ctx.call(orders).list({ limit: ORDERS_SHOWN }),
        recommendations: ctx.call(recommendations).list({ limit: SHELF_LENGTH }),
      })
      const { suggestions, orders: latest, recommendations: liked } = parts
      return {
        ...parts,
        suggestions: suggestions?.items ?? null,
        orders: latest?.items ?? null,
        recommendations: liked === null ? null : { items: liked.items, source: liked.source },
      }
    },
  },
})
