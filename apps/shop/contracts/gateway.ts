/**
 * Answers that the gateway puts together from several services, and the way in for orders, which can be waited for.
 *
 * @module
 */
import { anyone, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { Partial } from '@flotilla/gateway/aggregate'
import { cachePurged, purgeCache } from '@flotilla/gateway/purge'
import { Profile } from './account.ts'
import { Cart } from './cart.ts'
import { Category, Product } from './catalog.ts'
import { AcceptedOrder, conflict, Order, OrderSummary, orderInput, placeReasons } from './orders.ts'
import { Recommendation, Source } from './recommendations.ts'

const Products = Type.Union([Type.Array(Product), Type.Null()])

/** How long an order may be waited for. */
const WAIT_S_MAX = 30

/** Why an order is not placed, or came to nothing while it was waited for. The latter's `data` is `{ orderId, reason }`. */
export const orderReasons = {
  ...placeReasons,
  card_declined: { code: 'failed_precondition', status: 402, title: 'The card was declined' },
  cancelled: conflict('The order was cancelled'),
  expired: conflict('The order was not paid in time'),
  not_possible: conflict('The order cannot be carried out'),
} as const

/** The contract. */
export const gateway = defineContract({
  name: 'gateway',
  version: 1,
  summary: 'Pages put together from several services; a part that fails is null, with a note in `partial`.',
  operations: {
    purgeCache,
    placeOrder: command({
      summary:
        'Orders what is in your cart. Answers at once, or, if you wait for it, when the order is confirmed.',
      access: user,
      http: {
        route: 'POST /orders',
        status: 201,
        prefer: 'waitS',
        acceptedWhile: { field: 'status', value: 'pending' },
      },
      // The answer is kept by the orders: the same key gives the same order.
      idempotency: 'key_required',
      criticality: 'critical_plus',
      // Placing it, and then the wait.
      timeoutMs: 45_000,
      input: Type.Object({
        ...orderInput,
        waitS: Type.Optional(Type.Integer({ minimum: 0, maximum: WAIT_S_MAX })),
      }),
      output: Type.Object(
        {
          ...AcceptedOrder.properties,
          /** Of an order that was waited for. */
          paymentStatus: Type.Optional(Order.properties.paymentStatus),
        },
        { title: 'PlacedOrder' },
      ),
      reasons: orderReasons,
    }),
    home: query({
      summary: 'What the start page shows.',
      access: anyone,
      http: 'GET /home',
      output: Type.Object({
        categories: Type.Union([Type.Array(Category), Type.Null()]),
        newest: Products,
        bestRated: Products,
        partial: Partial,
      }),
      // Not to be cached: a part may be missing for a moment.
    }),
    dashboard: query({
      summary: 'What your own page shows.',
      access: user,
      http: 'GET /dashboard',
      output: Type.Object({
        profile: Type.Union([Profile, Type.Null()]),
        cart: Type.Union([Cart, Type.Null()]),
        suggestions: Products,
        /** The last ones, newest first. */
        orders: Type.Union([Type.Array(OrderSummary), Type.Null()]),
        recommendations: Type.Union([
          Type.Object({ items: Type.Array(Recommendation), source: Source }),
          Type.Null(),
        ]),
        partial: Partial,
      }),
    }),
  },
  events: { cachePurged },
})
