/**
 * The shop's orders.
 *
 * @module
 */
import { openSagas } from '@flotilla/core/sagas'
import { Id, Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { auth } from '../contracts/auth.ts'
import { cart } from '../contracts/cart.ts'
import { coupons } from '../contracts/coupons.ts'
import { CursorTime, type Position, readCursor, writeCursor } from '../contracts/cursor.ts'
import { inventory } from '../contracts/inventory.ts'
import { orders } from '../contracts/orders.ts'
import { payments } from '../contracts/payments.ts'
import { shipping } from '../contracts/shipping.ts'
import { cancelWith } from './cancel.ts'
import { cancelSaga } from './cancel-saga.ts'
import { checkoutSaga, PAY_S_MAX } from './checkout-saga.ts'
import { historyOf } from './history.ts'
import { findOrder, ordersOf, orderView } from './order-store.ts'
import { placeWith } from './place.ts'
import { reactions } from './reactions.ts'
import { refundWith } from './refund.ts'
import { refundSaga } from './refund-saga.ts'
import { shownOrder, streamWith } from './stream.ts'

const LIMIT_DEFAULT = 20
const PlaceInCursor = Type.Tuple([CursorTime, Id])

/** The orders of the shop. */
export const ordersService = defineService({
  contract: orders,
  database: { migrations: 'orders/migrations' },
  calls: [auth, cart, coupons, inventory, payments, shipping],
  reactions,
  config: Type.Object({
    checkoutsMax: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 64,
      description: 'orders that an instance works on at the same time; more wait in line',
    }),
    payS: Type.Integer({
      minimum: 1,
      maximum: PAY_S_MAX,
      default: 900,
      description: 'seconds in which an order must be paid, from the moment its goods are reserved',
    }),
  }),
  open(runtime) {
    const { checkoutsMax, payS } = runtime.config
    const sagas = openSagas(runtime, [checkoutSaga, cancelSaga, refundSaga], { runningMax: checkoutsMax })
    return {
      place: placeWith(sagas, payS),
      cancel: cancelWith(sagas),
      refund: refundWith(sagas),
      stream: streamWith(sagas),
      history: historyOf,
      async get({ id, asOf }, ctx) {
        const order = await findOrder(ctx.db, id, ctx.user.id, asOf)
        if (order === undefined) throw ctx.fail('no_order')
        return asOf === undefined ? shownOrder(sagas, ctx.db, order) : orderView(order)
      },
      async list({ limit = LIMIT_DEFAULT, cursor }, ctx) {
        const list: Position = ['orders', ctx.user.id]
        const after = cursor === undefined ? undefined : readCursor(list, PlaceInCursor, cursor)
        if (cursor !== undefined && after === undefined) throw ctx.fail('bad_cursor')
        const place = after === undefined ? undefined : { placedAt: after[0], id: after[1] }
        // One more than asked for tells whether there is another page.
        const found = await ordersOf(ctx.db, ctx.user.id, place, limit + 1)
        const items = found.slice(0, limit)
        const last = found.length > limit ? items.at(-1) : undefined
        return {
          items,
          nextCursor: last === undefined ? null : writeCursor(list, [last.placedAt, last.id]),
        }
      },
    }
  },
})
