/** Orders that have to wait: for their turn, or for a payment whose outcome nobody knows. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { derivedId } from '@flotilla/core/ids'
import { until } from '@flotilla/core/until'
import { payments } from './contracts/payments.ts'
import { address, type Buyer, openShop, type Shop } from './opened-shop.test.ts'

const SKU = 'AUD-0001'
const AT_ONCE = 2

describe('orders that wait', () => {
  let shop: Shop
  let cleanUp = async (): Promise<void> => {}
  before(async () => {
    shop = await openShop({ after: (close) => (cleanUp = close) }, 'one process', {
      PROVIDER_PORT: String(await findFreePort()),
      PAYMENTS_PROVIDER_TIMEOUT_MS: '1500',
      ORDERS_CHECKOUTS_MAX: String(AT_ONCE),
      ORDERS_PAY_S: '3',
    })
  })
  after(() => cleanUp())

  it('beyond what can be worked on stand in line, are told their place, and come to their turn', async () => {
    const buyers: Buyer[] = []
    for (let number = 0; number < AT_ONCE + 4; number++) {
      const buyer = await shop.buyer()
      await buyer.cart.setItem({ sku: SKU, quantity: 1 })
      buyers.push(buyer)
    }
    const stock = await shop.admin.stock({ sku: SKU })
    const ids: string[] = []
    const told: (number | undefined)[] = []
    // Whoever is worked on stays there.
    await shop.whileHeld('inventory', 'reservation', async () => {
      for (const buyer of buyers) {
        const { id, queuePlace } = await buyer.orders.place(
          { shippingAddress: address, paymentToken: 'tok_ok' },
          { idempotencyKey: randomUUID() },
        )
        ids.push(id)
        told.push(queuePlace)
      }
      assert.ok(
        told.slice(AT_ONCE).every((place) => place !== undefined),
        `told: ${told}`,
      )
      await until('four stand in line', async () => {
        const orders = await Promise.all(buyers.map((one, index) => one.orders.get({ id: `${ids[index]}` })))
        const places = orders.flatMap(({ queuePlace }) => queuePlace ?? [])
        return places.toSorted().join() === '1,2,3,4'
      })
    })
    for (const [index, buyer] of buyers.entries()) {
      const order = await buyer.becomes(`${ids[index]}`, ({ status }) => status !== 'pending')
      assert.deepEqual([order.status, order.reason, order.queuePlace], ['confirmed', undefined, undefined])
    }
    const { onHand, reserved } = await shop.admin.stock({ sku: SKU })
    assert.deepEqual({ onHand, reserved }, { onHand: stock.onHand - buyers.length, reserved: 0 })
  })

  it('expire when nobody knows whether they were paid, and a payment that comes to light is let go', async () => {
    const ann = await shop.buyer()
    const stock = await shop.admin.stock({ sku: SKU })
    const id = await ann.order(SKU, 1, 'tok_unknown')
    const order = await ann.becomes(id, ({ status }) => status !== 'pending')
    assert.deepEqual([order.status, order.reason, order.paymentStatus], ['expired', 'expired', 'voided'])
    const payment = await shop.app
      .call(payments, { service: 'orders' })
      .status({ attemptId: derivedId('payment attempt', id) })
    assert.equal(payment.status, 'voided')
    assert.equal(payment.captured.amount, 0)
    assert.ok(payment.authorised.amount > 0, 'the provider had held it')
    await until('the stock is back', async () => {
      const { onHand, reserved } = await shop.admin.stock({ sku: SKU })
      return onHand === stock.onHand && reserved === 0
    })
    assert.equal((await ann.cart.get()).lines.length, 1)
    // It can be ordered again.
    await ann.becomes(await ann.order(SKU, 1), ({ status }) => status === 'confirmed')
  })
})
