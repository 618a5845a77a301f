import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import { FlotillaError } from '@flotilla/core/error'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { defineService, type Handlers } from '@flotilla/core/service'
import { openTestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import type { TestDatabase } from '@flotilla/core/test-database'
import type { Transaction } from '@flotilla/core/transaction'
import fc from 'fast-check'
import { catalog } from '../contracts/catalog.ts'
import { recommendations } from '../contracts/recommendations.ts'
import { type ChangedProduct, noteCancellation, noteProduct, notePurchases } from './purchases.ts'
import { recommendationsService } from './service.ts'

/** The app's: built, this file lies in dist/recommendations. */
const FOLDER = join(import.meta.dirname, '../..')

const personOf = (id: string) => ({ id, roles: ['customer'], scopes: [], tier: 'free' })
const product = (productId: string, category: string, version = 1): ChangedProduct => ({
  productId,
  version,
  content: {
    sku: productId.toUpperCase(),
    name: `Product ${productId}`,
    category,
    price: { amount: version, currency: 'EUR' },
  },
})
const shelf = [
  ...['a1', 'a2', 'a3'].map((id) => product(id, 'audio')),
  ...['b1', 'b2', 'b3'].map((id) => product(id, 'books')),
  product('c1', 'cycling'),
]

interface Opened {
  readonly database: TestDatabase
  transaction<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T>
  /** Somebody buys products in one order. */
  buy(orderId: string, userId: string, ...productIds: readonly string[]): Promise<void>
  /** Source and product ids. */
  recommended(userId?: string, limit?: number): Promise<readonly [string, readonly string[]]>
}

/** The catalog, as far as it is asked. */
const bestRated = { isDown: false }

const catalogService = defineService({
  contract: catalog,
  open: () =>
    ({
      products: async ({ sort, limit }: { sort: string; limit: number }) => {
        if (bestRated.isDown) throw new FlotillaError('unavailable', 'Down for a test.')
        assert.equal(sort, 'rating')
        const { sku, name, price } = { sku: 'BEST-1', name: 'Best', price: { amount: 1, currency: 'EUR' } }
        const rest = { description: '', category: 'audio', attributes: {}, isPublished: true, stock: null }
        const rating = { average: 5, count: 1 }
        const best = {
          id: 'best',
          sku,
          name,
          price,
          ...rest,
          rating,
          version: 1,
          updatedAt: '2026-11-21T10:00:00.000Z',
        }
        return { items: [best].slice(0, limit), nextCursor: null }
      },
      ...Object.fromEntries(
        Object.keys(catalog.operations)
          .filter((name) => name !== 'products')
          .map((name) => [name, () => assert.fail('not called in this test')]),
      ),
    }) as unknown as Handlers<typeof catalog>,
})

async function open(t: TestContext, products: readonly ChangedProduct[] = shelf): Promise<Opened> {
  bestRated.isDown = false
  const { call, databases } = await openTestApp(t, {
    app: defineApp({
      name: 'recommendations test',
      folder: FOLDER,
      services: { catalog: async () => catalogService, recommendations: async () => recommendationsService },
    }),
    placement: 'one process',
  })
  const database = databases.get('recommendations') as TestDatabase
  const opened = database.open()
  const transaction: Opened['transaction'] = (work) => opened.session(testCall()).transaction(work)
  await transaction(async (tx) => {
    for (const one of products) noteProduct(tx, one)
  })
  let minute = 0
  return {
    database,
    transaction,
    buy: (orderId, userId, ...productIds) =>
      transaction((tx) => {
        const lines = productIds.map((productId) => ({ productId }))
        const at = `2026-11-21T10:${String(minute++).padStart(2, '0')}:00.000Z`
        return notePurchases(tx, { orderId, userId, lines }, at)
      }),
    async recommended(userId, limit) {
      const calls = call(recommendations, userId === undefined ? {} : { user: personOf(userId) })
      const { source, items } = await calls.list(limit === undefined ? {} : { limit })
      return [source, items.map(({ productId }) => productId)]
    },
  }
}

describe('the schema of recommendations', () => {
  it('is what schema.sql says', async (t) => {
    const { database } = await open(t)
    const path = join(FOLDER, 'recommendations/schema.sql')
    const dump = await dumpSchema(database.open().session(testCall()), ['public'])
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})

describe('recommendations', () => {
  it('are what was bought together, then what sells in the same categories', async (t) => {
    const { buy, recommended } = await open(t)
    await buy('o1', 'ann', 'a1')
    await buy('o2', 'ben', 'a1', 'b1', 'b2')
    await buy('o3', 'cem', 'a1', 'b1')
    await buy('o4', 'dan', 'a3')
    assert.deepEqual(await recommended('ann'), ['personal', ['b1', 'b2', 'a3', 'a2']])
    assert.deepEqual(await recommended('ann', 2), ['personal', ['b1', 'b2']])
    assert.deepEqual(await recommended('dan'), ['personal', ['a1', 'a2']], 'nobody else bought a3')
  })

  it('are what sells, for who never bought anything, or has all there is', async (t) => {
    const { buy, recommended } = await open(t, [product('a1', 'audio'), product('b1', 'books')])
    await buy('o1', 'ann', 'b1', 'a1')
    await buy('o2', 'ben', 'b1')
    assert.deepEqual(await recommended(), ['popular', ['b1', 'a1']])
    assert.deepEqual(await recommended('new'), ['popular', ['b1', 'a1']])
    assert.deepEqual(await recommended('ann'), ['popular', ['b1', 'a1']])
    assert.deepEqual(await recommended('new', 1), ['popular', ['b1']])
  })

  it('do not count cancelled orders, nor show what is gone', async (t) => {
    const { buy, recommended, transaction } = await open(t)
    await buy('o1', 'ann', 'a1')
    await buy('o2', 'ben', 'a1', 'b1')
    await buy('o3', 'ben', 'c1')
    await transaction((tx) => noteCancellation(tx, 'o2'))
    assert.deepEqual(await recommended(), ['popular', ['a1', 'c1']])
    assert.deepEqual(await recommended('ann'), ['personal', ['a2', 'a3']])
    await transaction((tx) => noteProduct(tx, { productId: 'c1', version: 2, content: null }))
    assert.deepEqual(await recommended(), ['popular', ['a1']])
  })

  it('are the best rated while nothing was sold, and a note when they cannot be had', async (t) => {
    const { recommended } = await open(t)
    assert.deepEqual(await recommended(), ['best_rated', ['best']])
    bestRated.isDown = true
    assert.deepEqual(await recommended(), ['best_rated', []])
  })
})

describe('what is kept', () => {
  it('is the same, however often and in whatever order one hears of it', async (t) => {
    const { database, transaction } = await open(t, [])
    type Fact = (tx: Transaction) => Promise<void> | void
    const orderIds = ['o1', 'o2', 'o3']
    const lines = [{ productId: 'a1' }, { productId: 'b1' }, { productId: 'a1' }]
    const all: readonly Fact[] = [
      ...orderIds.map((orderId): Fact => {
        return (tx) => notePurchases(tx, { orderId, userId: 'ann', lines }, '2026-11-21T10:00:00.000Z')
      }),
      ...orderIds.map(
        (orderId): Fact =>
          (tx) =>
            noteCancellation(tx, orderId),
      ),
      ...[1, 2, 3].map(
        (version): Fact =>
          (tx) =>
            noteProduct(tx, product('a1', `c${version}`, version)),
      ),
      (tx) => noteProduct(tx, { productId: 'a1', version: 4, content: null }),
      (tx) => noteProduct(tx, product('a1', 'c5', 5)),
    ]
    const kept = async (): Promise<unknown> => [
      await database.ask('select order_id, product_id, user_id, bought_at from purchase order by 1, 2'),
      await database.ask('select order_id from cancelled_order order by 1'),
      await database.ask('select * from product where is_shown order by 1'),
      await database.ask('select product_id, version from product order by 1'),
    ]
    const disorder = fc.subarray([...all]).chain((once) => {
      const twice = [...once, ...once]
      return fc.tuple(fc.constant(once), fc.shuffledSubarray(twice, { minLength: twice.length }))
    })
    await fc.assert(
      fc.asyncProperty(disorder, async ([once, twice]) => {
        await database.ask('truncate purchase, cancelled_order, product')
        await transaction(async (tx) => {
          for (const fact of once) await fact(tx)
        })
        const expected = await kept()
        await database.ask('truncate purchase, cancelled_order, product')
        for (const fact of twice) await transaction(fact)
        assert.deepEqual(await kept(), expected)
      }),
      { numRuns: 30 },
    )
  })
})
