/** Taking orders back, as a whole or in part: what somebody would try who wants more back than was paid. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Order, orders } from './contracts/orders.ts'
import { shipping } from './contracts/shipping.ts'
import { address, type Buyer, openShop, type Shop } from './opened-shop.test.ts'

const SKU = 'AUD-0001'

const isPaid = ({ paymentStatus }: Order): boolean => paymentStatus === 'captured'
const isRefunded = ({ paymentStatus }: Order): boolean => paymentStatus === 'refunded'
const isSettled = ({ refunds }: Order): boolean => refunds.every(({ status }) => status !== 'processing')

describe('taking orders back', () => {
  let shop: Shop
  let cleanUp = async (): Promise<void> => {}
  before(async () => {
    shop = await openShop({ after: (close) => (cleanUp = close) })
  })
  after(() => cleanUp())

  async function paid(ann: Buyer, quantity = 1): Promise<Order> {
    const id = await ann.order(SKU, quantity)
    const order = await ann.becomes(id, isPaid)
    await until('the cart is empty', async () => (await ann.cart.get()).lines.length === 0)
    return order
  }

  const refund = (
    id: string,
    what: { amount?: number; lines?: { sku: string; quantity: number }[] } = {},
    key: string = randomUUID(),
    admin = 'admin',
  ) => shop.asAdmin(orders, admin).refund({ id, reason: 'a test', ...what }, { idempotencyKey: key })

  it('cancels an order whatever it has come to, and nothing of it is left', async () => {
    const stock = await shop.admin.stock({ sku: SKU })
    // From the moment it is placed to the moment its checkout has ended.
    for (let version = 1; version <= 5; version++) {
      const ann = await shop.buyer()
      const id = await ann.order(SKU, 1)
      for await (const seen of ann.orders.stream({ id })) if (seen.version >= version) break
      const [first, second] = await Promise.all([ann.orders.cancel({ id }), ann.orders.cancel({ id })])
      assert.ok([first, second].every((one) => one.isCancelling || one.status === 'cancelled'))
      const order = await ann.becomes(
        id,
        ({ status, paymentStatus }) =>
          status === 'cancelled' && ['voided', 'refunded'].includes(paymentStatus),
      )
      assert.equal(order.fulfilmentStatus, 'stopped')
      assert.equal(order.isCancelling, false)
      const { items } = await ann.orders.history({ id })
      assert.deepEqual(
        items.map((one) => one.version),
        items.map((_, index) => index + 1),
      )
      assert.equal(items.filter(({ type }) => type === 'cancelWished').length, 1)
    }
    await until('the stock is back', async () => {
      const { onHand, reserved } = await shop.admin.stock({ sku: SKU })
      return onHand === stock.onHand && reserved === stock.reserved
    })
  })

  it('lets either the parcel leave or the order be cancelled', async () => {
    const ann = await shop.buyer()
    const ends = new Set<string>()
    for (let round = 0; round < 4; round++) {
      const { id } = await paid(ann)
      const own = shop.app.call(shipping, {
        user: { id: ann.id, roles: ['customer'], scopes: [], tier: 'free' },
      })
      let parcel = ''
      await until('there is a shipment', async () => {
        parcel = (await own.shipments({ orderId: id })).items[0]?.id ?? ''
        return parcel !== ''
      })
      const ship = () => shop.asAdmin(shipping).ship({ id: parcel })
      const cancel = () => ann.orders.cancel({ id })
      await Promise.allSettled(round % 2 === 0 ? [cancel(), ship()] : [ship(), cancel()])
      const order = await ann.becomes(
        id,
        ({ status, isCancelling, paymentStatus }) =>
          !isCancelling && (status === 'shipped' || (status === 'cancelled' && paymentStatus === 'refunded')),
      )
      const [shipment] = (await own.shipments({ orderId: id })).items
      assert.equal(shipment?.status, order.status === 'shipped' ? 'shipped' : 'stopped')
      assert.equal(order.paymentStatus, order.status === 'shipped' ? 'captured' : 'refunded')
      ends.add(order.status)
    }
    assert.ok(ends.size >= 1)
  })

  it('answers every wish to cancel, also one after another was refused', async () => {
    const ann = await shop.buyer()
    const { id } = await paid(ann)
    await until('there is a shipment', async () => {
      const rows = await shop.ask('shipping', 'select from fulfilment where order_id = $1', [id])
      return rows.length === 1
    })
    // The parcel has left, and the orders have not heard of it yet.
    await shop.ask('shipping', `update fulfilment set fate = 'shipped' where order_id = $1`, [id])
    for (let time = 0; time < 2; time++) {
      await ann.orders.cancel({ id })
      const order = await ann.becomes(id, ({ isCancelling }) => !isCancelling)
      assert.equal(order.status, 'confirmed')
    }
    await refund(id)
    await ann.becomes(id, isRefunded)
  })

  it('gives no money back beside that of a cancellation', async () => {
    const ann = await shop.buyer()
    const { id, totals } = await paid(ann)
    // Keeps the cancellation from getting as far as the money.
    await shop.whileHeld('inventory', 'reservation', async () => {
      await ann.orders.cancel({ id })
      await ann.becomes(id, ({ status }) => status === 'cancelled')
      await assert.rejects(refund(id, { amount: 100 }), { reason: 'not_paid' })
    })
    const { refunds } = await ann.becomes(id, isRefunded)
    assert.deepEqual(
      refunds.map(({ amount }) => amount),
      [totals.total],
    )
  })

  it('follows a cancelled order until its money is back', async () => {
    const ann = await shop.buyer()
    const { id } = await paid(ann)
    let last: Order | undefined
    const following = (async () => {
      for await (const order of ann.orders.stream({ id })) last = order
    })()
    await ann.orders.cancel({ id })
    await following
    assert.deepEqual([last?.status, last?.paymentStatus], ['cancelled', 'refunded'])
  })

  it('gives back what is left when a part was given back before', async () => {
    const ann = await shop.buyer()
    const { id, totals } = await paid(ann)
    await refund(id, { amount: 1 })
    // While it is on its way: the cancellation waits for it.
    await ann.orders.cancel({ id })
    const { refunds } = await ann.becomes(id, isRefunded)
    assert.deepEqual(
      refunds.map(({ amount }) => amount.amount),
      [1, totals.total.amount - 1],
    )
  })

  it('gives each unit back once, and together never more than was paid for the line', async () => {
    const ann = await shop.buyer()
    await shop.sell('ODD-0001', 335)
    await ann.cart.setItem({ sku: 'ODD-0001', quantity: 3 })
    const { id } = await ann.orders.place(
      { shippingAddress: address, paymentToken: 'tok_ok', couponCode: 'SAVE10' },
      { idempotencyKey: randomUUID() },
    )
    const { lines } = await ann.becomes(id, isPaid)
    const [line] = lines
    assert.ok(line !== undefined)
    const one = { lines: [{ sku: 'ODD-0001', quantity: 1 }] }
    let sum = 0
    for (let unit = 0; unit < 3; unit++) sum += (await refund(id, one)).amount.amount
    assert.equal(sum, line.lineTotal.amount - line.discount.amount)
    await assert.rejects(refund(id, one), { reason: 'no_such_line' })
    await ann.becomes(id, isSettled)
    // What was paid for sending it is left.
    const { amount } = await refund(id)
    assert.equal(amount.amount, 490)
    await ann.becomes(id, isRefunded)
    await assert.rejects(refund(id), { reason: 'not_paid' })
  })

  it('gives nothing back for what cost nothing', async () => {
    const ann = await shop.buyer()
    await shop.sell('GIFT-0001', 0)
    await ann.cart.setItem({ sku: 'GIFT-0001', quantity: 1 })
    const { id } = await ann.becomes(await ann.order(SKU, 1), isPaid)
    await assert.rejects(refund(id, { lines: [{ sku: 'GIFT-0001', quantity: 1 }] }), { reason: 'not_paid' })
  })

  it('takes the refunds of two administrators for two, and a repeat for one, however late', async () => {
    const ann = await shop.buyer()
    const { id } = await paid(ann)
    const first = await refund(id, { amount: 100 }, 'one', 'bob')
    const second = await refund(id, { amount: 100 }, 'one', 'eve')
    assert.notEqual(first.id, second.id)
    await ann.becomes(id, isSettled)
    // Answers are remembered for a day.
    await shop.ask('orders', 'delete from flotilla.idempotency')
    const again = await refund(id, { amount: 100 }, 'one', 'bob')
    assert.equal(again.id, first.id)
    const { refunds } = await ann.becomes(id, isSettled)
    assert.deepEqual(
      refunds.map((one) => [one.id, one.status]),
      [first, second].map((one) => [one.id, 'done']),
    )
  })
})
