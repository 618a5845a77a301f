/**
 * The shop's choreographed side as a whole: what happens to an order and to a product becomes known to all who react to it, in
 * every placement.
 */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { EventType } from '@flotilla/core/event'
import { findFreePort } from '@flotilla/core/free-port'
import type { Static, TSchema } from '@flotilla/core/schema'
import { defineService, type Handlers } from '@flotilla/core/service'
import { openTestApp, type TestApp, testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { app } from './app.ts'
import { catalog } from './contracts/catalog.ts'
import { mailbox } from './contracts/mailbox.ts'
import { notifications } from './contracts/notifications.ts'
import { orders } from './contracts/orders.ts'
import { recommendations } from './contracts/recommendations.ts'
import { search } from './contracts/search.ts'
import { shipping } from './contracts/shipping.ts'

const personOf = (id: string, role = 'customer') => ({ id, roles: [role], scopes: [], tier: 'free' })
const ann = personOf('ann')
const admin = personOf('the-admin', 'admin')
const eur = (amount: number) => ({ amount, currency: 'EUR' })

type Publish = <D extends TSchema>(type: EventType<D>, data: Static<D>) => Promise<void>

/** Stands in for the orders: publishes what a test says. */
function ordersStandIn(onOpen: (publish: Publish) => void) {
  const uncalled = Object.keys(orders.operations).map((name) => [name, () => assert.fail('not called')])
  return defineService({
    contract: orders,
    // It keeps nothing but its outbox.
    database: { migrations: 'cart/migrations' },
    open({ run }) {
      onOpen((type, data) =>
        run('publish', 5_000, (ctx) => ctx.db.transaction((tx) => ctx.publish(tx, type, data))),
      )
      return Object.fromEntries(uncalled) as unknown as Handlers<typeof orders>
    },
  })
}

interface Opened extends TestApp {
  readonly publish: Publish
}

async function open(t: TestContext, placement: (typeof testPlacements)[number]): Promise<Opened> {
  let publish: Publish | undefined
  const port = await findFreePort()
  const names = ['registry', 'events', 'inventory', 'catalog', 'search', 'shipping', 'notifications']
  const services = Object.fromEntries(
    [...names, 'recommendations', 'mailbox'].flatMap((name) => {
      const load = app.services[name]
      return load === undefined ? [] : [[name, load] as const]
    }),
  )
  const standIn = ordersStandIn((one) => {
    publish = one
  })
  const opened = await openTestApp(t, {
    app: defineApp({
      name: 'choreography',
      folder: app.folder,
      services: { ...services, orders: async () => standIn },
    }),
    placement,
    environment: {
      MAILBOX_PORT: `${port}`,
      NOTIFICATIONS_SMTP_URL: `smtp://127.0.0.1:${port}`,
      NOTIFICATIONS_SEND_MS: '20',
      SHIPPING_PACK_MS: '0',
      SHIPPING_SHIP_MS: '0',
      SHIPPING_DELIVER_MS: '0',
      SHIPPING_CARRIER_MS: '20',
    },
  })
  assert.ok(publish)
  return { ...opened, publish }
}

describe('the choreography', () => {
  for (const placement of testPlacements) {
    it(`sends, tells and learns from what was ordered, ${placement}`, async (t) => {
      const { call, publish } = await open(t, placement)
      const [product] = (await call(catalog).products({ limit: 1 })).items
      assert.ok(product !== undefined)
      const { id: productId, sku, name, price } = product
      const order = {
        orderId: 'o1',
        userId: 'ann',
        email: 'ann@shop.test',
        lines: [
          {
            sku,
            productId,
            name,
            quantity: 1,
            unitPrice: price,
            lineTotal: price,
            discount: eur(0),
            tax: eur(0),
          },
        ],
        totals: {
          subtotal: price,
          discount: eur(0),
          shipping: eur(490),
          shippingTax: eur(0),
          tax: eur(0),
          total: eur(price.amount + 490),
        },
        shippingAddress: { name: 'Ann', line1: 'Hill 1', postcode: '01067', city: 'Dresden', country: 'DE' },
      }
      await publish(orders.events.confirmed, order)
      // The same fact as another event: what one would see of a publisher that publishes twice.
      await publish(orders.events.confirmed, order)
      const mails = async () => (await call(mailbox, { user: admin }).messages({ to: 'ann@shop.test' })).items
      await until('all mails have arrived', async () => (await mails()).length === 3)
      assert.deepEqual((await mails()).map(({ template }) => template).toSorted(), [
        'confirmed',
        'delivered',
        'shipped',
      ])
      const [mail] = (await mails()).filter(({ template }) => template === 'confirmed')
      const { text } = await call(mailbox, { user: admin }).message({ messageId: mail?.messageId ?? '' })
      const cents = order.totals.total.amount
      assert.ok(
        text.includes(`Total: ${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')} EUR`),
      )

      const { items } = await call(shipping, { user: ann }).shipments({ orderId: 'o1' })
      assert.deepEqual(
        items.map(({ status, lines }) => [status, lines]),
        [['delivered', [{ sku, quantity: 1 }]]],
      )
      const told = await call(notifications, { user: ann }).list()
      assert.equal(told.items.length, 3)

      await until('it is recommended', async () => {
        const { source, items: popular } = await call(recommendations).list()
        return source === 'popular' && popular[0]?.productId === productId
      })
    })

    it(`tells the search of the first assortment and of every change, ${placement}`, async (t) => {
      const { call, databases } = await open(t, placement)
      const known = async () => databases.get('search')?.ask('select from entry where content is not null')
      await until('the search knows everything', async () => (await known())?.length === 240)
      const products = call(catalog, { user: admin })
      const draft = {
        sku: 'TST-1',
        name: 'Quincunx',
        description: '',
        category: 'audio',
        price: eur(1),
        attributes: {},
      }
      const { id } = await products.createProduct(draft)
      const finds = async () => (await call(search).search({ q: 'quincunx' })).items.map((hit) => hit.id)
      await until('it is found', async () => (await finds())[0] === id)
      await products.deleteProduct({ id, version: 1 })
      await until('it is found no more', async () => (await finds()).length === 0)

      await databases.get('search')?.ask('truncate entry, word')
      for (let after: string | undefined; ; ) {
        const { last } = await products.republish({ ...(after === undefined ? {} : { after }) })
        if (last === null) break
        after = last
      }
      await until('the search knows everything again', async () => (await known())?.length === 240)
      assert.deepEqual(await finds(), [])
    })
  }
})
