/** Placing orders: what somebody would try who wants to pay less, order twice or see the shop fall over. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { until } from '@flotilla/core/until'
import { gateway } from './contracts/gateway.ts'
import { notifications } from './contracts/notifications.ts'
import { orders } from './contracts/orders.ts'
import { shipping } from './contracts/shipping.ts'
import { address, openShop, type Shop } from './opened-shop.test.ts'

const SKU = 'AUD-0001'
const PAYING = { shippingAddress: address, paymentToken: 'tok_ok' }

describe('placing orders', () => {
  let shop: Shop
  let cleanUp = async (): Promise<void> => {}
  before(async () => {
    shop = await openShop({ after: (close) => (cleanUp = close) })
    await shop.sell('GIFT-0001', 0)
    await shop.sell('GOLD-0001', 100_000_000)
  })
  after(() => cleanUp())

  it('knows a key for ever, and takes it for nothing else', async () => {
    for (const sku of [SKU, 'GIFT-0001']) {
      const ann = await shop.buyer()
      await ann.cart.setItem({ sku, quantity: 1 })
      const key = { idempotencyKey: 'mine' }
      // Its place in line may be told the first time.
      const { queuePlace: _, ...first } = await ann.orders.place({ ...PAYING, couponCode: 'FREESHIP' }, key)
      await assert.rejects(ann.orders.place(PAYING, key), { status: 422 })
      await until('the cart is empty', async () => (await ann.cart.get()).lines.length === 0)
      // Answers are remembered for a day; the cart is empty, then has something else in it.
      await shop.ask('orders', 'delete from flotilla.idempotency')
      const again = await ann.orders.place({ ...PAYING, couponCode: 'FREESHIP' }, key)
      assert.deepEqual(again, first)
      await ann.cart.setItem({ sku: SKU, quantity: 2 })
      await shop.ask('orders', 'delete from flotilla.idempotency')
      assert.deepEqual(await ann.orders.place(PAYING, key), first)
      const { items } = await ann.orders.history({ id: first.id })
      assert.equal(items.filter(({ type }) => type === 'placed').length, 1)
      assert.equal((await ann.orders.list()).items.length, 1)
    }
  })

  it('carries out what costs nothing, without a payment', async () => {
    const ann = await shop.buyer()
    await ann.cart.setItem({ sku: 'GIFT-0001', quantity: 2 })
    const { id, total } = await ann.orders.place(
      { shippingAddress: address, couponCode: 'freeship' },
      { idempotencyKey: 'gift' },
    )
    assert.equal(total.amount, 0)
    await ann.becomes(id, ({ status }) => status === 'confirmed')
    await until('the cart is empty', async () => (await ann.cart.get()).lines.length === 0)
    const user = { id: ann.id, roles: ['customer'], scopes: [], tier: 'free' }
    await until('it is told of', async () => {
      const { items } = await shop.app.call(notifications, { user }).list()
      return items.some(({ template, text }) => template === 'confirmed' && text.includes('Total: 0.00 EUR'))
    })
    await assert.rejects(
      shop.asAdmin(orders).refund({ id, reason: 'a test' }, { idempotencyKey: randomUUID() }),
      { reason: 'not_paid' },
    )
    await ann.orders.cancel({ id })
    const order = await ann.becomes(id, ({ status }) => status === 'cancelled')
    assert.deepEqual([order.paymentStatus, order.refunds], ['none', []])
  })

  it('takes an order as large as a cart can be', async () => {
    const ann = await shop.buyer()
    const id = await ann.order('GOLD-0001', 99)
    const { totals } = await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'captured')
    assert.equal(totals.total.amount, 9_900_000_000)
  })

  it('sends free what is worth enough after the discount, as was quoted', async () => {
    const ann = await shop.buyer()
    await shop.sell('HALF-0001', 6_000)
    await ann.cart.setItem({ sku: 'HALF-0001', quantity: 1 })
    const { id } = await ann.orders.place({ ...PAYING, couponCode: 'SAVE10' }, { idempotencyKey: 'a' })
    const { totals } = await ann.orders.get({ id })
    assert.equal(totals.shipping.amount, 0)
    const eve = await shop.buyer()
    await shop.sell('HALF-0002', 5_400)
    await eve.cart.setItem({ sku: 'HALF-0002', quantity: 1 })
    const second = await eve.orders.place({ ...PAYING, couponCode: 'SAVE10' }, { idempotencyKey: 'a' })
    const { subtotal, discount, shipping: sending } = (await eve.orders.get({ id: second.id })).totals
    const user = { id: eve.id, roles: ['customer'], scopes: [], tier: 'free' }
    const { quotes } = await shop.app.call(shipping, { user }).quote({
      address,
      subtotal: { amount: subtotal.amount - discount.amount, currency: 'EUR' },
    })
    assert.deepEqual(sending, quotes[0]?.price)
    assert.equal(sending.amount, 490)
  })

  it('needs of an API key no more than the right to order', async () => {
    const ann = await shop.buyer()
    await ann.cart.setItem({ sku: SKU, quantity: 1 })
    const key = (scopes: string[]) =>
      shop.app.call(gateway, { user: { id: ann.id, roles: ['customer'], scopes, tier: 'free' } })
    const place = (scopes: string[]) =>
      key(scopes).placeOrder(PAYING, { idempotencyKey: `with ${scopes.join()}` })
    await assert.rejects(place(['cart:write']), { code: 'permission_denied' })
    assert.equal((await place(['gateway:write'])).status, 'pending')
  })

  it('refuses what is no moment and no cursor, and does not fall over', async () => {
    const ann = await shop.buyer()
    const id = await ann.order(SKU, 1)
    const moments = ['yesterday', '2026-02-30T00:00:00Z', '0000-01-01T00:00:00Z', '9999-12-31T23:59:60Z', '']
    for (const asOf of moments) {
      const told = await ann.orders.get({ id, asOf }).then(
        () => 'an order',
        (error: unknown) => (isFlotillaError(error) ? error.code : error),
      )
      assert.ok(['an order', 'invalid_argument', 'not_found'].includes(String(told)), `${asOf}: ${told}`)
    }
    for (const cursor of ['', 'x', 'bm8', Buffer.from('[1]').toString('base64url')]) {
      await assert.rejects(ann.orders.list({ cursor }), { code: 'invalid_argument' })
    }
    const eve = await shop.buyer()
    for (const call of ['get', 'history', 'cancel'] as const) {
      await assert.rejects(eve.orders[call]({ id }), { reason: 'no_order' })
    }
    await assert.rejects(eve.orders.stream({ id })[Symbol.asyncIterator]().next(), { reason: 'no_order' })
  })
})
