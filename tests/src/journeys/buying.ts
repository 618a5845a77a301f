/**
 * From a full cart to a parcel, or to the money back.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '@flotilla/core/until'
import type { Shop } from '../placements.ts'
import type { Answer, Shopper } from '../shop-client.ts'

const SKU = 'KIT-0001'
const address = { name: 'Ann', line1: 'Street 1', postcode: '01234', city: 'Town', country: 'DE' }

interface Placing {
  readonly quantity?: number
  readonly paymentToken?: string
  readonly key?: string
  readonly wait?: number
  readonly body?: object
}

let keys = 0

/** Puts so much into the cart and orders it. */
async function order(shop: Shop, { token }: Shopper, placing: Placing = {}): Promise<Answer> {
  const { quantity = 1, paymentToken = 'tok_ok', key = `key ${++keys}`, wait, body = {} } = placing
  await shop.api(`/cart/items/${SKU}`, { token, method: 'PUT', body: { quantity } })
  return shop.api('/orders', {
    token,
    body: { shippingAddress: address, paymentToken, ...body },
    headers: { 'idempotency-key': key, ...(wait === undefined ? {} : { prefer: `wait=${wait}` }) },
  })
}

async function stockOf(shop: Shop): Promise<{ onHand: number; reserved: number }> {
  const { onHand, reserved } = (await shop.api(`/stock/${SKU}`)).body
  return { onHand, reserved }
}

/** The order, as soon as it is so. */
async function becomes(
  shop: Shop,
  { token }: Shopper,
  id: string,
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds
  isIt: (order: any) => boolean,
): Promise<Answer['body']> {
  let body: Answer['body']
  await until(`order ${id} is so`, async () => {
    const answer = await shop.api(`/orders/${id}`, { token })
    assert.equal(answer.status, 200, answer.text)
    body = answer.body
    return isIt(body)
  })
  return body
}

async function journey(shop: Shop): Promise<void> {
  const ann = await shop.register('ann')
  const eve = await shop.register('eve')
  const admin = await shop.login(shop.admin.email, shop.admin.password)
  const before = await stockOf(shop)

  // Accepted at once, carried out afterwards.
  const accepted = await order(shop, ann, { quantity: 2, key: 'the first' })
  assert.equal(accepted.status, 202, accepted.text)
  assert.equal(accepted.body.status, 'pending')
  const { id } = accepted.body
  const paid = await becomes(shop, ann, id, ({ paymentStatus }) => paymentStatus === 'captured')
  assert.equal(paid.status, 'confirmed')
  assert.equal(paid.card.last4.length, 4)
  const { subtotal, discount, shipping, total } = paid.totals
  assert.equal(total.amount, subtotal.amount - discount.amount + shipping.amount)
  assert.deepEqual(await stockOf(shop), { onHand: before.onHand - 2, reserved: before.reserved })
  await until('the cart is empty', async () => {
    return (await shop.api('/cart', { token: ann.token })).body.lines.length === 0
  })

  // A repeat is answered alike and orders nothing; nobody else sees the order.
  const repeat = await shop.api('/orders', {
    token: ann.token,
    body: { shippingAddress: address, paymentToken: 'tok_ok' },
    headers: { 'idempotency-key': 'the first' },
  })
  assert.equal(repeat.text, accepted.text)
  assert.equal((await shop.api(`/orders/${id}`, { token: eve.token })).status, 404)
  assert.equal((await shop.api(`/orders/${id}/history`, { token: eve.token })).status, 404)

  // Its past can be read.
  const history = await shop.api(`/orders/${id}/history`, { token: ann.token })
  const [placed] = history.body.items
  assert.equal(placed.type, 'placed')
  assert.equal(placed.actor.id, ann.id)
  const then = await shop.api(`/orders/${id}?asOf=${placed.at}`, { token: ann.token })
  assert.equal(then.body.status, 'pending')

  // One mail, one shipment.
  await until('the mail has arrived', async () => {
    const mails = await shop.api(`/mailbox?orderId=${id}`, { token: admin.token })
    return mails.status === 200 && mails.body.items.length === 1
  })
  await until('the shipment is there', async () => {
    return (await shop.api(`/shipments?orderId=${id}`, { token: ann.token })).body.items.length === 1
  })

  // Waited for: declined, and sold out.
  const declined = await order(shop, eve, { paymentToken: 'tok_declined', wait: 20 })
  assert.equal(declined.status, 402, declined.text)
  assert.equal(declined.body.reason, 'card_declined')
  const { onHand } = await stockOf(shop)
  const tooMany = await order(shop, eve, { quantity: Math.min(99, onHand + 1), wait: 20 })
  if (onHand < 99) assert.deepEqual([tooMany.status, tooMany.body.reason], [409, 'out_of_stock'])

  // Cheaper than expected is as little welcome as dearer.
  const wrong = { expectedTotal: { amount: 1, currency: 'EUR' } }
  const changed = await order(shop, eve, { body: wrong })
  assert.deepEqual([changed.status, changed.body.reason], [409, 'price_changed'], changed.text)

  // Confirmed at once, and taken back: stock and money return.
  const mine = await order(shop, eve, { quantity: 3, wait: 20, body: { couponCode: 'save10' } })
  assert.equal(mine.status, 201, mine.text)
  assert.equal(mine.headers.get('preference-applied'), 'wait=20')
  const stolen = await shop.api(`/orders/${mine.body.id}/cancel`, { token: ann.token, method: 'POST' })
  assert.equal(stolen.status, 404)
  const cancelled = await shop.api(`/orders/${mine.body.id}/cancel`, { token: eve.token, method: 'POST' })
  assert.equal(cancelled.status, 200, cancelled.text)
  const back = await becomes(shop, eve, mine.body.id, ({ paymentStatus }) => paymentStatus === 'refunded')
  assert.equal(back.status, 'cancelled')
  assert.equal(back.couponCode, 'SAVE10')
  assert.ok(back.totals.discount.amount > 0)
  await until('the stock is back', async () => {
    const { onHand: now, reserved } = await stockOf(shop)
    return now === before.onHand - 2 && reserved === before.reserved
  })

  // Sent: then it is too late, but money can be given back in part.
  const { items } = (await shop.api(`/shipments?orderId=${id}`, { token: ann.token })).body
  for (const step of ['pack', 'ship']) {
    const moved = await shop.api(`/shipments/${items[0].id}/${step}`, { token: admin.token, method: 'POST' })
    assert.equal(moved.status, 200, moved.text)
  }
  await becomes(shop, ann, id, ({ status }) => status === 'shipped')
  const late = await shop.api(`/orders/${id}/cancel`, { token: ann.token, method: 'POST' })
  assert.deepEqual([late.status, late.body.reason], [409, 'too_late'])
  const refund = await shop.api(`/orders/${id}/refunds`, {
    token: admin.token,
    body: { amount: 100, reason: 'a scratch' },
    headers: { 'idempotency-key': 'for the scratch' },
  })
  assert.equal(refund.status, 202, refund.text)
  const partly = await becomes(shop, ann, id, ({ paymentStatus }) => paymentStatus === 'partially_refunded')
  assert.deepEqual(partly.refunds[0].amount, { amount: 100, currency: 'EUR' })
  const beyond = await shop.api(`/orders/${id}/refunds`, {
    token: admin.token,
    body: { amount: total.amount, reason: 'too much' },
    headers: { 'idempotency-key': 'too much' },
  })
  assert.deepEqual([beyond.status, beyond.body.reason], [409, 'amount_too_high'])

  const mineOnly = await shop.api('/orders', { token: ann.token })
  assert.deepEqual(
    mineOnly.body.items.map((one: { id: string }) => one.id),
    [id],
  )
}

/** The test of it. @param shopOf the one that is open, to be asked for within a test. */
export function buying(shopOf: () => Shop): void {
  it('pays, ships, declines, cancels and refunds', () => journey(shopOf()))
}
