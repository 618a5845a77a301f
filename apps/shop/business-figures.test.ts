/** The figures of the business: each thing counts once, when it is committed, and money exactly. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { orders } from './contracts/orders.ts'
import { address, openShop, type Shop } from './opened-shop.test.ts'

const SKU = 'AUD-0001'

/** All of the process, without what is 0. */
function figuresOf(shop: Shop): Readonly<Record<string, number>> {
  const lines = shop.app.hostOf('orders').metrics.toPrometheus().split('\n')
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, labels, value] = /^shop_(\w+)_business_total\{([^}]*)\} (\d+)$/.exec(line) ?? []
      const which = [...(labels ?? '').matchAll(/"([^"]*)"/g)].map(([, text]) => text)
      return name === undefined ? [] : [[[name, ...which].join(' '), Number(value)]]
    }),
  )
}

describe('figures of the business', () => {
  let shop: Shop
  let cleanUp = async (): Promise<void> => {}
  before(async () => {
    shop = await openShop({ after: (close) => (cleanUp = close) })
  })
  after(() => cleanUp())

  it('count what was committed, once, whatever is asked again', async () => {
    assert.deepEqual(figuresOf(shop), {})
    const ann = await shop.buyer()
    const id = await ann.order(SKU, 1, 'tok_ok', 'mine')
    const { totals } = await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'captured')
    await until('the cart is empty', async () => (await ann.cart.get()).lines.length === 0)
    // As if nobody remembered: the order is there all the same.
    await shop.ask('orders', 'delete from flotilla.idempotency')
    assert.equal(await ann.order(SKU, 1, 'tok_ok', 'mine'), id)
    const { amount } = totals.total
    await until('it is counted', () => figuresOf(shop)['revenue EUR'] === amount)
    assert.deepEqual(figuresOf(shop), {
      // Emptied by the order, and begun again.
      'carts_begun carts': 2,
      'orders_placed orders': 1,
      'orders_confirmed orders': 1,
      'revenue EUR': amount,
    })
  })

  it('leave out what was not committed', async () => {
    const bob = await shop.buyer()
    await bob.cart.setItem({ sku: SKU, quantity: 1 })
    const place = (idempotencyKey: string) =>
      bob.orders.place({ shippingAddress: address, paymentToken: 'tok_ok' }, { idempotencyKey })
    const before = figuresOf(shop)['orders_placed orders'] ?? 0
    // All have looked for an order of this cart, and found none, when the first is committed.
    const placed = await shop.whileHeld('orders', 'flotilla.aggregate_event', async () => {
      const placing = Promise.allSettled(['a', 'b', 'c'].map(place))
      await until('they wait', async () => {
        const [waiting] = await shop.ask<{ count: number }>(
          'orders',
          'select count(*)::int as count from pg_locks where not granted and relation is not null',
        )
        return (waiting?.count ?? 0) >= 3
      })
      return { placing }
    })
    const won = (await placed.placing).flatMap((end) => (end.status === 'fulfilled' ? [end.value.id] : []))
    assert.equal(won.length, 1)
    assert.equal((figuresOf(shop)['orders_placed orders'] ?? 0) - before, 1)
    await bob.becomes(won[0] ?? '', ({ paymentStatus }) => paymentStatus === 'captured')
  })

  it('tell what comes to nothing by how, and money that goes back', async () => {
    const before = figuresOf(shop)
    const grown = (name: string): number => (figuresOf(shop)[name] ?? 0) - (before[name] ?? 0)
    const [ann, eve] = [await shop.buyer(), await shop.buyer()]
    const declined = await eve.order(SKU, 1, 'tok_declined')
    await eve.becomes(declined, ({ status }) => status === 'rejected')
    const id = await ann.order(SKU, 2)
    const { totals } = await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'captured')
    await shop.asAdmin(orders).refund({ id, reason: 'a test', amount: 100 }, { idempotencyKey: 'a' })
    await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'partially_refunded')
    await ann.orders.cancel({ id })
    await ann.becomes(id, ({ paymentStatus }) => paymentStatus === 'refunded')
    const { amount } = totals.total
    await until('all of it is counted', () => grown('refunds EUR') === amount)
    assert.equal(grown('carts_begun carts'), 2)
    assert.equal(grown('orders_placed orders'), 2)
    assert.equal(grown('orders_confirmed orders'), 1)
    assert.equal(grown('orders_cancelled orders rejected'), 1)
    assert.equal(grown('orders_cancelled orders cancelled'), 1)
    assert.equal(grown('payments_declined payments'), 1)
    assert.equal(grown('revenue EUR'), amount)
  })
})
