/**
 * Placing an order: what it costs is worked out now, and then the order is durable; all that is uncertain happens in its
 * checkout saga.
 *
 * The order's id follows from the user and the idempotency key, so even a repeat that nobody remembers makes no second order.
 *
 * @module
 */
import { isFlotillaError } from '@flotilla/core/error'
import { derivedId } from '@flotilla/core/ids'
import { isUniqueViolation } from '@flotilla/core/pg-errors'
import type { Sagas } from '@flotilla/core/sagas'
import type { Money, Static } from '@flotilla/core/schema'
import type { Handlers, OperationContext } from '@flotilla/core/service'
import { auth } from '../contracts/auth.ts'
import { type Checkout, cart } from '../contracts/cart.ts'
import { coupons, refusals } from '../contracts/coupons.ts'
import { inventory } from '../contracts/inventory.ts'
import { type AcceptedOrder, orders, type placeReasons } from '../contracts/orders.ts'
import { shipping } from '../contracts/shipping.ts'
import { byRequest } from './cause.ts'
import { type CheckoutState, checkoutSaga } from './checkout-saga.ts'
import { orderAggregate, type Placed } from './order.ts'
import { changeOrder, isOrdered, ONCE_PER_CART, totalOf } from './order-store.ts'
import { toldOf } from './told.ts'
import { type Ordered, type Priced, priceOrder } from './totals.ts'

type Handler = Handlers<typeof orders>['place']
type Input = Parameters<Handler>[0]
type Ctx = OperationContext<typeof placeReasons>

/** Handles `orders.place`. */
export function placeWith(sagas: Sagas, payS: number): Handler {
  return async (input, ctx) => {
    const id = derivedId(`order of ${ctx.user.id}`, ctx.idempotencyKey ?? ctx.newId())
    const present = await totalOf(ctx.db, id)
    if (present !== undefined) return accepted(id, present)
    const bought = await cartOf(ctx)
    if (await isOrdered(ctx.db, bought.cartId)) throw ctx.fail('already_ordered')
    const { subtotal } = bought
    const [{ email }, [benefit, shippingPrice]] = await Promise.all([
      ctx.call(auth).contact(),
      benefitOf(input.couponCode ?? bought.coupon?.code, subtotal, ctx).then(async (found) => {
        return [found, await shippingPriceOf(input, subtotal, found, ctx)] as const
      }),
      requireStock(bought.lines, ctx),
    ])
    const priced = priceOrder(bought.lines, {
      currency: subtotal.currency,
      discount: benefit?.discount.amount ?? 0,
      shipping: shippingPrice.amount,
      country: input.shippingAddress.country,
    })
    requireExpected(input, priced, ctx)
    const placed: Placed = {
      userId: ctx.user.id,
      email,
      cartId: bought.cartId,
      lines: [...priced.lines],
      totals: priced.totals,
      ...(benefit === undefined ? {} : { couponCode: benefit.code }),
      shippingAddress: input.shippingAddress,
      attemptId: derivedId('payment attempt', id),
    }
    const state = checkoutStateOf(placed, bought.version, input, payS)
    const commit = ctx.commit(async (tx) => {
      const none = await orderAggregate.load(tx, id)
      const loaded = await changeOrder(ctx, tx, none, [{ type: 'placed', data: placed }], byRequest(ctx))
      const isRunning = await sagas.start(tx, checkoutSaga, id, state, ctx)
      await ctx.publish(tx, orders.events.placed, toldOf(loaded))
      const queuePlace = isRunning ? undefined : await sagas.queuePlace(tx, id)
      return accepted(id, priced.totals.total, queuePlace)
    })
    try {
      return await commit
    } catch (error) {
      if (isUniqueViolation(error, ONCE_PER_CART)) throw ctx.fail('already_ordered')
      throw error
    }
  }
}

function accepted(id: string, total: Money, queuePlace?: number): Static<typeof AcceptedOrder> {
  const self = `/api/v1/orders/${id}`
  return {
    id,
    status: 'pending',
    total,
    ...(queuePlace === undefined ? {} : { queuePlace }),
    links: { self, history: `${self}/history`, stream: `${self}/stream` },
  }
}

async function cartOf(ctx: Ctx): Promise<Checkout> {
  try {
    return await ctx.call(cart).checkout()
  } catch (error) {
    if (isFlotillaError(error) && error.reason === 'cart_empty') throw ctx.fail('cart_empty')
    throw error
  }
}

interface Benefit {
  readonly code: string
  readonly discount: Money
  readonly freeShipping: boolean
}

async function benefitOf(code: string | undefined, subtotal: Money, ctx: Ctx): Promise<Benefit | undefined> {
  if (code === undefined) return undefined
  try {
    return await ctx.call(coupons).quote({ code, userId: ctx.user.id, subtotal })
  } catch (error) {
    const isRefused =
      isFlotillaError(error) && error.reason !== undefined && Object.hasOwn(refusals, error.reason)
    if (!isRefused) throw error
    throw ctx.fail('coupon_refused', error.message, { data: { reason: error.reason } })
  }
}

async function shippingPriceOf(
  { shippingAddress: { country } }: Input,
  { amount, currency }: Money,
  benefit: Benefit | undefined,
  ctx: Ctx,
): Promise<Money> {
  const toPay = { amount: amount - (benefit?.discount.amount ?? 0), currency }
  try {
    const { price } = await ctx.call(shipping).cheapest({ country, subtotal: toPay })
    return benefit?.freeShipping === true ? { amount: 0, currency } : price
  } catch (error) {
    if (isFlotillaError(error) && error.reason === 'no_rate') throw ctx.fail('no_shipping')
    throw error
  }
}

/** Says no at once where that is certain enough; the reservation has the last word. */
async function requireStock(lines: readonly Ordered[], ctx: Ctx): Promise<void> {
  const { items } = await ctx.call(inventory).availability({ skus: lines.map(({ sku }) => sku) })
  const available = new Map(items.map((item) => [item.sku, item.available]))
  const skus = lines
    .map(({ sku, quantity }) => ({ sku, quantity, available: available.get(sku) ?? 0 }))
    .filter((line) => line.quantity > line.available)
    .map((line) => ({ sku: line.sku, available: line.available }))
  if (skus.length > 0) throw ctx.fail('out_of_stock', undefined, { data: { skus } })
}

function requireExpected({ expectedTotal, paymentToken }: Input, { totals }: Priced, ctx: Ctx): void {
  const { amount, currency } = totals.total
  const isExpected =
    expectedTotal === undefined || (expectedTotal.amount === amount && expectedTotal.currency === currency)
  if (!isExpected) throw ctx.fail('price_changed', undefined, { data: { totals } })
  if (amount > 0 && paymentToken === undefined) throw ctx.fail('payment_missing')
}

function checkoutStateOf(
  placed: Placed,
  cartVersion: number,
  { paymentToken }: Input,
  payS: number,
): CheckoutState {
  const { userId, cartId, couponCode, attemptId, totals } = placed
  return {
    userId,
    cartId,
    cartVersion,
    lines: placed.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    ...(couponCode === undefined ? {} : { couponCode }),
    subtotal: totals.subtotal,
    total: totals.total,
    attemptId,
    ...(paymentToken === undefined ? {} : { paymentToken }),
    payS,
  }
}
