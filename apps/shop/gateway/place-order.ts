/**
 * Placing an order from outside. The order is durable when `orders.place` has answered, and is worked on from then on;
 * whoever likes to wait is told how it ended.
 *
 * `wait 0`: accepted. Else the order is followed: confirmed → its state; rejected, cancelled, expired → the reason as
 * an error; still pending when the time is up, or when following it fails → accepted, as without waiting. The wait changes
 * nothing of the order, and neither does it when it ends early.
 *
 * @module
 */
import { isFlotillaError } from '@flotilla/core/error'
import type { Handlers, OperationContext } from '@flotilla/core/service'
import { type gateway, orderReasons } from '../contracts/gateway.ts'
import { type Order, orders } from '../contracts/orders.ts'

type Handler = Handlers<typeof gateway>['placeOrder']
type Ctx = OperationContext<typeof orderReasons>

/**
 * Half of what the gateway does at once: those who wait must not keep others from ordering. A wait is a wish; who comes
 * when so many wait is answered at once.
 */
const WAITING_MAX = 128

let waiting = 0

/** Handles `gateway.placeOrder`. */
export const placeOrder: Handler = async ({ waitS = 0, ...input }, ctx) => {
  // The wait began when the request came.
  const untilMs = ctx.clock.monotonicMs() + waitS * 1_000
  const { idempotencyKey } = ctx
  // Stored there under the key, so a repeat gets the same order; here is no database.
  const accepted = await ctx.call(orders).place(input, idempotencyKey === undefined ? {} : { idempotencyKey })
  ctx.log.info('order accepted', { order_id: accepted.id })
  if (waitS === 0 || waiting >= WAITING_MAX) return accepted
  waiting++
  const order = await followed(accepted.id, untilMs, ctx).finally(() => waiting--)
  if (order === undefined) return accepted
  if (hasFailed(order)) throw refusalOf(order, ctx)
  const { queuePlace: _, ...others } = accepted
  const { status, paymentStatus, queuePlace } = order
  return { ...others, status, paymentStatus, ...(queuePlace === undefined ? {} : { queuePlace }) }
}

/** The order when it was last seen, at its end or when the time was up; undefined: it could not be looked at. */
async function followed(id: string, untilMs: number, ctx: Ctx): Promise<Order | undefined> {
  const timeoutMs = untilMs - ctx.clock.monotonicMs()
  if (timeoutMs <= 0) return undefined
  let order: Order | undefined
  try {
    for await (order of ctx.call(orders).stream({ id }, { timeoutMs })) {
      if (order.status !== 'pending') break
    }
  } catch (error) {
    // Its time is up, or something on the way is broken: the order goes on all the same.
    const isLate = isFlotillaError(error) && error.code === 'deadline_exceeded'
    if (!isLate) ctx.log.warn('an order was not followed to its end', { order_id: id, error })
  }
  return order
}

function hasFailed({ status }: Order): boolean {
  return status === 'rejected' || status === 'cancelled' || status === 'expired'
}

function refusalOf({ id, reason = '' }: Order, ctx: Ctx): Error {
  const data = { orderId: id, reason }
  if (isDeclared(reason)) return ctx.fail(reason, undefined, { data })
  return ctx.fail(reason.startsWith('coupon_') ? 'coupon_refused' : 'not_possible', undefined, { data })
}

function isDeclared(reason: string): reason is keyof typeof orderReasons {
  return Object.hasOwn(orderReasons, reason)
}
