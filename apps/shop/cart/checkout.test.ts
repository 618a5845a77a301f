import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Cart } from '../contracts/cart.ts'
import type { Refusal } from '../contracts/coupons.ts'
import { type OpenedCart, openCart } from './opened-cart.test.ts'

const eur = (amount: number) => ({ amount, currency: 'EUR' })
const ten = { benefit: { kind: 'percent', percent: 10 }, minimum: 0, currency: null } as const
const stale = { status: 412, reason: 'stale_version' }
const quantities = ({ lines }: Cart): unknown => lines.map(({ sku, quantity }) => [sku, quantity])

/** A cart of ann's with 3 of A-1 and 1 of B-1, and a coupon to be had. */
async function open(...args: Parameters<typeof openCart>): Promise<OpenedCart> {
  const opened = await openCart(...args)
  opened.wallet.terms.set('TEN', ten)
  await opened.as().addItem({ sku: 'A-1', quantity: 3 })
  await opened.as().addItem({ sku: 'B-1', quantity: 1 })
  return opened
}

describe('cart.attachCoupon', () => {
  it('takes off what the coupon is worth, at every moment', async (t) => {
    const { as, shelf, wallet } = await open(t)
    const first = await as().attachCoupon({ code: 'ten', version: 2 })
    const coupon = { code: 'TEN', discount: eur(55), freeShipping: false }
    assert.deepEqual([first.version, first.coupon], [3, coupon])
    const totals = { items: 4, subtotal: eur(550), discount: eur(55), total: eur(495) }
    assert.deepEqual(first.totals, totals)
    assert.deepEqual(await as().get(), first)
    assert.deepEqual(await as().attachCoupon({ code: 'Ten', version: 2 }), first, 'a repeat')
    const more = await as().setItem({ sku: 'B-1', quantity: 3 })
    assert.deepEqual([more.coupon?.discount, more.totals.total], [eur(105), eur(945)])
    shelf.put('A-1', 1)
    assert.deepEqual((await as().get()).totals.discount, eur(75))
    wallet.terms.set('TEN', { ...ten, benefit: { kind: 'free_shipping' } })
    assert.deepEqual((await as().get()).coupon, { ...coupon, discount: eur(0), freeShipping: true })
    assert.deepEqual((await as('ben').get()).coupon, undefined)
  })

  it('refuses with the word of the coupons, and leaves the cart', async (t) => {
    const { as, wallet } = await open(t)
    const before = await as().get()
    const refusals = ['coupon_expired', 'coupon_exhausted', 'coupon_used', 'coupon_unknown'] as const
    for (const reason of refusals) {
      wallet.terms.set('NO', reason)
      await assert.rejects(as().attachCoupon({ code: 'no' }), { reason })
    }
    wallet.terms.set('NO', { ...ten, minimum: 551, currency: 'EUR' })
    await assert.rejects(as().attachCoupon({ code: 'no' }), { status: 409, reason: 'coupon_minimum' })
    wallet.terms.set('NO', { ...ten, currency: 'JPY' })
    await assert.rejects(as().attachCoupon({ code: 'no' }), { status: 409, reason: 'coupon_currency' })
    await assert.rejects(as().attachCoupon({ code: 'TEN', version: 1 }), stale)
    assert.deepEqual(await as().get(), before)
  })

  it('shows a coupon that does not hold any more with nothing, and why', async (t) => {
    const { as, wallet } = await open(t)
    await as().attachCoupon({ code: 'TEN' })
    const notes = new Set<string>()
    const cases: readonly (Refusal | typeof ten | { readonly minimum: number })[] = [
      'coupon_expired',
      'coupon_exhausted',
      { minimum: 551 },
    ]
    for (const one of cases) {
      wallet.terms.set('TEN', typeof one === 'string' ? one : { ...ten, ...one })
      const { coupon, totals } = await as().get()
      assert.deepEqual([coupon?.code, coupon?.discount, totals.total], ['TEN', eur(0), eur(550)])
      notes.add(coupon?.note ?? '')
    }
    wallet.isAvailable = false
    const { coupon } = await as().get()
    assert.equal(coupon?.discount.amount, 0)
    notes.add(coupon?.note ?? '')
    assert.ok(notes.size === 4 && !notes.has(''))
    await as().addItem({ sku: 'C-1', quantity: 1 })
    wallet.isAvailable = true
    wallet.terms.set('TEN', ten)
    assert.deepEqual((await as().get()).totals.discount, eur(155))
  })
})

describe('cart.removeCoupon', () => {
  it('takes it off, and is quiet when there is none; emptying does so too', async (t) => {
    const { as, wallet } = await open(t)
    await as().attachCoupon({ code: 'TEN' })
    await assert.rejects(as().removeCoupon({ version: 2 }), stale)
    const removed = await as().removeCoupon({ version: 3 })
    assert.deepEqual([removed.version, removed.coupon, removed.totals.total], [4, undefined, eur(550)])
    assert.deepEqual(await as().removeCoupon({ version: 3 }), removed)
    await as().attachCoupon({ code: 'TEN' })
    wallet.asked.length = 0
    await as().clear()
    assert.equal((await as().get()).coupon, undefined)
    assert.deepEqual(wallet.asked, [], 'nothing to ask about')
  })
})

describe('cart.checkout', () => {
  it('tells what can be bought, at the prices of the moment', async (t) => {
    const { as, fromOrders, shelf, wallet } = await open(t)
    await as().attachCoupon({ code: 'TEN' })
    await as().addItem({ sku: 'C-1', quantity: 1 })
    shelf.offers.delete('C-1')
    shelf.put('A-1', 200)
    const { id, version } = await as().get()
    const checkout = await fromOrders('ann').checkout()
    const a = { sku: 'A-1', productId: 'id-of-A-1', name: 'A A-1', quantity: 3, category: 'things' }
    const b = { sku: 'B-1', productId: 'id-of-B-1', name: 'A B-1', quantity: 1, category: 'things' }
    assert.deepEqual(checkout, {
      cartId: id,
      version,
      lines: [
        { ...a, unitPrice: eur(200), lineTotal: eur(600) },
        { ...b, unitPrice: eur(250), lineTotal: eur(250) },
      ],
      subtotal: eur(850),
      coupon: { code: 'TEN', discount: eur(85), freeShipping: false },
      currency: 'EUR',
    })
    wallet.terms.set('TEN', 'coupon_expired')
    assert.equal((await fromOrders('ann').checkout()).coupon, null)
    wallet.isAvailable = false
    await assert.rejects(fromOrders('ann').checkout(), { code: 'unavailable' })
  })

  it('refuses a cart without anything that can be bought, and everybody but the orders', async (t) => {
    const { as, fromOrders, shelf } = await open(t)
    await assert.rejects(fromOrders('ben').checkout(), { status: 409, reason: 'cart_empty' })
    shelf.offers.clear()
    await assert.rejects(fromOrders('ann').checkout(), { status: 409, reason: 'cart_empty' })
    await assert.rejects(fromOrders().checkout(), { code: 'unauthenticated' })
    await assert.rejects(as().checkout(), { code: 'permission_denied' })
    const order = { cartId: 'x', version: 1, orderId: 'o', lines: [] }
    await assert.rejects(as().ordered(order), { code: 'permission_denied' })
  })
})

describe('cart.ordered', () => {
  /** What the orders say once `cart` was ordered as it is. */
  const orderOf = ({ id, version, lines }: Cart, orderId: string) => ({
    cartId: id,
    version,
    orderId,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
  })

  it('empties the cart that was ordered, once; what comes then is another cart', async (t) => {
    const { as, fromOrders } = await open(t)
    const cart = await as().attachCoupon({ code: 'TEN' })
    const order = orderOf(cart, 'o1')
    await Promise.all([1, 2, 3].map(() => fromOrders().ordered(order)))
    const empty = await as().get()
    assert.deepEqual([empty.lines, empty.coupon, empty.version], [[], undefined, 4])
    assert.notEqual(empty.id, cart.id)
    const next = await as().addItem({ sku: 'A-1', quantity: 3 })
    assert.equal(next.id, empty.id)
    await fromOrders().ordered(order)
    await fromOrders().ordered({ ...order, orderId: 'o2' })
    assert.deepEqual(await as().get(), next, 'the same cart is ordered once')
    await fromOrders().ordered({ ...order, cartId: 'unknown', orderId: 'o3' })
    assert.deepEqual(await as().get(), next)
  })

  it('leaves what was put in since', async (t) => {
    const { as, fromOrders } = await open(t)
    const cart = await as().get()
    await as().setItem({ sku: 'A-1', quantity: 5 })
    await as().setItem({ sku: 'C-1', quantity: 1 })
    await as().attachCoupon({ code: 'TEN' })
    await fromOrders().ordered(orderOf(cart, 'o1'))
    const left = await as().get()
    assert.deepEqual(quantities(left), [
      ['A-1', 2],
      ['C-1', 1],
    ])
    assert.deepEqual([left.version, left.coupon?.code, left.id === cart.id], [6, 'TEN', false])
  })

  it('takes out what two orders of one cart have ordered, in whatever order they are confirmed', async (t) => {
    for (const isReversed of [false, true]) {
      const { as, fromOrders } = await open(t)
      const first = await as().get()
      const second = await as().setItem({ sku: 'C-1', quantity: 2 })
      const orders = [orderOf(first, 'o1'), orderOf(second, 'o2')]
      for (const order of isReversed ? orders.toReversed() : orders) await fromOrders().ordered(order)
      const left = await as().get()
      assert.deepEqual([left.lines, left.id === first.id], [[], false])
    }
  })

  it('never takes out more than was ordered, whatever is put in meanwhile', async (t) => {
    const { as, fromOrders } = await openCart(t)
    const amounts = fc.array(fc.record({ sku: fc.constantFrom('A-1', 'B-1', 'C-1'), quantity: fc.nat(9) }), {
      maxLength: 5,
    })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(amounts, amounts, async (before, since) => {
        const calls = as(`user-${runs++}`)
        const put = async (items: typeof before): Promise<void> => {
          for (const { sku, quantity } of items) if (quantity > 0) await calls.addItem({ sku, quantity })
        }
        await put(before)
        const cart = await calls.get()
        const order = orderOf(cart, `order-${runs}`)
        await Promise.all([put(since), cart.id === 'none' ? undefined : fromOrders().ordered(order)])
        const left = await calls.get()
        for (const sku of ['A-1', 'B-1', 'C-1']) {
          const wanted = since
            .filter((one) => one.sku === sku)
            .reduce((sum, { quantity }) => sum + quantity, 0)
          assert.equal(left.lines.find((line) => line.sku === sku)?.quantity ?? 0, wanted)
        }
      }),
      { numRuns: 25 },
    )
  })
})
