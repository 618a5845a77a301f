import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { User } from '@flotilla/core/caller'
import type { Calls } from '@flotilla/core/calls'
import { type Contract, defineContract } from '@flotilla/core/contract'
import { FlotillaError } from '@flotilla/core/error'
import type { EventData } from '@flotilla/core/event'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { type Context, defineService, type Handlers } from '@flotilla/core/service'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import fc from 'fast-check'
import { catalog, type Product } from '../contracts/catalog.ts'
import { inventory } from '../contracts/inventory.ts'
import { products as seedProducts } from '../seed/products.ts'
import { reviews as seedReviews } from '../seed/reviews.ts'
import { catalogService } from './service.ts'

/** The app's: built, this file lies in dist/catalog. */
const FOLDER = join(import.meta.dirname, '../..')
const CONCURRENT = 12
/** Less than a call waits for another service by itself. */
const HURRIED_MS = 2_500

const admin: User = { id: 'admin-1', roles: ['customer', 'admin'], scopes: [], tier: 'enterprise' }
const customer = (id: string): User => ({ id, roles: ['customer'], scopes: [], tier: 'free' })

const draft = {
  sku: 'TST-0001',
  name: 'Quincunx Telescope',
  description: 'A telescope that exists for the length of a test.',
  category: 'outdoor',
  price: { amount: 12_300, currency: 'EUR' },
  attributes: { apertureMm: 70, isFolding: true, colours: ['brass'], mount: 'alt-azimuth' },
  isPublished: true,
}

/** Stands in for one who asks for prices. */
const searching = defineService({
  contract: defineContract({ name: 'search', version: 1, summary: '', operations: {} }),
  open: () => ({}),
})

/** The neighbours of the catalog, as far as it calls them. */
class Neighbours {
  /** What the inventory does when asked. */
  availability: (skus: readonly string[]) => Promise<number> = async () => 7
  readonly asked: (readonly string[])[] = []

  readonly inventory = defineService({
    contract: inventory,
    open: () =>
      only(inventory, {
        availability: async ({ skus }) => {
          this.asked.push(skus)
          const available = await this.availability(skus)
          return { items: skus.map((sku) => ({ sku, available })) }
        },
      }),
  })
}

/** Handlers for a part of a contract; the others are not called. */
function only<C extends Contract>(contract: C, handlers: Partial<Handlers<C>>): Handlers<C> {
  const uncalled = (): never => {
    throw new FlotillaError('unimplemented', 'Not called in this test.')
  }
  const others = Object.keys(contract.operations).map((name) => [name, uncalled])
  return { ...Object.fromEntries(others), ...handlers }
}

interface Opened {
  readonly app: TestApp
  readonly neighbours: Neighbours
  as(user?: User): Calls<typeof catalog>
}

async function open(t: TestContext, isSeeded = true): Promise<Opened> {
  const neighbours = new Neighbours()
  const app = await openTestApp(t, {
    app: defineApp({
      name: 'catalog test',
      folder: FOLDER,
      services: {
        inventory: async () => neighbours.inventory,
        search: async () => searching,
        catalog: async () => catalogService,
      },
    }),
    placement: 'one process',
    isSeeded,
  })
  return { app, neighbours, as: (user) => app.call(catalog, user === undefined ? {} : { user }) }
}

const reason = (name: string) => (error: unknown) => (error as FlotillaError).reason === name

async function ask<T>({ app }: Opened, text: string, values: readonly unknown[] = []): Promise<T[]> {
  return (await app.databases.get('catalog')?.ask<T>(text, values)) ?? []
}

async function seedAgain({ app }: Opened): Promise<void> {
  const db = app.databases.get('catalog')?.open().session(testCall())
  await catalogService.seed?.({ db, clock: app.ports.clock } as Context, {})
}

/** All pages, one after the other. */
async function allPages(
  calls: Calls<typeof catalog>,
  input: Parameters<Calls<typeof catalog>['products']>[0],
): Promise<Product[]> {
  const items: Product[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await calls.products({ ...input, ...(cursor === undefined ? {} : { cursor }) })
    items.push(...page.items)
    if (page.nextCursor === null) return items
    assert.equal(page.items.length, input?.limit)
    cursor = page.nextCursor
  }
}

describe('the schema of catalog', () => {
  it('is what schema.sql says', async (t) => {
    const { app } = await open(t, false)
    const session = app.databases.get('catalog')?.open().session(testCall())
    assert.ok(session)
    const path = join(FOLDER, 'catalog/schema.sql')
    const dump = await dumpSchema(session, ['public'])
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})

describe('seeding the catalog', () => {
  it('brings products, categories and reviews, also when done again', async (t) => {
    const opened = await open(t)
    const [product] = (await opened.as().products({ sort: 'price', limit: 1 })).items
    await ask(opened, 'update product set price = 0 where id = $1', [product?.id])
    await Promise.all([seedAgain(opened), seedAgain(opened)])
    assert.equal((await opened.as().product({ id: product?.id ?? '' })).price.amount, 0, 'is left alone')
    const { items } = await opened.as().categories()
    assert.equal(items.length, 8)
    assert.deepEqual(new Set(items.map(({ productCount }) => productCount)), new Set([30]))
    const products = await allPages(opened.as(), { limit: 100 })
    assert.equal(products.length, 240)
    assert.equal(
      products.reduce((sum, { rating }) => sum + rating.count, 0),
      seedReviews.length,
    )
    for (const { sku, rating } of products) {
      const stars = seedReviews.filter((review) => review.sku === sku).map((review) => review.rating)
      const mean = stars.reduce((sum, one) => sum + one, 0) / stars.length
      const average = stars.length === 0 ? null : Math.round(mean * 100) / 100
      assert.deepEqual(rating, { average, count: stars.length }, sku)
    }
  })
})

describe('the list of products', () => {
  it('is cut by pages into the whole list, in order, whatever the sort, filter and limit', async (t) => {
    const opened = await open(t)
    const calls = opened.as()
    // Many of a kind, so that pages end among equals.
    await ask(
      opened,
      `update product set price = price / 3000 * 3000, name = left(name, 1), created_at = date_trunc('week', created_at)`,
    )
    const orders = {
      newest: 'created_at desc, id desc',
      price: 'price, id',
      '-price': 'price desc, id desc',
      name: 'lower(name) collate "C", id',
      rating: 'rating desc, id desc',
    } as const
    const bound = fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(orders) as (keyof typeof orders)[])),
        fc.option(fc.constantFrom('audio', 'books', 'nowhere'), { nil: undefined }),
        bound,
        bound,
        fc.integer({ min: 5, max: 100 }),
        async (sort, category, minPrice, maxPrice, limit) => {
          const filter = {
            ...(category === undefined ? {} : { category }),
            ...(minPrice === undefined ? {} : { minPrice }),
            ...(maxPrice === undefined ? {} : { maxPrice }),
          }
          const expected = await ask<{ id: string }>(
            opened,
            `select id from product where category = coalesce($1, category)
               and price between $2 and $3 order by ${orders[sort]}`,
            [category, minPrice ?? 0, maxPrice ?? 1_000_000],
          )
          const items = await allPages(calls, { sort, limit, ...filter })
          assert.deepEqual(
            items.map(({ id }) => id),
            expected.map(({ id }) => id),
          )
        },
      ),
      { numRuns: 40 },
    )
  })

  it('takes bounds beyond any price', async (t) => {
    const { as } = await open(t)
    assert.deepEqual((await as().products({ minPrice: 1e300 })).items, [])
    assert.equal((await as().products({ maxPrice: Number.MAX_SAFE_INTEGER, limit: 3 })).items.length, 3)
  })

  it('refuses the cursor of another list, and whatever is none', async (t) => {
    const { as } = await open(t)
    const { nextCursor } = await as().products({ sort: 'price', category: 'audio', limit: 5 })
    assert.ok(nextCursor)
    const cursor = nextCursor
    const others = [
      { sort: '-price', category: 'audio' },
      { sort: 'price', category: 'books' },
      { sort: 'price' },
      { sort: 'price', category: 'audio', minPrice: 0 },
    ] as const
    for (const other of others)
      await assert.rejects(as().products({ ...other, cursor }), reason('bad_cursor'))
    const same = { sort: 'price', category: 'audio' } as const
    const [check, , ...rest] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    const changed = Buffer.from(JSON.stringify([check, 1, ...rest])).toString('base64url')
    for (const wrong of [changed, `${cursor}=`, cursor.slice(1), '', '[]', 'bnVsbA', '\u0000', 'ab\ud800']) {
      await assert.rejects(as().products({ ...same, cursor: wrong }), reason('bad_cursor'), wrong)
    }
    assert.ok((await as().products({ ...same, cursor, limit: 100 })).items.length > 0)
  })

  it('asks the inventory once a page', async (t) => {
    const { as, neighbours } = await open(t)
    const { items } = await as().products({ limit: 50 })
    assert.deepEqual(neighbours.asked, [items.map(({ sku }) => sku)])
    assert.deepEqual(new Set(items.map(({ stock }) => stock?.available)), new Set([7]))
  })

  it('comes without stock while the inventory fails or hangs', async (t) => {
    const { app, as, neighbours } = await open(t)
    neighbours.availability = async () => {
      throw new FlotillaError('unavailable', 'Down for a test.')
    }
    const failed = await as().products({ limit: 2 })
    assert.deepEqual(
      failed.items.map(({ stock }) => stock),
      [null, null],
    )
    // Answers when the test is over, at the earliest.
    const over = new AbortController()
    neighbours.availability = async () => {
      await once(over.signal, 'abort')
      return 0
    }
    t.after(() => over.abort())
    const [first] = failed.items
    const hurried = app.call(catalog, { timeoutMs: HURRIED_MS })
    assert.equal((await hurried.product({ id: first?.id ?? '' })).stock, null)
  })
})

describe('a product', () => {
  it('is created, replaced and deleted by versions', async (t) => {
    const opened = await open(t)
    const { as } = opened
    const created = await as(admin).createProduct(draft)
    const { sku, ...fields } = draft
    const { id, updatedAt: _, ...shown } = created
    assert.deepEqual(shown, {
      ...draft,
      rating: { average: null, count: 0 },
      stock: { available: 7 },
      version: 1,
    })
    assert.deepEqual(await as().product({ id }), created)
    const changed = await as(admin).updateProduct({
      ...fields,
      id,
      version: 1,
      name: 'Renamed',
      attributes: {},
    })
    assert.deepEqual(
      { ...changed, updatedAt: '' },
      { ...created, name: 'Renamed', attributes: {}, version: 2, updatedAt: '' },
    )
    const change = { ...fields, id, version: 1, name: 'Renamed', attributes: {} }
    assert.deepEqual(await as(admin).updateProduct(change), changed, 'a repeat is answered like the first')
    const stale = { ...fields, id, version: 1 }
    await assert.rejects(as(admin).updateProduct(stale), reason('stale_version'))
    await assert.rejects(as(admin).updateProduct({ ...stale, version: 1e300 }), reason('stale_version'))
    await assert.rejects(as(admin).deleteProduct({ id, version: 1 }), reason('stale_version'))
    assert.deepEqual(await as(admin).deleteProduct({ id, version: 2 }), {})
    assert.deepEqual(await as(admin).deleteProduct({ id, version: 2 }), {}, 'a repeat too')
    await assert.rejects(as(admin).product({ id }), reason('no_product'))
    await assert.rejects(as(admin).updateProduct({ ...stale, version: 3 }), reason('no_product'))
    await assert.rejects(as(admin).deleteProduct({ id, version: 3 }), reason('no_product'))
    await assert.rejects(as(admin).createProduct(draft), reason('sku_taken'), 'old orders name the SKU')
    assert.deepEqual(
      (await opened.app.call(catalog, { service: 'search' }).productsBySku({ skus: [sku] })).items,
      [],
    )
  })

  it('is not there under ids that nobody made', async (t) => {
    const { as } = await open(t, false)
    for (const id of ['ABC-1', '0', 'a'.repeat(64)]) {
      await assert.rejects(as().product({ id }), reason('no_product'))
      await assert.rejects(as().reviews({ id }), reason('no_product'))
      await assert.rejects(as(admin).deleteProduct({ id, version: 1 }), reason('no_product'))
    }
  })

  it('needs a category, and a SKU of its own, also when two take it at once', async (t) => {
    const { as } = await open(t)
    await assert.rejects(as(admin).createProduct({ ...draft, category: 'nowhere' }), reason('no_category'))
    const outcomes = await Promise.allSettled(
      Array.from({ length: CONCURRENT }, () => as(admin).createProduct(draft)),
    )
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') assert.ok(reason('sku_taken')(outcome.reason))
    const [product] = (await as().products({ sort: 'newest', limit: 1 })).items
    const { id = '', version = 0 } = product ?? {}
    const { sku: _, ...fields } = draft
    await assert.rejects(
      as(admin).updateProduct({ ...fields, id, version, category: 'nowhere' }),
      reason('no_category'),
    )
  })

  it('has one winner among concurrent updates of one version', async (t) => {
    const { as } = await open(t)
    const { sku: _, ...fields } = draft
    const { id } = await as(admin).createProduct(draft)
    const names = Array.from({ length: CONCURRENT }, (_, index) => `Name ${index}`)
    const outcomes = await Promise.allSettled(
      names.map((name) => as(admin).updateProduct({ ...fields, id, version: 1, name })),
    )
    const winners = outcomes.filter((one) => one.status === 'fulfilled')
    assert.equal(winners.length, 1)
    for (const one of outcomes) if (one.status === 'rejected') assert.ok(reason('stale_version')(one.reason))
    assert.deepEqual(await as().product({ id }), winners[0]?.value)
  })

  it('is created once under one key', async (t) => {
    const { as } = await open(t)
    const key = { idempotencyKey: 'once' }
    const first = await as(admin).createProduct(draft, key)
    assert.deepEqual(await as(admin).createProduct(draft, key), first)
  })

  it('is seen by admins only while it is not published', async (t) => {
    const opened = await open(t)
    const { as } = opened
    const { id } = await as(admin).createProduct({ ...draft, isPublished: false })
    assert.equal((await as(admin).product({ id })).isPublished, false)
    const review = { id, stars: 5, title: 'Seen', text: '' }
    for (const who of [undefined, customer('u1')]) {
      await assert.rejects(as(who).product({ id }), reason('no_product'))
      await assert.rejects(as(who).reviews({ id }), reason('no_product'))
    }
    await assert.rejects(as(customer('u1')).addReview(review), reason('no_product'))
    assert.equal((await allPages(as(admin), { category: 'outdoor', limit: 100 })).length, 30)
    const { items } = await as().categories()
    assert.equal(items.find(({ slug }) => slug === 'outdoor')?.productCount, 30)
    const bySku = opened.app.call(catalog, { service: 'search' })
    assert.deepEqual((await bySku.productsBySku({ skus: [draft.sku] })).items, [])
  })

  it('is found by SKU; unknown ones are left out', async (t) => {
    const { app } = await open(t)
    const { items } = await app.call(catalog, { service: 'search' }).productsBySku({
      skus: ['AUD-0001', 'NO-SUCH', 'AUD-0001', 'BOO-0001'],
    })
    assert.deepEqual(items.map(({ sku }) => sku).sort(), ['AUD-0001', 'BOO-0001'])
    const audio = seedProducts.find(({ sku }) => sku === 'AUD-0001')
    assert.deepEqual(items.find(({ sku }) => sku === 'AUD-0001')?.price, {
      amount: audio?.priceCents,
      currency: 'EUR',
    })
  })
})

describe('reviews', () => {
  it('are counted exactly, however many come at once', async (t) => {
    const { as } = await open(t)
    const { id } = await as(admin).createProduct(draft)
    const stars = Array.from({ length: CONCURRENT }, (_, index) => (index % 5) + 1)
    await Promise.all(
      stars.map((one, index) =>
        as(customer(`u${index}`)).addReview({ id, stars: one, title: `No ${index}`, text: 'Text.' }),
      ),
    )
    const { rating, version } = await as().product({ id })
    const sum = stars.reduce((total, one) => total + one, 0)
    assert.deepEqual(rating, { average: Math.round((sum / CONCURRENT) * 100) / 100, count: CONCURRENT })
    assert.equal(version, 1 + CONCURRENT, 'the ETag changes with the rating')
  })

  it('are accepted once per user and product', async (t) => {
    const { as } = await open(t)
    const { id } = await as(admin).createProduct(draft)
    const review = { id, stars: 4, title: 'Good', text: 'Saturn has ears.' }
    const outcomes = await Promise.allSettled(
      Array.from({ length: CONCURRENT }, () => as(customer('u1')).addReview(review)),
    )
    const accepted = outcomes.filter((one) => one.status === 'fulfilled').map(({ value }) => value)
    assert.equal(accepted.length, 1)
    for (const one of outcomes)
      if (one.status === 'rejected') assert.ok(reason('already_reviewed')(one.reason))
    assert.match(accepted[0]?.author ?? '', /^Customer [0-9A-F]{6}$/)
    assert.deepEqual((await as().reviews({ id })).items, accepted)
    assert.deepEqual((await as().product({ id })).rating, { average: 4, count: 1 })
    await assert.rejects(as(customer('u1')).addReview({ ...review, id: 'nothing' }), reason('no_product'))
  })

  it('come newest first, page by page', async (t) => {
    const opened = await open(t)
    const { as } = opened
    const [most] = await ask<{ id: string }>(
      opened,
      'select id from product order by rating_count desc limit 1',
    )
    const id = most?.id ?? ''
    const all = (await as().reviews({ id, limit: 100 })).items
    assert.ok(all.length > 3)
    assert.deepEqual(
      all,
      all.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1)),
    )
    const paged: typeof all = []
    for (let cursor: string | undefined; ; ) {
      const page = await as().reviews({ id, limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      paged.push(...page.items)
      if (page.nextCursor === null) break
      cursor = page.nextCursor
    }
    assert.deepEqual(paged, all)
    const { nextCursor } = await as().reviews({ id, limit: 2 })
    const [other] = (await as().products({ sort: 'price', limit: 1 })).items
    await assert.rejects(
      as().reviews({ id: other?.id ?? '', cursor: nextCursor ?? '' }),
      reason('bad_cursor'),
    )
  })
})

describe('changes of products', () => {
  /** What was published, in order. */
  const published = async (opened: Opened) =>
    ask<EventData<typeof catalog.events.productChanged>>(
      opened,
      `select event #>> '{data,productId}' as "productId", (event #>> '{data,version}')::integer as version,
         event #> '{data,content}' as content
       from flotilla.outbox order by id`,
    )
  const { sku, isPublished: _, ...fields } = draft

  it('are published with every write, as the product is shown from then on', async (t) => {
    const opened = await open(t, false)
    const { as } = opened
    await ask(opened, `insert into category values ('outdoor', 'Outdoor', '', 1)`)
    const { id } = await as(admin).createProduct(draft)
    await as(admin).updateProduct({ ...fields, id, version: 1, isPublished: false })
    await as(admin).updateProduct({ ...fields, id, version: 2, name: 'Newer', isPublished: true })
    await as(admin).updateProduct({ ...fields, id, version: 2, name: 'Newer', isPublished: true })
    await as(admin).deleteProduct({ id, version: 3 })
    await as(admin).deleteProduct({ id, version: 3 })
    assert.deepEqual(await published(opened), [
      { productId: id, version: 1, content: { ...fields, sku } },
      { productId: id, version: 2, content: null },
      { productId: id, version: 3, content: { ...fields, sku, name: 'Newer' } },
      { productId: id, version: 4, content: null },
    ])
  })

  it('are not published when the write is refused', async (t) => {
    const opened = await open(t, false)
    const { as } = opened
    await ask(opened, `insert into category values ('outdoor', 'Outdoor', '', 1)`)
    const { id } = await as(admin).createProduct(draft)
    await assert.rejects(as(admin).createProduct(draft), reason('sku_taken'))
    const stale = { ...fields, id, version: 2, isPublished: true }
    await assert.rejects(as(admin).updateProduct(stale), reason('stale_version'))
    await assert.rejects(as(admin).deleteProduct({ id, version: 2 }), reason('stale_version'))
    assert.equal((await published(opened)).length, 1)
  })

  it('fit into an event, or the write is refused', async (t) => {
    const opened = await open(t, false)
    const { as } = opened
    await ask(opened, `insert into category values ('outdoor', 'Outdoor', '', 1)`)
    const names = Array.from({ length: 40 }, (_, index) => `attribute${index}`)
    const attributesOf = (count: number) =>
      Object.fromEntries(names.map((name) => [name, Array.from({ length: count }, () => '€'.repeat(200))]))
    const large = { ...draft, name: '€'.repeat(200), attributes: attributesOf(2) }
    const { id } = await as(admin).createProduct(large)
    const { sku: _, ...content } = large
    const tooLarge = { ...draft, attributes: attributesOf(3) }
    await assert.rejects(as(admin).createProduct(tooLarge), reason('too_large'))
    const update = { ...content, id, version: 1, attributes: attributesOf(3) }
    await assert.rejects(as(admin).updateProduct(update), reason('too_large'))
  })

  it('are published for the first assortment, once', async (t) => {
    const opened = await open(t)
    await seedAgain(opened)
    const told = await published(opened)
    assert.equal(told.length, 240)
    const products = await allPages(opened.as(), { limit: 100 })
    for (const { id, version, ...product } of products) {
      const change = told.find(({ productId }) => productId === id)
      assert.equal(change?.version, version)
      assert.equal(change?.content?.name, product.name)
    }
  })

  it('are told again page by page, removals too, by admins', async (t) => {
    const opened = await open(t)
    const { as } = opened
    const [gone] = (await as().products({ sort: 'price', limit: 1 })).items
    await as(admin).deleteProduct({ id: gone?.id ?? '', version: gone?.version ?? 0 })
    await ask(opened, 'delete from flotilla.outbox')
    const counts: number[] = []
    for (let after: string | undefined; ; ) {
      const page = await as(admin).republish({ limit: 100, ...(after === undefined ? {} : { after }) })
      counts.push(page.count)
      if (page.last === null) break
      after = page.last
    }
    assert.deepEqual(counts, [100, 100, 40])
    const told = await published(opened)
    assert.equal(new Set(told.map(({ productId }) => productId)).size, 240)
    assert.deepEqual(
      told.filter(({ content }) => content === null).map(({ productId }) => productId),
      [gone?.id],
    )
    await assert.rejects(as(customer('u1')).republish(), { code: 'permission_denied' })
  })
})
