import { randomUUID } from 'node:crypto'
import type { Calls } from '@flotilla/core/calls'
import type { Contract } from '@flotilla/core/contract'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { app } from './app.ts'
import { cart } from './contracts/cart.ts'
import { catalog } from './contracts/catalog.ts'
import { inventory } from './contracts/inventory.ts'
import { type Order, orders } from './contracts/orders.ts'

export const address = {
  name: 'Ann Example',
  line1: 'Street 1',
  postcode: '01234',
  city: 'Town',
  country: 'DE',
}

/** A shop whose services all run in the test's process, and someone who buys there. */
export async function openShop(
  t: { after(cleanUp: () => Promise<void>): void },
  placement: 'one process' | 'frames' = 'one process',
  environment: Readonly<Record<string, string>> = {},
): Promise<Shop> {
  const services = Object.keys(app.services).filter((name) => name !== 'search')
  const opened = await openTestApp(t, {
    app,
    placement,
    services,
    environment: { GATEWAY_PORT: '0', ...environment },
  })
  return new Shop(opened)
}

export class Shop {
  readonly app: TestApp

  constructor(opened: TestApp) {
    this.app = opened
  }

  /** Somebody with an account. */
  async buyer(): Promise<Buyer> {
    const id = randomUUID()
    await this.app.databases.get('auth')?.ask(
      `insert into account (id, email, name, password_hash, roles, tier, created_at)
         values ($1, $2, 'Ann', 'x', '{customer}', 'free', now())`,
      [id, `${id}@shop.test`],
    )
    return new Buyer(this.app, id)
  }

  get admin(): Calls<typeof inventory> {
    return this.asAdmin(inventory)
  }

  /** What administrators may do. */
  asAdmin<C extends Contract>(contract: C, id = 'admin'): Calls<C> {
    const user = { id, roles: ['admin'], scopes: [], tier: 'free' }
    return this.app.call(contract, { user, timeoutMs: 60_000 })
  }

  /** Puts a product on the shelves, a thousand of it; minor units. */
  async sell(sku: string, amount: number, currency = 'EUR'): Promise<void> {
    const product = { sku, name: sku, description: '', category: 'audio', attributes: {}, isPublished: true }
    await this.asAdmin(catalog).createProduct({ ...product, price: { amount, currency } })
    await this.admin.setStock({ sku, onHand: 1_000 })
  }

  /** Makes whoever needs this table wait until `work` is done; `ask` is for nothing else of that service meanwhile. */
  async whileHeld<T>(service: string, table: string, work: () => Promise<T>): Promise<T> {
    await this.ask(service, 'begin')
    await this.ask(service, `lock table ${table}`)
    try {
      return await work()
    } finally {
      await this.ask(service, 'commit')
    }
  }

  /** Rows of a service's database. */
  async ask<T = Record<string, unknown>>(
    service: string,
    text: string,
    values: readonly unknown[] = [],
  ): Promise<T[]> {
    return (await this.app.databases.get(service)?.ask<T>(text, values)) ?? []
  }
}

export class Buyer {
  readonly id: string
  readonly cart: Calls<typeof cart>
  readonly orders: Calls<typeof orders>

  constructor(app: TestApp, id: string) {
    this.id = id
    const user = { id, roles: ['customer'], scopes: [], tier: 'free' }
    this.cart = app.call(cart, { user, timeoutMs: 60_000 })
    // As the gateway passes it on.
    this.orders = app.call(orders, { user, service: 'gateway', timeoutMs: 60_000 })
  }

  /** Orders so much of one thing, and nothing else. */
  async order(
    sku: string,
    quantity: number,
    paymentToken = 'tok_ok',
    key: string = randomUUID(),
  ): Promise<string> {
    await this.cart.setItem({ sku, quantity })
    const { id } = await this.orders.place(
      { shippingAddress: address, paymentToken },
      { idempotencyKey: key },
    )
    return id
  }

  /** The order, as soon as it is so. */
  async becomes(id: string, isIt: (order: Order) => boolean): Promise<Order> {
    let order = await this.orders.get({ id })
    await until('the order is so', async () => {
      order = await this.orders.get({ id })
      return isIt(order)
    })
    return order
  }
}
