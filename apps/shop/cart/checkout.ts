/**
 * The cart's part in an order.
 *
 * An order is made of a cart at a version: `checkout` tells both, and the orders take each pair once. The cart goes on
 * being its owner's while the order is under way: nothing is frozen, and what is changed meanwhile is another version.
 *
 * When the order is confirmed, `ordered` takes out what was ordered. At the version that was ordered this is everything,
 * the coupon too; of a cart that was changed since, as many of each SKU as were ordered, and whatever the owner has added
 * stays. What is left goes on as a new cart, under a new id: the old one has become an order. The version goes on
 * counting, as after any change. Another order of the old cart, made of another version of it before the first was
 * confirmed, takes what it ordered out of the cart that came after. Each order does so once, and one of a cart at a version.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import type { cart } from '../contracts/cart.ts'
import { addOrder, findCart, findOwner, lockCart, type StoredLine, saveCart } from './cart-store.ts'
import { viewOf } from './cart-view.ts'
import { readTerms } from './coupon-terms.ts'
import { readPrices } from './price-list.ts'

/** Handles `cart.checkout`. */
export const checkout: Handlers<typeof cart>['checkout'] = async (_, ctx) => {
  const stored = await findCart(ctx.db, ctx.user.id, ctx.clock.now())
  const skus = stored.lines.map(({ sku }) => sku)
  // Without an answer about the coupon there is no order: it would cost more than its owner was told.
  const [prices, terms] = await Promise.all([readPrices(ctx, skus), readTerms(ctx, stored.coupon)])
  const { id, version, lines, totals, coupon } = viewOf(stored, { prices, terms })
  const buyable = lines.filter(({ isAvailable }) => isAvailable)
  if (buyable.length === 0) throw ctx.fail('cart_empty')
  return {
    cartId: id,
    version,
    lines: buyable.map(({ isAvailable: _isAvailable, ...line }) => {
      return { ...line, category: prices.get(line.sku)?.category ?? '' }
    }),
    subtotal: totals.subtotal,
    coupon: coupon === undefined || coupon.note !== undefined ? null : coupon,
    currency: totals.subtotal.currency,
  }
}

/** Handles `cart.ordered`. */
export const ordered: Handlers<typeof cart>['ordered'] = (order, ctx) =>
  ctx.commit(async (tx) => {
    const userId = await findOwner(tx, order.cartId)
    // Its thirty days are over.
    if (userId === undefined) return {}
    lockCart(tx, userId)
    if (!(await addOrder(tx, userId, order))) return {}
    tx.afterCommit(() => ctx.log.info('the cart has become an order', { order_id: order.orderId }))
    const nowMs = ctx.clock.now()
    const present = await findCart(tx, userId, nowMs)
    if (present.id === undefined) return {}
    const isOld = present.id === order.cartId
    const isSame = isOld && present.version === order.version
    const lines = isSame ? [] : withoutOrdered(present.lines, order.lines)
    const changed = lines.filter((line) => !present.lines.includes(line))
    if (!isOld && changed.length === 0 && lines.length === present.lines.length) return {}
    const coupon = isSame ? undefined : present.coupon
    const id = isOld ? ctx.newId() : present.id
    const next = { id, version: present.version + 1, updatedAtMs: nowMs, lines, coupon }
    saveCart(tx, userId, next, changed)
    return {}
  })

function withoutOrdered(
  lines: readonly StoredLine[],
  ordered: readonly { readonly sku: string; readonly quantity: number }[],
): readonly StoredLine[] {
  const gone = new Map(ordered.map(({ sku, quantity }) => [sku, quantity]))
  return lines.flatMap((line) => {
    const left = line.quantity - (gone.get(line.sku) ?? 0)
    if (left === line.quantity) return [line]
    return left > 0 ? [{ ...line, quantity: left }] : []
  })
}
