import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { address, openShop, type Shop } from './opened-shop.test.ts'

const SKU = 'AUD-0001'

describe('checkout', () => {
  // One for all: a dozen databases take their time.
  let shop: Shop
  let cleanUp = async (): Promise<void> => {}
  before(async () => {
    shop = await openShop({ after: (close) => (cleanUp = close) })
  })
  after(() => cleanUp())

  it('confirms and captures what can be paid, takes it out of stock and cart, and mails once', async () => {
    const ann = await shop.buyer()
    const before = await shop.admin.stock({ sku: SKU })
    const id = await ann.order(SKU, 2)
    const order = await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'captured')
    assert.equal(order.status, 'confirmed')
    assert.equal(order.card?.last4.length, 4)
    const { onHand, reserved } = await shop.admin.stock({ sku: SKU })
    assert.deepEqual({ onHand, reserved }, { onHand: before.onHand - 2, reserved: 0 })
    await until('the cart is empty', async () => (await ann.cart.get()).lines.length === 0)
    const { items } = await ann.orders.history({ id })
    assert.deepEqual(items.map(({ type }) => type).slice(0, 4), [
      'placed',
      'authorised',
      'confirmed',
      'captured',
    ])
    assert.deepEqual(
      items.map(({ version }) => version),
      items.map((_, index) => index + 1),
    )
  })

  it('comes to nothing when the card is declined, and leaves nothing behind', async () => {
    const ann = await shop.buyer()
    const before = await shop.admin.stock({ sku: SKU })
    const id = await ann.order(SKU, 1, 'tok_declined')
    const order = await ann.becomes(id, ({ status }) => status !== 'pending')
    assert.deepEqual(
      { status: order.status, reason: order.reason, paymentStatus: order.paymentStatus },
      { status: 'rejected', reason: 'card_declined', paymentStatus: 'declined' },
    )
    const { onHand, reserved } = await shop.admin.stock({ sku: SKU })
    assert.deepEqual({ onHand, reserved }, { onHand: before.onHand, reserved: 0 })
    assert.equal((await ann.cart.get()).lines.length, 1, 'to be tried again with another card')
  })

  it('gives a repeat the same order, and one cart one order', async () => {
    const ann = await shop.buyer()
    await ann.cart.setItem({ sku: 'BOO-0001', quantity: 1 })
    const place = (key: string) =>
      ann.orders.place({ shippingAddress: address, paymentToken: 'tok_slow' }, { idempotencyKey: key })
    const first = await place('k1')
    assert.deepEqual(await place('k1'), first)
    await assert.rejects(place('k2'), { reason: 'already_ordered' })
    assert.equal((await ann.orders.list()).items.length, 1)
  })

  it('makes one order of a cart that is ordered several times at the same moment', async () => {
    const ann = await shop.buyer()
    await ann.cart.setItem({ sku: 'BOO-0001', quantity: 1 })
    const place = (key: string) =>
      ann.orders.place({ shippingAddress: address, paymentToken: 'tok_ok' }, { idempotencyKey: key })
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f'].map(place))
    const reasons = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason.reason] : []))
    assert.deepEqual(
      reasons,
      Array.from({ length: 5 }, () => 'already_ordered'),
    )
  })

  it('cancels a confirmed order: stock and money go back, once', async () => {
    const ann = await shop.buyer()
    const before = await shop.admin.stock({ sku: SKU })
    const id = await ann.order(SKU, 3)
    await ann.becomes(id, ({ status }) => status === 'confirmed')
    await ann.orders.cancel({ id })
    await ann.orders.cancel({ id })
    const order = await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'refunded')
    assert.equal(order.status, 'cancelled')
    const { onHand, reserved } = await shop.admin.stock({ sku: SKU })
    assert.deepEqual({ onHand, reserved }, { onHand: before.onHand, reserved: 0 })
    assert.deepEqual(
      order.refunds.map(({ amount, status }) => ({ amount, status })),
      [{ amount: order.totals.total, status: 'done' }],
    )
  })
})
