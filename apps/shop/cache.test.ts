/** What the gateway keeps of the shop is true within a second of what has happened, in one process and across processes. */
import assert from 'node:assert/strict'
import { devNull } from 'node:os'
import { describe, it, type TestContext } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, type TestApp, testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { app } from './app.ts'
import { catalog, type Product } from './contracts/catalog.ts'
import { gateway } from './contracts/gateway.ts'
import { inventory } from './contracts/inventory.ts'

const admin = { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'free' }
const customer = { id: 'ann', roles: ['customer'], scopes: [], tier: 'free' }
/** What was promised. */
const WITHIN_MS = 1_000

async function open(t: TestContext, placement: (typeof testPlacements)[number]) {
  const port = await findFreePort()
  const environment = {
    GATEWAY_PORT: String(port),
    GATEWAY_ACCESS_LOG: devNull,
    AUTH_SEALING_KEY: 'a sealing key for the tests',
    GATEWAY_ANONYMOUS_PER_MINUTE: '100000',
    GATEWAY_ADDRESS_PER_MINUTE: '100000',
  }
  const services = ['registry', 'events', 'auth', 'inventory', 'catalog', 'gateway']
  const opened = await openTestApp(t, { app, placement, services, environment })
  const ask = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`)
    const text = await response.text()
    return { text, body: JSON.parse(text), status: response.headers.get('cache-status') ?? '' }
  }
  const product = (await ask('/products?limit=1')).body.items[0] as Product
  await until('the gateway hears of events', async () => isHit(await ask('/categories')))
  return { opened, ask, product }
}

function isHit({ status }: { readonly status: string }): boolean {
  return /^flotilla; hit/.test(status)
}

/** Keeps asking until the answer is so; how long it took. */
async function becomes(opened: TestApp, what: string, isSo: () => Promise<boolean>): Promise<number> {
  const startMs = opened.ports.clock.monotonicMs()
  await until(what, isSo)
  return opened.ports.clock.monotonicMs() - startMs
}

describe('what the gateway keeps', () => {
  for (const placement of testPlacements) {
    it(`follows prices, ratings and stock, ${placement}`, async (t) => {
      const { opened, ask, product } = await open(t, placement)
      const { id, sku, price, name, description, category, attributes } = product
      const path = `/products/${id}`
      const lists = [`/products?category=${category}&limit=100`, '/categories']
      // Not at once, perhaps: the first assortment is still being told of.
      const warm = async (): Promise<void> => {
        for (const one of [path, ...lists]) await until(`${one} is kept`, async () => isHit(await ask(one)))
      }
      await warm()
      // Past this gateway, as another one would pass it on: only events can tell.
      const amount = price.amount + 100
      const { version } = (await ask(path)).body
      const written = {
        name,
        description,
        category,
        attributes,
        isPublished: true,
        price: { ...price, amount },
      }
      await opened
        .call(catalog, { user: admin, service: 'gateway' })
        .updateProduct({ id, version, ...written })
      const priceMs = await becomes(opened, 'the new price is shown', async () => {
        const shown = [(await ask(path)).body, (await ask(lists[0] as string)).body.items.find(isIt)]
        return shown.every((one) => one.price.amount === amount)
      })
      assert.ok(priceMs < WITHIN_MS, `it took ${priceMs} ms`)
      function isIt(one: Product): boolean {
        return one.id === id
      }

      await warm()
      const review = { id, stars: 1, title: 'Never again', text: '' }
      const before = (await ask(path)).body.rating.count
      await opened.call(catalog, { user: customer, service: 'gateway' }).addReview(review)
      const ratingMs = await becomes(
        opened,
        'the new rating is shown',
        async () => (await ask(path)).body.rating.count === before + 1,
      )
      assert.ok(ratingMs < WITHIN_MS, `it took ${ratingMs} ms`)

      await warm()
      await opened.call(inventory, { user: admin, service: 'gateway' }).setStock({ sku, onHand: 777 })
      const stockMs = await becomes(
        opened,
        'the new stock is shown',
        async () => (await ask(path)).body.stock.available === 777,
      )
      assert.ok(stockMs < WITHIN_MS, `it took ${stockMs} ms`)
    })
  }

  it('is forgotten by hand: by tag, by operation, all', async (t) => {
    const { opened, ask } = await open(t, 'frames')
    const paths = ['/categories', '/products?limit=2', '/products?limit=3']
    const isKept = async (path: string): Promise<boolean> => isHit(await ask(path))
    const purges = [{ tags: ['products'] }, { operations: ['catalog.products'] }, { isEverything: true }]
    for (const purge of purges) {
      for (const path of paths) await until(`${path} is kept`, () => isKept(path))
      await opened.call(gateway, { user: admin }).purgeCache(purge)
      // Not all of them: to look is to have it kept again.
      await until('it is forgotten', async () => !(await isKept('/products?limit=3')))
      assert.equal(await isKept('/products?limit=2'), false)
      assert.equal(await isKept('/categories'), purge.operations !== undefined)
    }
    await assert.rejects(opened.call(gateway, { user: customer }).purgeCache({}), {
      code: 'permission_denied',
    })
  })

  it('is passed by while events cannot be followed', async (t) => {
    const { opened, ask, product } = await open(t, 'frames')
    const path = `/products/${product.id}`
    await until('it is kept', async () => isHit(await ask(path)))
    await opened.hostOf('events').close()
    await until('the gateway knows', async () => (await ask(path)).status === 'flotilla; fwd=bypass')
    const { name, description, category, attributes, price, version, id } = (await ask(path)).body
    const written = { name, description, category, attributes, isPublished: true }
    const cheaper = { ...price, amount: price.amount + 1 }
    await opened
      .call(catalog, { user: admin, service: 'gateway' })
      .updateProduct({ id, version, ...written, price: cheaper })
    assert.equal((await ask(path)).body.price.amount, cheaper.amount, 'no event can have told')
  })
})
