import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { isoTime, parseIsoTime, systemClock } from '@flotilla/core/clock'
import { migrate } from '@flotilla/core/migrate'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { sql } from '@flotilla/core/sql'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase, type TestDatabase } from '@flotilla/core/test-database'
import { until } from '@flotilla/core/until'
import type { Cart } from '../contracts/cart.ts'
import { pruneCarts } from './cart-store.ts'
import { folder, openCart } from './opened-cart.test.ts'

const DAY_MS = 86_400_000
const stale = { code: 'failed_precondition', status: 412, reason: 'stale_version' }
const tooMany = { code: 'failed_precondition', status: 409, reason: 'too_many' }
const noProduct = { code: 'not_found', status: 404, reason: 'no_product' }

const quantities = ({ lines }: Cart): unknown => lines.map(({ sku, quantity }) => [sku, quantity])

/** Totals without a discount. */
const plain = (amount: number, currency = 'EUR') => {
  const subtotal = { amount, currency }
  return { subtotal, discount: { amount: 0, currency }, total: subtotal }
}

async function expire({ ask }: TestDatabase, userId: string): Promise<void> {
  await ask(`update cart set updated_at = now() - interval '30 days' where user_id = $1`, [userId])
}

describe('cart.get', () => {
  it('is an empty cart for who has none, and makes none', async (t) => {
    const { as, database, shelf } = await openCart(t)
    const { updatedAt, expiresAt, ...rest } = await as().get()
    assert.deepEqual(rest, {
      id: 'none',
      lines: [],
      totals: { items: 0, ...plain(0) },
      version: 0,
    })
    assert.equal(parseIsoTime(expiresAt) - parseIsoTime(updatedAt), 30 * DAY_MS)
    assert.deepEqual(await database.ask('select * from cart'), [])
    assert.deepEqual(shelf.asked, [], 'nothing to ask about')
  })

  it('has the prices of the moment, by one question', async (t) => {
    const { as, shelf } = await openCart(t)
    await as().addItem({ sku: 'B-1', quantity: 2 })
    await as().addItem({ sku: 'A-1', quantity: 3 })
    shelf.put('A-1', 101)
    shelf.asked.length = 0
    const { lines, totals } = await as().get()
    assert.deepEqual(shelf.asked, [['B-1', 'A-1']])
    assert.deepEqual(totals, { items: 5, ...plain(803) })
    assert.deepEqual(lines[1], {
      sku: 'A-1',
      productId: 'id-of-A-1',
      name: 'A A-1',
      quantity: 3,
      unitPrice: { amount: 101, currency: 'EUR' },
      lineTotal: { amount: 303, currency: 'EUR' },
      isAvailable: true,
    })
  })

  it('shows what left the catalog at its last price, and does not count it', async (t) => {
    const { as, shelf } = await openCart(t)
    await as().addItem({ sku: 'A-1', quantity: 1 })
    await as().addItem({ sku: 'B-1', quantity: 2 })
    shelf.offers.delete('A-1')
    const { lines, totals } = await as().get()
    assert.deepEqual(totals, { items: 2, ...plain(500) })
    assert.deepEqual(
      lines.map(({ sku, isAvailable, lineTotal }) => [sku, isAvailable, lineTotal.amount]),
      [
        ['A-1', false, 100],
        ['B-1', true, 500],
      ],
    )
    assert.deepEqual(quantities(await as().removeItem({ sku: 'A-1' })), [['B-1', 2]])
  })

  it('never adds currencies', async (t) => {
    const { as, shelf } = await openCart(t)
    await as().addItem({ sku: 'A-1', quantity: 1 })
    await as().addItem({ sku: 'B-1', quantity: 1 })
    shelf.put('B-1', 9_000, 'JPY')
    const { lines, totals } = await as().get()
    assert.deepEqual(totals, { items: 1, ...plain(100) })
    assert.deepEqual(
      lines.map(({ isAvailable }) => isAvailable),
      [true, false],
    )
    shelf.put('D-1', 5, 'JPY')
    const other = { code: 'failed_precondition', status: 409, reason: 'other_currency' }
    await assert.rejects(as().addItem({ sku: 'D-1', quantity: 1 }), other)
    await assert.rejects(as().setItem({ sku: 'B-1', quantity: 2 }), other)
    assert.deepEqual(quantities(await as().get()), [
      ['A-1', 1],
      ['B-1', 1],
    ])
    const yen = await as('ben').addItem({ sku: 'D-1', quantity: 3 })
    assert.deepEqual(yen.totals, { items: 3, ...plain(15, 'JPY') })
  })

  it('makes up no price while the catalog is away, but a cart can be emptied', async (t) => {
    const { as, shelf } = await openCart(t)
    await as().addItem({ sku: 'A-1', quantity: 1 })
    shelf.isAvailable = false
    await assert.rejects(as().get(), { code: 'unavailable' })
    await assert.rejects(as().addItem({ sku: 'B-1', quantity: 1 }), { code: 'unavailable' })
    assert.deepEqual((await as().clear()).lines, [])
  })

  it('is for its owner', async (t) => {
    const { as } = await openCart(t)
    const own = await as('ann').addItem({ sku: 'A-1', quantity: 1 })
    const foreign = await as('ben').get()
    assert.deepEqual(foreign.lines, [])
    assert.notEqual(foreign.id, own.id)
    await as('ben').setItem({ sku: 'A-1', quantity: 7 })
    await as('ben').clear()
    assert.deepEqual(await as('ann').get(), own)
  })
})

describe('cart.addItem', () => {
  it('adds up what is there', async (t) => {
    const { as } = await openCart(t)
    const first = await as().addItem({ sku: 'A-1', quantity: 2 })
    const second = await as().addItem({ sku: 'A-1', quantity: 3, version: first.version })
    assert.deepEqual([first.version, second.version], [1, 2])
    assert.equal(first.id, second.id)
    assert.deepEqual(quantities(second), [['A-1', 5]])
    assert.deepEqual(await as().get(), second)
  })

  it('knows only products of the catalog', async (t) => {
    const { as } = await openCart(t)
    await assert.rejects(as().addItem({ sku: 'NONE-1', quantity: 1 }), noProduct)
    await assert.rejects(as().setItem({ sku: 'NONE-1', quantity: 1 }), noProduct)
  })

  it('refuses more than 99 of one and more than 50 different ones', async (t) => {
    const { as, shelf } = await openCart(t)
    for (let index = 0; index < 51; index++) shelf.put(`N-${index}`, 1)
    await as().addItem({ sku: 'N-0', quantity: 98 })
    await assert.rejects(as().addItem({ sku: 'N-0', quantity: 2 }), tooMany)
    for (let index = 1; index < 50; index++) await as().addItem({ sku: `N-${index}`, quantity: 1 })
    await assert.rejects(as().addItem({ sku: 'N-50', quantity: 1 }), tooMany)
    await assert.rejects(as().setItem({ sku: 'N-50', quantity: 1 }), tooMany)
    const { version, lines } = await as().addItem({ sku: 'N-0', quantity: 1 })
    assert.deepEqual([version, lines.length, lines[0]?.quantity], [51, 50, 99])
  })

  it('refuses a version that is not the current one', async (t) => {
    const { as } = await openCart(t)
    await assert.rejects(as().addItem({ sku: 'A-1', quantity: 1, version: 1 }), stale)
    await as().addItem({ sku: 'A-1', quantity: 1 })
    await as().addItem({ sku: 'A-1', quantity: 1 })
    await assert.rejects(as().addItem({ sku: 'A-1', quantity: 1, version: 1 }), stale)
    await assert.rejects(as().addItem({ sku: 'A-1', quantity: 1, version: 3 }), stale)
  })

  it('counts all that come at once, the very first ones too', async (t) => {
    const { as } = await openCart(t)
    await Promise.all(Array.from({ length: 20 }, () => as().addItem({ sku: 'A-1', quantity: 1 })))
    const { version, totals } = await as().get()
    assert.deepEqual([version, totals.items], [20, 20])
  })

  it('takes the version of a cart that is not there yet', async (t) => {
    const { as } = await openCart(t)
    const empty = await as().get()
    const first = await as().addItem({ sku: 'A-1', quantity: 1, version: empty.version })
    assert.deepEqual([empty.version, first.version], [0, 1])
    await assert.rejects(as().addItem({ sku: 'A-1', quantity: 1, version: 0 }), stale)
  })

  it('lets one of those win who mean the same version', async (t) => {
    const { as } = await openCart(t)
    const { version } = await as().addItem({ sku: 'A-1', quantity: 1 })
    const rivals = Array.from({ length: 6 }, () => as().addItem({ sku: 'A-1', quantity: 1, version }))
    const outcomes = await Promise.allSettled(rivals)
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal((await as().get()).totals.items, 2)
  })

  it('counts once what comes with one key, and gives the same answer', async (t) => {
    const { as } = await openCart(t)
    const add = (): Promise<Cart> =>
      as().addItem({ sku: 'A-1', quantity: 2 }, { idempotencyKey: 'put it in once' })
    const outcomes = await Promise.allSettled([add(), add(), add(), add(), add()])
    const again = await add()
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') assert.deepEqual(outcome.value, again)
      else assert.equal(outcome.reason.code, 'aborted', 'another one is being processed')
    }
    assert.deepEqual(quantities(again), [['A-1', 2]])
    assert.deepEqual(await as().get(), again)
    const other = as().addItem({ sku: 'A-1', quantity: 3 }, { idempotencyKey: 'put it in once' })
    await assert.rejects(other, { status: 422 })
  })

  it('has no effect when its answer cannot be remembered', async (t) => {
    const { as, database } = await openCart(t)
    await database.ask(`alter table flotilla.idempotency add constraint never_done check (state <> 'done')`)
    await assert.rejects(as().addItem({ sku: 'A-1', quantity: 2 }, { idempotencyKey: 'put it in once' }))
    assert.equal((await as().get()).version, 0)
    await database.ask('alter table flotilla.idempotency drop constraint never_done')
    const added = await as().addItem({ sku: 'A-1', quantity: 2 })
    assert.deepEqual(quantities(added), [['A-1', 2]])
  })

  it('tells the kept price of what another call has just put in', async (t) => {
    const { as } = await openCart(t)
    const skus = ['A-1', 'B-1', 'C-1']
    const carts = await Promise.all(skus.map((sku) => as().addItem({ sku, quantity: 1 })))
    const whole = carts.find(({ version }) => version === 3)
    assert.deepEqual(whole?.totals, { items: 3, ...plain(1_349) })
  })
})

describe('cart.setItem', () => {
  it('sets, puts in what is not there, and is quiet when nothing changes', async (t) => {
    const { as } = await openCart(t)
    const first = await as().setItem({ sku: 'A-1', quantity: 2 })
    const second = await as().setItem({ sku: 'A-1', quantity: 9, version: 1 })
    assert.deepEqual([first.version, second.version, second.totals.items], [1, 2, 9])
    assert.deepEqual(await as().setItem({ sku: 'A-1', quantity: 9 }), second)
    assert.deepEqual(await as().setItem({ sku: 'A-1', quantity: 9, version: 1 }), second, 'a repeat')
    await assert.rejects(as().setItem({ sku: 'A-1', quantity: 8, version: 1 }), stale)
    const third = await as().setItem({ sku: 'B-1', quantity: 1 })
    assert.deepEqual(quantities(third), [
      ['A-1', 9],
      ['B-1', 1],
    ])
    await assert.rejects(as().setItem({ sku: 'A-1', quantity: 9, version: 1 }), stale, 'not the last change')
  })
})

describe('cart.removeItem', () => {
  it('takes out, and is quiet when it is not there', async (t) => {
    const { as, database } = await openCart(t)
    assert.equal((await as().removeItem({ sku: 'A-1' })).version, 0)
    assert.deepEqual(await database.ask('select * from cart'), [])
    await as().addItem({ sku: 'A-1', quantity: 1 })
    await as().addItem({ sku: 'B-1', quantity: 2 })
    await assert.rejects(as().removeItem({ sku: 'A-1', version: 1 }), stale)
    const removed = await as().removeItem({ sku: 'A-1', version: 2 })
    assert.deepEqual([removed.version, quantities(removed)], [3, [['B-1', 2]]])
    assert.deepEqual(await as().removeItem({ sku: 'A-1' }), removed)
    assert.deepEqual(await as().removeItem({ sku: 'A-1', version: 2 }), removed, 'a repeat')
    await assert.rejects(as().removeItem({ sku: 'A-1', version: 1 }), stale)
  })
})

describe('cart.clear', () => {
  it('empties, and is quiet when there is nothing', async (t) => {
    const { as } = await openCart(t)
    assert.equal((await as().clear()).version, 0)
    const full = await as().addItem({ sku: 'A-1', quantity: 1 })
    await assert.rejects(as().clear({ version: 7 }), stale)
    const cleared = await as().clear({ version: 1 })
    assert.deepEqual([cleared.id, cleared.version, cleared.lines], [full.id, 2, []])
    assert.deepEqual(await as().clear({ version: 1 }), cleared)
    await assert.rejects(as().clear({ version: 4 }), stale)
  })
})

describe('a cart that was left for thirty days', () => {
  it('reads as empty, and no version of it is met again', async (t) => {
    const { as, database } = await openCart(t)
    await as().addItem({ sku: 'A-1', quantity: 1 })
    const old = await as().addItem({ sku: 'B-1', quantity: 1 })
    await expire(database, 'ann')
    const gone = await as().get()
    assert.deepEqual([gone.id, gone.version, gone.lines, gone.totals.items], ['none', 3, [], 0])
    await assert.rejects(as().addItem({ sku: 'C-1', quantity: 1, version: 2 }), stale)
    const anew = await as().addItem({ sku: 'C-1', quantity: 1, version: 3 })
    assert.deepEqual([anew.version, quantities(anew)], [4, [['C-1', 1]]])
    assert.notEqual(anew.id, old.id)
    assert.deepEqual(await as().get(), anew)
  })

  it('lasts until then', async (t) => {
    const { as, database } = await openCart(t)
    await as().addItem({ sku: 'A-1', quantity: 1 })
    await database.ask(`update cart set updated_at = now() - interval '30 days' + interval '5 minutes'`)
    assert.equal((await as().get()).totals.items, 1)
  })

  it('is forgotten in the background, but for its version', async (t) => {
    const { as, database } = await openCart(t, { CART_PRUNE_MS: '50' })
    await as('ann').addItem({ sku: 'A-1', quantity: 1 })
    const kept = await as('ben').addItem({ sku: 'A-1', quantity: 1 })
    await expire(database, 'ann')
    const ofAnn = `select 1 from cart_line where user_id = 'ann'`
    await until('the lines are gone', async () => (await database.ask(ofAnn)).length === 0)
    assert.deepEqual([(await as('ann').get()).version, await as('ben').get()], [2, kept])
    assert.equal((await as('ann').addItem({ sku: 'A-1', quantity: 1 })).version, 3)
  })
})

describe('pruneCarts', () => {
  it('takes the oldest first, no more than it is told, and none that is being changed', async (t) => {
    const database = await openTestDatabase(t)
    await migrate(database.url, [{ name: 'cart', folder: `${folder}/cart/migrations` }])
    const nowMs = systemClock.now()
    await database.ask(`insert into cart select 'user-' || n, 'id-' || n, 1, '${isoTime(nowMs)}'::timestamptz
      - interval '27 days' - n * interval '1 day', 1 from generate_series(1, 8) n`)
    await database.ask(`insert into cart_line (user_id, sku, quantity, product_id, name, unit_price, currency)
      select user_id, 'A-1', 1, 'p', 'A', 1, 'EUR' from cart`)
    const pool = database.open()
    const session = pool.session(testCall())
    const prune = (limit: number): Promise<number> => pruneCarts(session, nowMs, limit)
    await session.transaction(async (tx) => {
      await tx.execute(sql`select 1 from cart where user_id = 'user-8' for update`)
      assert.equal(await prune(2), 2)
    })
    const left = `select string_agg(right(user_id, 1), '' order by user_id) as left from cart_line`
    assert.deepEqual(await database.ask(left), [{ left: '123458' }])
    assert.deepEqual([await prune(100), await prune(100)], [4, 0])
    assert.deepEqual(await database.ask(left), [{ left: '12' }])
  })
})

describe('the cart tables', () => {
  it('are what schema.sql says', async (t) => {
    const { url, open } = await openTestDatabase(t)
    await migrate(url, [{ name: 'cart', folder: `${folder}/cart/migrations` }])
    const text = await dumpSchema(open().session(testCall()), ['public'])
    const file = `${folder}/cart/schema.sql`
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})
