import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import { defineContract } from '@flotilla/core/contract'
import { isFlotillaError } from '@flotilla/core/error'
import { migrate } from '@flotilla/core/migrate'
import type { InputOf } from '@flotilla/core/operation'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { defineService } from '@flotilla/core/service'
import { openTestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import { openTestDatabase, type TestDatabase } from '@flotilla/core/test-database'
import fc from 'fast-check'
import { coupons } from '../contracts/coupons.ts'
import { couponsService } from './service.ts'

const folder = join(import.meta.dirname, '..', '..')
/** Stands in for one who asks. */
const caller = (name: string) =>
  defineService({
    contract: defineContract({ name, version: 1, summary: '', operations: {} }),
    open: () => ({}),
  })
const app = defineApp({
  name: 'shop',
  folder,
  services: {
    coupons: async () => couponsService,
    cart: async () => caller('cart'),
    orders: async () => caller('orders'),
  },
})
const admin = { id: 'the-admin', roles: ['admin'], scopes: [], tier: 'free' }
/** Calls may be made so long after opening: the time for a test, not for a call. */
const TEST_MS = 120_000

interface Opened {
  readonly database: TestDatabase
  readonly fromAdmin: Calls<typeof coupons>
  readonly fromCart: Calls<typeof coupons>
  readonly fromOrders: Calls<typeof coupons>
  /** Takes a coupon; the reason when it is refused. */
  attempt(orderId: string, code: string, userId?: string): Promise<string>
}

async function open(t: TestContext, isSeeded = false): Promise<Opened> {
  const { call, databases } = await openTestApp(t, { app, placement: 'one process', isSeeded })
  const fromOrders = call(coupons, { service: 'orders', timeoutMs: TEST_MS })
  return {
    database: databases.get('coupons') as TestDatabase,
    fromAdmin: call(coupons, { user: admin, timeoutMs: TEST_MS }),
    fromCart: call(coupons, { service: 'cart', timeoutMs: TEST_MS }),
    fromOrders,
    async attempt(orderId, code, userId = 'ann') {
      try {
        await fromOrders.take({ orderId, code, userId, subtotal: eur(1_000) })
        return 'taken'
      } catch (error) {
        if (isFlotillaError(error) && error.reason !== undefined) return error.reason
        throw error
      }
    },
  }
}

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const TEN: InputOf<(typeof coupons)['operations']['createCoupon']> = {
  code: 'Ten-Off',
  benefit: { kind: 'percent', percent: 10 },
}

/** Fails unless counters and rows of uses tell the same. */
async function assertCounted({ ask }: TestDatabase): Promise<void> {
  const wrong = await ask(`
    select code, uses, limit_total from coupon
    where uses <> (select count(*) from coupon_use where coupon_use.code = coupon.code and state = 'active')
      or uses > limit_total
      or exists (select from coupon_use where coupon_use.code = coupon.code and state = 'active'
        group by user_id having count(*) > limit_per_customer)`)
  assert.deepEqual(wrong, [])
}

describe('coupons.quote', () => {
  it('takes off a share, rounded once, half up, whatever the case of the code', async (t) => {
    const { fromAdmin, fromOrders } = await open(t)
    await fromAdmin.createCoupon(TEN)
    const answer = await fromOrders.quote({ code: 'tEN-oFF', userId: 'ann', subtotal: eur(1_005) })
    assert.deepEqual(answer, { code: 'TEN-OFF', discount: eur(101), freeShipping: false })
    const none = await fromOrders.quote({ code: 'TEN-OFF', userId: 'ann', subtotal: eur(4) })
    assert.equal(none.discount.amount, 0)
  })

  it('takes off a sum, never more than the subtotal, of orders that are large enough', async (t) => {
    const { fromAdmin, fromOrders } = await open(t)
    const fixed = { kind: 'fixed', amount: 500 } as const
    await fromAdmin.createCoupon({ code: 'FIVE', benefit: fixed, currency: 'EUR', minimum: 300 })
    const quote = (subtotal: ReturnType<typeof eur>) =>
      fromOrders.quote({ code: 'FIVE', userId: 'ann', subtotal })
    assert.equal((await quote(eur(700))).discount.amount, 500)
    assert.equal((await quote(eur(300))).discount.amount, 300)
    await assert.rejects(quote(eur(299)), { status: 409, reason: 'coupon_minimum' })
    await assert.rejects(quote({ amount: 900, currency: 'JPY' }), { status: 409, reason: 'coupon_currency' })
  })

  it('knows the coupons of the seed, and takes nothing from their limits', async (t) => {
    const { fromOrders, fromCart, database } = await open(t, true)
    const quote = (code: string) => fromOrders.quote({ code, userId: 'ann', subtotal: eur(3_000) })
    assert.equal((await quote('save10')).discount.amount, 300)
    assert.equal((await quote('welcome5')).discount.amount, 500)
    const shipping = await quote('FreeShip')
    assert.deepEqual([shipping.discount.amount, shipping.freeShipping], [0, true])
    assert.equal((await quote('ONLYONE')).discount.amount, 1_500)
    await assert.rejects(quote('SPRING20'), { status: 409, reason: 'coupon_expired' })
    await assert.rejects(quote('NONE'), { status: 404, reason: 'coupon_unknown' })
    assert.deepEqual(await fromCart.terms({ code: 'welcome5', userId: 'ann' }), {
      code: 'WELCOME5',
      benefit: { kind: 'fixed', amount: 500 },
      minimum: 2_500,
      currency: 'EUR',
    })
    assert.deepEqual(await database.ask('select * from coupon_use'), [])
  })

  it('says from 0 to the subtotal, for whatever coupon', async (t) => {
    const { fromAdmin, fromOrders } = await open(t)
    const benefit = fc.oneof(
      fc.record({ kind: fc.constant('percent' as const), percent: fc.integer({ min: 1, max: 100 }) }),
      fc.record({ kind: fc.constant('fixed' as const), amount: fc.integer({ min: 1, max: 100_000 }) }),
      fc.record({ kind: fc.constant('free_shipping' as const) }),
    )
    let runs = 0
    await fc.assert(
      fc.asyncProperty(benefit, fc.nat(1_000_000), async (one, amount) => {
        const code = `LAW-${runs++}`
        await fromAdmin.createCoupon({ code, benefit: one, currency: 'EUR' })
        const { discount } = await fromOrders.quote({ code, userId: 'ann', subtotal: eur(amount) })
        assert.ok(Number.isSafeInteger(discount.amount) && discount.amount >= 0 && discount.amount <= amount)
      }),
      { numRuns: 50 },
    )
  })
})

describe('coupons.take', () => {
  it('takes once per order, however often it is asked, also at once', async (t) => {
    const { fromAdmin, fromOrders, attempt, database } = await open(t)
    await fromAdmin.createCoupon({ ...TEN, limitTotal: 2 })
    const input = { orderId: 'o1', code: 'ten-off', userId: 'ann', subtotal: eur(1_000) }
    const answers = await Promise.all(Array.from({ length: 8 }, () => fromOrders.take(input)))
    for (const answer of answers) {
      assert.deepEqual(answer, { code: 'TEN-OFF', discount: eur(100), freeShipping: false })
    }
    assert.deepEqual(await database.ask('select uses from coupon'), [{ uses: 1 }])
    assert.equal(await attempt('o2', 'TEN-OFF'), 'taken')
    assert.equal(await attempt('o3', 'TEN-OFF'), 'coupon_exhausted')
    await fromAdmin.endCoupon({ code: 'TEN-OFF' })
    assert.deepEqual(await fromOrders.take(input), answers[0], 'what is taken is taken')
    assert.equal(await attempt('o4', 'TEN-OFF'), 'coupon_expired')
    assert.equal(await attempt('o1', 'TEN-OFF', 'ben'), 'coupon_differs')
    await assertCounted(database)
  })

  it('keeps to the total, whoever comes at the same time', async (t) => {
    const { fromAdmin, attempt, database } = await open(t)
    await fromAdmin.createCoupon({ ...TEN, limitTotal: 7 })
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) => attempt(`o${index}`, 'TEN-OFF', `user-${index}`)),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'taken').length, 7)
    assert.equal(outcomes.filter((outcome) => outcome === 'coupon_exhausted').length, 33)
    await assertCounted(database)
  })

  it('keeps to what each customer may, whatever they do at the same time', async (t) => {
    const { fromAdmin, attempt, database } = await open(t)
    await fromAdmin.createCoupon({ ...TEN, limitPerCustomer: 2 })
    const users = ['ann', 'ben', 'cid']
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) => attempt(`o${index}`, 'TEN-OFF', users[index % 3])),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'taken').length, 6)
    assert.equal(outcomes.filter((outcome) => outcome === 'coupon_used').length, 24)
    await assertCounted(database)
  })

  it('knows validity by the clock of the database', async (t) => {
    const { fromAdmin, attempt, database } = await open(t)
    await fromAdmin.createCoupon({ ...TEN, validFrom: '2999-01-01T00:00:00Z' })
    assert.equal(await attempt('o1', 'TEN-OFF'), 'coupon_expired')
    await database.ask(`update coupon set valid_from = now() - interval '1 hour'`)
    assert.equal(await attempt('o1', 'TEN-OFF'), 'taken')
    await database.ask('update coupon set valid_until = now()')
    assert.equal(await attempt('o2', 'TEN-OFF'), 'coupon_expired')
    assert.equal(await attempt('o3', 'NONE'), 'coupon_unknown')
  })
})

describe('coupons.release', () => {
  it('gives a use back to others, once', async (t) => {
    const { fromAdmin, fromOrders, attempt, database } = await open(t)
    await fromAdmin.createCoupon({ ...TEN, limitTotal: 1, limitPerCustomer: 1 })
    assert.equal(await attempt('o1', 'TEN-OFF'), 'taken')
    assert.equal(await attempt('o2', 'TEN-OFF', 'ben'), 'coupon_exhausted')
    await Promise.all([1, 2, 3].map(() => fromOrders.release({ orderId: 'o1' })))
    assert.equal(await attempt('o1', 'TEN-OFF'), 'coupon_released')
    assert.equal(await attempt('o2', 'TEN-OFF', 'ben'), 'taken')
    assert.equal(await attempt('o3', 'TEN-OFF', 'ben'), 'coupon_used')
    await assertCounted(database)
  })

  it('counts back once, however many give the same uses back at once', async (t) => {
    const { fromAdmin, fromOrders, attempt, database } = await open(t)
    await fromAdmin.createCoupon(TEN)
    const orders = Array.from({ length: 10 }, (_, index) => `o${index}`)
    await Promise.all(orders.map((orderId) => attempt(orderId, 'TEN-OFF')))
    const given = orders.slice(0, 5).flatMap((orderId) => [orderId, orderId, orderId, orderId])
    await Promise.all(given.map((orderId) => fromOrders.release({ orderId })))
    assert.deepEqual(await database.ask('select uses from coupon'), [{ uses: 5 }])
    await assertCounted(database)
  })

  it('refuses a use that arrives after it', async (t) => {
    const { fromAdmin, fromOrders, attempt, database } = await open(t)
    await fromAdmin.createCoupon(TEN)
    await fromOrders.release({ orderId: 'o1' })
    await fromOrders.release({ orderId: 'o1' })
    assert.equal(await attempt('o1', 'TEN-OFF'), 'coupon_released')
    await assertCounted(database)
  })

  it('leaves counters right, whatever is taken and given back at once', async (t) => {
    const { fromAdmin, fromOrders, attempt, database } = await open(t)
    for (const code of ['C-1', 'C-2']) {
      await fromAdmin.createCoupon({ ...TEN, code, limitTotal: 3, limitPerCustomer: 2 })
    }
    const step = fc.record({
      order: fc.constantFrom('o1', 'o2', 'o3', 'o4', 'o5', 'o6'),
      code: fc.constantFrom('C-1', 'C-2'),
      userId: fc.constantFrom('ann', 'ben'),
      isRelease: fc.boolean(),
    })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const run = runs++
        const conflicts = (error: unknown): string => {
          // Two coupons for one order at once: one of them is to try again.
          if (isFlotillaError(error) && error.code === 'aborted') return 'aborted'
          throw error
        }
        await Promise.all(
          steps.map(({ order, code, userId, isRelease }) =>
            isRelease
              ? fromOrders.release({ orderId: `${order}-${run}` })
              : attempt(`${order}-${run}`, code, userId).catch(conflicts),
          ),
        )
        await assertCounted(database)
        for (const { order } of steps) await fromOrders.release({ orderId: `${order}-${run}` })
        assert.deepEqual(await database.ask('select sum(uses)::int as uses from coupon'), [{ uses: 0 }])
      }),
      { numRuns: 25 },
    )
  })
})

describe('coupons for admins', () => {
  it('are made, listed page by page and ended', async (t) => {
    const { fromAdmin } = await open(t)
    const made = await fromAdmin.createCoupon({
      ...TEN,
      minimum: 200,
      currency: 'EUR',
      limitTotal: 5,
      validUntil: '2999-01-01T00:00:00Z',
    })
    const { validFrom, ...rest } = made
    assert.deepEqual(rest, {
      code: 'TEN-OFF',
      benefit: { kind: 'percent', percent: 10 },
      minimum: 200,
      currency: 'EUR',
      limitTotal: 5,
      limitPerCustomer: null,
      validUntil: '2999-01-01T00:00:00.000Z',
      uses: 0,
    })
    assert.ok(Number.isFinite(Date.parse(validFrom)))
    await assert.rejects(fromAdmin.createCoupon({ ...TEN, code: 'TEN-off' }), { reason: 'code_taken' })
    for (const code of ['A-1', 'B-1', 'Z-1']) await fromAdmin.createCoupon({ ...TEN, code })
    const first = await fromAdmin.coupons({ limit: 3 })
    const second = await fromAdmin.coupons({ limit: 3, cursor: first.nextCursor ?? '' })
    const codes = [...first.items, ...second.items].map(({ code }) => code)
    assert.deepEqual([codes, second.nextCursor], [['A-1', 'B-1', 'TEN-OFF', 'Z-1'], null])
    assert.deepEqual(first.items[2], made)
    await assert.rejects(fromAdmin.coupons({ cursor: 'nonsense' }), { reason: 'bad_cursor' })
    await fromAdmin.endCoupon({ code: 'ten-off' })
    await fromAdmin.endCoupon({ code: 'ten-off' })
    const ended = (await fromAdmin.coupons({})).items[2]
    assert.ok(Date.parse(ended?.validUntil ?? '') < Date.parse('2999-01-01'))
    await assert.rejects(fromAdmin.endCoupon({ code: 'NONE' }), { reason: 'coupon_unknown' })
  })

  it('are refused when they make no sense', async (t) => {
    const { fromAdmin, fromOrders } = await open(t)
    const fixed = { kind: 'fixed', amount: 1 } as const
    await assert.rejects(fromAdmin.createCoupon({ code: 'NO', benefit: fixed }), { reason: 'no_currency' })
    await assert.rejects(fromAdmin.createCoupon({ ...TEN, minimum: 1 }), { reason: 'no_currency' })
    const past = { ...TEN, validUntil: '2020-01-01T00:00:00Z' }
    await assert.rejects(fromAdmin.createCoupon(past), { reason: 'no_time' })
    await assert.rejects(fromAdmin.createCoupon({ ...TEN, code: 'ÄÖ' }), { code: 'invalid_argument' })
    await assert.rejects(fromOrders.createCoupon(TEN), { code: 'unauthenticated' })
    await assert.rejects(fromAdmin.take({ orderId: 'o', code: 'NO', userId: 'u', subtotal: eur(1) }), {
      code: 'permission_denied',
    })
  })
})

describe('the coupon tables', () => {
  it('are what schema.sql says', async (t) => {
    const { url, open: openDatabase } = await openTestDatabase(t)
    await migrate(url, [{ name: 'coupons', folder: `${folder}/coupons/migrations` }])
    const text = await dumpSchema(openDatabase().session(testCall()), ['public'])
    const file = `${folder}/coupons/schema.sql`
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(file, text)
    assert.equal(await readFile(file, 'utf8'), text)
  })
})
