import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { migrate } from '@flotilla/core/migrate'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase } from '@flotilla/core/test-database'
import fc from 'fast-check'
import type { Stock } from '../contracts/inventory.ts'
import { products } from '../seed/products.ts'
import { admin, assertBalanced, assertTold, folder, openInventory } from './opened-inventory.test.ts'

const SKU = 'TST-0001'

const booked = `select version, (total - on_hand_delta)::int as "from", total::int as "to", actor as who from (
    select *, sum(on_hand_delta) over (order by version) as total from movement where sku = $1 and kind = 'count') counts
  order by version`

describe('inventory.setStock', () => {
  it('creates, adjusts and books who counted what', async (t) => {
    const { calls, database } = await openInventory(t)
    const first = await calls.setStock({ sku: SKU, onHand: 3 })
    assert.deepEqual(first, { sku: SKU, onHand: 3, reserved: 0, available: 3, version: 1 })
    const second = await calls.setStock({ sku: SKU, onHand: 0, version: 1 })
    assert.deepEqual(second, { sku: SKU, onHand: 0, reserved: 0, available: 0, version: 2 })
    assert.deepEqual(await calls.stock({ sku: SKU }), second)
    assert.deepEqual(await database.ask(booked, [SKU]), [
      { version: 1, from: 0, to: 3, who: admin.id },
      { version: 2, from: 3, to: 0, who: admin.id },
    ])
  })

  it('counts nothing as a first count too', async (t) => {
    const { calls } = await openInventory(t)
    assert.equal((await calls.setStock({ sku: SKU, onHand: 0 })).version, 1)
  })

  it('is quiet about a count that finds what is booked', async (t) => {
    const { calls, database } = await openInventory(t)
    const first = await calls.setStock({ sku: SKU, onHand: 3 })
    assert.deepEqual(await calls.setStock({ sku: SKU, onHand: 3 }), first)
    const second = await calls.setStock({ sku: SKU, onHand: 4, version: 1 })
    assert.deepEqual(await calls.setStock({ sku: SKU, onHand: 4, version: 1 }), second, 'a repeat')
    assert.equal((await database.ask(booked, [SKU])).length, 2)
  })

  it('refuses a version that is not the current one', async (t) => {
    const { calls } = await openInventory(t)
    const stale = { code: 'failed_precondition', status: 412, reason: 'stale_version' }
    await assert.rejects(calls.setStock({ sku: SKU, onHand: 3, version: 1 }), stale, 'not there yet')
    await assert.rejects(calls.stock({ sku: SKU }), { reason: 'no_stock' })
    for (const onHand of [3, 4, 5]) await calls.setStock({ sku: SKU, onHand })
    await assert.rejects(calls.setStock({ sku: SKU, onHand: 6, version: 2 }), stale)
    await assert.rejects(calls.setStock({ sku: SKU, onHand: 5, version: 1 }), stale, 'no repeat of the last')
    await assert.rejects(calls.setStock({ sku: SKU, onHand: 5, version: 4 }), stale)
  })

  it('refuses a count below what is reserved', async (t) => {
    const { calls, database } = await openInventory(t)
    await calls.setStock({ sku: SKU, onHand: 5 })
    await database.ask('update stock set reserved = 3, safety = 1')
    await assert.rejects(calls.setStock({ sku: SKU, onHand: 2 }), {
      code: 'failed_precondition',
      status: 409,
      reason: 'below_reserved',
    })
    const stock = await calls.setStock({ sku: SKU, onHand: 3 })
    assert.deepEqual(stock, { sku: SKU, onHand: 3, reserved: 3, available: 0, version: 2 })
  })

  it('lets one of those win who count the same version, and books every count', async (t) => {
    const { calls, database } = await openInventory(t)
    await Promise.all([1, 2, 3, 4, 5, 6].map((onHand) => calls.setStock({ sku: SKU, onHand })))
    const { version } = await calls.stock({ sku: SKU })
    assert.equal(version, 6)
    const rivals = [11, 12, 13, 14].map((onHand) => calls.setStock({ sku: SKU, onHand, version }))
    const outcomes = await Promise.allSettled(rivals)
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
    const rows = await database.ask<{ from: number; to: number }>(booked, [SKU])
    assert.equal(rows.length, 7)
    const breaks = rows.slice(1).filter(({ from }, index) => from !== rows[index]?.to)
    assert.deepEqual(breaks, [], 'each begins where the one before ended')
    assert.equal(rows.at(-1)?.to, (await calls.stock({ sku: SKU })).onHand)
  })

  it('is for admins, as availability is for services', async (t) => {
    const { foreign } = await openInventory(t)
    await assert.rejects(foreign.setStock({ sku: SKU, onHand: 3 }), { code: 'permission_denied' })
    await assert.rejects(foreign.availability({ skus: [SKU] }), { code: 'permission_denied' })
  })

  it('behaves like a number with a version', async (t) => {
    const { calls } = await openInventory(t)
    const count = fc.record({
      onHand: fc.integer({ min: 0, max: 4 }),
      version: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(count, { maxLength: 12 }), async (counts) => {
        const sku = `LAW-${runs++}`
        let model: Pick<Stock, 'onHand' | 'version'> | undefined
        for (const { onHand, version } of counts) {
          const isRepeat = model?.onHand === onHand && version === model.version - 1
          const isStale = version !== undefined && version !== model?.version && !isRepeat
          const asked = calls.setStock({ sku, onHand, ...(version === undefined ? {} : { version }) })
          if (isStale) {
            await assert.rejects(asked, { reason: 'stale_version' })
            continue
          }
          if (model?.onHand !== onHand) model = { onHand, version: (model?.version ?? 0) + 1 }
          assert.deepEqual(await asked, { sku, reserved: 0, available: onHand, ...model })
        }
      }),
      { numRuns: 20 },
    )
  })
})

describe('inventory.stock', () => {
  it('knows nothing of a SKU that was never counted', async (t) => {
    const { foreign } = await openInventory(t)
    await assert.rejects(foreign.stock({ sku: SKU }), { code: 'not_found', reason: 'no_stock' })
  })
})

describe('inventory.availability', () => {
  it('tells of all known ones once, never less than none', async (t) => {
    const { calls, fromCatalog, database } = await openInventory(t)
    await calls.setStock({ sku: 'B-1', onHand: 9 })
    await calls.setStock({ sku: 'A-1', onHand: 3 })
    await database.ask(`update stock set reserved = 2, safety = 4`)
    const { items } = await fromCatalog.availability({ skus: ['B-1', 'NONE-1', 'A-1', 'B-1'] })
    assert.deepEqual(items, [
      { sku: 'A-1', available: 0 },
      { sku: 'B-1', available: 3 },
    ])
    assert.deepEqual(await fromCatalog.availability({ skus: [] }), { items: [] })
  })
})

describe('the stock table', () => {
  it('cannot be oversold, by whatever statement', async (t) => {
    const { calls, database } = await openInventory(t)
    await calls.setStock({ sku: SKU, onHand: 3 })
    for (const wrong of ['reserved = 4', 'reserved = -1', 'on_hand = -1', 'safety = -1', 'version = 0']) {
      await assert.rejects(database.ask(`update stock set ${wrong}`), { code: '23514' }, wrong)
    }
    await database.ask('update stock set reserved = 3')
    await assert.rejects(database.ask('update stock set on_hand = 2'), { constraint: 'not_oversold' })
  })

  it('takes over the counts that were booked as adjustments', async (t) => {
    const database = await openTestDatabase(t)
    const migrations = (name: string): Promise<string> =>
      readFile(`${folder}/inventory/migrations/${name}`, 'utf8')
    await database.ask(await migrations('0001-stock.sql'))
    await database.ask(`insert into stock (sku, on_hand, version) values ('A-1', 5, 2), ('B-1', 1, 1)`)
    await database.ask(`insert into adjustment values ('A-1', 1, 0, 7, 'seed', '2026-01-01Z'),
      ('A-1', 2, 7, 5, 'ann', '2026-01-02Z'), ('B-1', 1, 0, 1, 'seed', '2026-01-01Z')`)
    await database.ask(await migrations('0002-reservations.sql'))
    await assertBalanced(database)
    const [last] = await database.ask(`select actor, at::date::text from movement where version = 2`)
    assert.deepEqual(last, { actor: 'ann', at: '2026-01-02' })
  })

  it('has movements that nobody changes', async (t) => {
    const { calls, database } = await openInventory(t)
    await calls.setStock({ sku: SKU, onHand: 3 })
    for (const change of [
      'update movement set actor = $$me$$',
      'delete from movement',
      'truncate movement',
    ]) {
      await assert.rejects(database.ask(change), /only ever added/)
    }
  })

  it('is what schema.sql says', async (t) => {
    const { url, open: openDatabase } = await openTestDatabase(t)
    await migrate(url, [{ name: 'inventory', folder: `${folder}/inventory/migrations` }])
    const text = await dumpSchema(openDatabase().session(testCall()), ['public'])
    const file = `${folder}/inventory/schema.sql`
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})

describe('the first stock', () => {
  it('is that of every product, booked, and is put in once', async (t) => {
    const { calls, database } = await openInventory(t, {}, true)
    const total = products.reduce((sum, { stock }) => sum + stock, 0)
    const sums = `select count(*)::int as skus, sum(on_hand)::int as total,
      (select sum(on_hand_delta)::int from movement) as booked from stock`
    assert.deepEqual(await database.ask(sums), [{ skus: 240, total, booked: total }])
    const [product] = products
    const sku = product?.sku ?? ''
    assert.equal((await calls.stock({ sku })).onHand, product?.stock)
    await assertBalanced(database)
    await assertTold(database)
  })
})
