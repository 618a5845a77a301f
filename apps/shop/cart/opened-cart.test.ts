/**
 * The carts with a stand-in for the catalog beside them, for the tests of this folder.
 *
 * @module
 */
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { defineContract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import { defineService } from '@flotilla/core/service'
import { openTestApp, type TestCaller } from '@flotilla/core/test-app'
import type { TestDatabase } from '@flotilla/core/test-database'
import { cart } from '../contracts/cart.ts'
import { catalog } from '../contracts/catalog.ts'
import { coupons, type Refusal, type Terms } from '../contracts/coupons.ts'
import type { Offer } from './price-list.ts'
import { cartService } from './service.ts'

/** The app's folder. */
export const folder = join(import.meta.dirname, '..', '..')

/** What the stand-in sells, and what it was asked. */
export class Shelf {
  readonly offers = new Map<string, Offer>()
  readonly asked: (readonly string[])[] = []
  isAvailable = true

  /** Sells `sku` from now on, at `amount`. */
  put(sku: string, amount: number, currency = 'EUR'): void {
    this.offers.set(sku, {
      id: `id-of-${sku}`,
      sku,
      name: `A ${sku}`,
      category: 'things',
      price: { amount, currency },
    })
  }
}

/** Coupons that the stand-in gives, and what it was asked. */
export class Wallet {
  /** Terms, or the reason they are refused for. */
  readonly terms = new Map<string, Omit<Terms, 'code'> | Refusal>()
  readonly asked: string[] = []
  isAvailable = true
}

/** Carts that are open. */
export interface OpenedCart {
  readonly shelf: Shelf
  readonly wallet: Wallet
  /** As the orders, for themselves or for a user. */
  fromOrders(userId?: string): Calls<typeof cart>
  readonly database: TestDatabase
  /** As the user of that id; default one and the same. */
  as(userId?: string): Calls<typeof cart>
}

/** Opens the carts for one test, beside a shelf with A-1 at 100, B-1 at 250 and C-1 at 999. */
export async function openCart(
  t: TestContext,
  environment: Readonly<Record<string, string>> = {},
): Promise<OpenedCart> {
  const shelf = new Shelf()
  shelf.put('A-1', 100)
  shelf.put('B-1', 250)
  shelf.put('C-1', 999)
  const catalogService = defineService({
    contract: defineContract({
      name: 'catalog',
      version: 1,
      summary: catalog.summary,
      operations: { productsBySku: catalog.operations.productsBySku },
    }),
    open: () => ({
      productsBySku({ skus }) {
        shelf.asked.push(skus)
        if (!shelf.isAvailable) throw new FlotillaError('unavailable', 'Closed.')
        return { items: skus.flatMap((sku) => shelf.offers.get(sku) ?? []) }
      },
    }),
  })
  const wallet = new Wallet()
  const services = {
    catalog: async () => catalogService,
    coupons: async () => couponsOf(wallet),
    orders: async () => ordersService,
    cart: async () => cartService,
  }
  const app = defineApp({ name: 'shop', folder, services })
  const { call, databases } = await openTestApp(t, { app, placement: 'one process', environment })
  return {
    shelf,
    wallet,
    fromOrders: (id) =>
      call(cart, id === undefined ? { service: 'orders' } : { service: 'orders', user: userOf(id) }),
    database: databases.get('cart') as TestDatabase,
    as: (id = 'ann') => call(cart, { user: userOf(id), timeoutMs: 60_000 }),
  }
}

const userOf = (id: string): TestCaller['user'] & {} => ({
  id,
  roles: ['customer'],
  scopes: [],
  tier: 'free',
})

const ordersService = defineService({
  contract: defineContract({ name: 'orders', version: 1, summary: '', operations: {} }),
  open: () => ({}),
})

function couponsOf(wallet: Wallet) {
  return defineService({
    contract: defineContract({
      name: 'coupons',
      version: 1,
      summary: coupons.summary,
      operations: { terms: coupons.operations.terms },
    }),
    open: () => ({
      terms({ code, userId }, ctx) {
        wallet.asked.push(`${code} for ${userId}`)
        if (!wallet.isAvailable) throw new FlotillaError('unavailable', 'Closed.')
        const terms = wallet.terms.get(code) ?? 'coupon_unknown'
        if (typeof terms === 'object') return { code, ...terms }
        throw ctx.fail(terms as 'coupon_unknown')
      },
    }),
  })
}
