/**
 * What it costs to send something, and where it is.
 *
 * @module
 */
import { role, service, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, type Static, Time, Type } from '@flotilla/core/schema'
import { personal } from '@flotilla/core/sensitive'
import { Address } from './address.ts'
import { Sku } from './catalog.ts'

const Method = Type.Union([Type.Literal('standard'), Type.Literal('express')])

const Quote = Type.Object(
  {
    id: Id,
    method: Method,
    price: Money,
    /** Days until it arrives, as a rule. */
    days: Type.Object({ min: Type.Integer({ minimum: 1 }), max: Type.Integer({ minimum: 1 }) }),
    /** The price holds until then. */
    expiresAt: Time,
  },
  { title: 'ShippingQuote' },
)

/**
 * `pending → packed → shipped → delivered`, or from the first two to `stopped`.
 */
const Status = Type.Union([
  Type.Literal('pending'),
  Type.Literal('packed'),
  Type.Literal('shipped'),
  Type.Literal('delivered'),
  Type.Literal('stopped'),
])

const Moment = Type.Union([Time, Type.Null()])

/** A parcel: of an order there may be several. */
const Shipment = Type.Object(
  {
    id: Id,
    orderId: Id,
    status: Status,
    address: Address,
    lines: Type.Array(Type.Object({ sku: Sku, quantity: Type.Integer({ minimum: 1 }) })),
    /** Null before it is shipped. */
    trackingNumber: Type.Union([Type.String(), Type.Null()]),
    createdAt: Time,
    packedAt: Moment,
    shippedAt: Moment,
    deliveredAt: Moment,
  },
  { title: 'Shipment' },
)

/** A shipment as a value. */
export type Shipment = Static<typeof Shipment>

const reasons = {
  no_shipment: { code: 'not_found', title: 'There is no such shipment' },
} as const

const noRate = {
  no_rate: { code: 'invalid_argument', title: 'There are no prices in this currency' },
} as const

const moveReasons = {
  ...reasons,
  wrong_state: {
    code: 'failed_precondition',
    status: 409,
    title: 'The shipment is not there yet, or was stopped',
  },
} as const

/** What is told of a parcel that moved. */
const Parcel = Type.Object({
  orderId: Id,
  shipmentId: Id,
  userId: Id,
  email: Type.String(personal),
  trackingNumber: Type.String(),
  at: Time,
})

const move = (verb: string, summary: string) =>
  command({
    summary,
    access: role('admin'),
    http: `POST /shipments/{id}/${verb}`,
    idempotency: 'natural',
    input: Type.Object({ id: Id }),
    output: Shipment,
    reasons: moveReasons,
  })

/** The shipping contract. */
export const shipping = defineContract({
  name: 'shipping',
  version: 1,
  summary: 'Prices of sending, and shipments.',
  operations: {
    quote: command({
      summary:
        'What it costs to send goods of this value and weight there, each way of sending with its price.',
      access: user,
      http: 'POST /shipping/quotes',
      // Two quotes instead of one do no harm.
      idempotency: 'natural',
      input: Type.Object({
        address: Address,
        /** Of the goods, after discounts. */
        subtotal: Money,
        /** Absent: light. */
        weightG: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
      }),
      output: Type.Object({ quotes: Type.Array(Quote) }),
      reasons: noRate,
    }),
    cheapest: query({
      summary: 'What it costs at the least to send light goods of this value there.',
      access: service('orders'),
      input: Type.Object({ country: Address.properties.country, subtotal: Money }),
      output: Type.Object({ price: Money }),
      reasons: noRate,
    }),
    quoted: query({
      summary: 'A quote that still holds, with what it was made for.',
      access: service('orders'),
      input: Type.Object({ quoteId: Id }),
      output: Type.Object({
        ...Quote.properties,
        userId: Id,
        country: Type.String(),
        postcode: Type.String(),
        subtotal: Money,
      }),
      reasons: {
        no_quote: { code: 'not_found', title: 'There is no such quote' },
        quote_expired: {
          code: 'failed_precondition',
          status: 409,
          title: 'The quote holds no longer; ask for a new one',
        },
      },
    }),
    shipment: query({
      summary: 'One of your shipments.',
      access: user,
      http: 'GET /shipments/{id}',
      input: Type.Object({ id: Id }),
      output: Shipment,
      reasons,
    }),
    shipments: query({
      summary: 'The shipments of one of your orders; none while it is not confirmed.',
      access: user,
      http: 'GET /shipments',
      input: Type.Object({ orderId: Id }),
      output: Type.Object({ items: Type.Array(Shipment) }),
    }),
    pack: move('pack', 'Packs a shipment without waiting for the carrier simulation.'),
    ship: move('ship', 'Hands a shipment to the carrier: from here on it cannot be stopped.'),
    deliver: move('deliver', 'Delivers a shipment.'),
    stop: command({
      summary:
        'Keeps an order from being sent, also one whose shipment does not exist yet. False: a parcel has left already.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ orderId: Id }),
      output: Type.Object({ stopped: Type.Boolean() }),
    }),
  },
  events: {
    shipped: event({ version: 1, key: 'orderId', summary: 'A parcel has left.', data: Parcel }),
    delivered: event({ version: 1, key: 'orderId', summary: 'A parcel has arrived.', data: Parcel }),
  },
})
