/**
 * How much of what is there, and for whom it is kept.
 *
 * @module
 */
import { anyone, role, service } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query } from '@flotilla/core/operation'
import { Id, Nothing, type Static, Time, Type } from '@flotilla/core/schema'
import { Sku } from './catalog.ts'
import { staleVersion, Version } from './versioning.ts'

/** The stock of one SKU: `available = onHand - reserved - safety`, never below 0. */
const Stock = Type.Object(
  {
    sku: Sku,
    onHand: Type.Integer({ minimum: 0 }),
    reserved: Type.Integer({ minimum: 0 }),
    available: Type.Integer({ minimum: 0 }),
    version: Version,
  },
  { title: 'Stock' },
)

/** Stock as a value. */
export type Stock = Static<typeof Stock>

/** So many of one SKU. */
const Portion = Type.Object({ sku: Sku, quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }) })

/** What is kept for an order. */
const Reservation = Type.Object(
  {
    reservationId: Id,
    orderId: Id,
    /** `active` → `committed` | `released` | `expired`; the head of `inventory/reservation-store.ts` tells more. */
    state: Type.Union([
      Type.Literal('active'),
      Type.Literal('committed'),
      Type.Literal('released'),
      Type.Literal('expired'),
    ]),
    /** Each SKU once, in the order of SKUs; none when it was released before it was made. */
    lines: Type.Array(Portion),
    /** When it may expire: it does when it is next looked for. */
    expiresAt: Time,
    version: Version,
  },
  { title: 'Reservation' },
)

/** A reservation as a value. */
export type Reservation = Static<typeof Reservation>

const outOfStock = {
  /** `data` is `{ skus: [{ sku, available }] }`: those there is too little of. */
  out_of_stock: { code: 'failed_precondition', status: 409, title: 'There is not enough of it left' },
} as const

const ended = {
  reservation_ended: {
    code: 'failed_precondition',
    status: 409,
    title: 'What was reserved for this order was given back',
  },
} as const

const noReservation = {
  no_reservation: { code: 'not_found', title: 'Nothing was ever reserved for this order' },
} as const

/** The inventory contract. */
export const inventory = defineContract({
  name: 'inventory',
  version: 1,
  summary: 'Stock, and what is reserved of it.',
  operations: {
    stock: query({
      summary: 'The stock of one SKU.',
      access: anyone,
      http: { route: 'GET /stock/{sku}', etag: 'version' },
      input: Type.Object({ sku: Sku }),
      output: Stock,
      reasons: { no_stock: { code: 'not_found', title: 'Nothing is known of this SKU' } },
    }),
    availability: query({
      summary: 'How many of each SKU can be sold; unknown ones are left out.',
      access: service('catalog', 'cart', 'search', 'orders', 'gateway'),
      input: Type.Object({ skus: Type.Array(Sku, { maxItems: 100 }) }),
      output: Type.Object({
        items: Type.Array(Type.Object({ sku: Sku, available: Type.Integer({ minimum: 0 }) })),
      }),
    }),
    setStock: command({
      summary: 'Counts the stock of a SKU anew; the difference is booked as an adjustment.',
      access: role('admin'),
      http: { route: 'PUT /stock/{sku}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({
        sku: Sku,
        onHand: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
        /** Absent: whatever is there. */
        version: Type.Optional(Version),
      }),
      output: Stock,
      reasons: {
        ...staleVersion,
        below_reserved: { code: 'failed_precondition', status: 409, title: 'More than that is reserved' },
      },
      changes: ['sku:{sku}'],
    }),
    reserve: command({
      summary: 'Keeps all of it for an order for a while, or nothing; once per order.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({
        orderId: Id,
        /** A SKU in several lines is added up. */
        lines: Type.Array(Portion, { minItems: 1, maxItems: 100 }),
        /** Seconds, by the clock of the database. Absent: 15 minutes. */
        ttlS: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
      }),
      output: Type.Object({ reservationId: Id, expiresAt: Time }),
      reasons: {
        ...outOfStock,
        ...ended,
        reservation_differs: {
          code: 'failed_precondition',
          status: 409,
          title: 'Something else was reserved for this order',
        },
      },
    }),
    commit: command({
      summary:
        'Takes what was reserved for an order out of stock, for good; tries to get it again if it has expired.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ orderId: Id }),
      output: Nothing,
      reasons: { ...noReservation, ...outOfStock, ...ended },
    }),
    release: command({
      summary:
        'Gives back what was reserved or taken for an order, and refuses what would be reserved for it later.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ orderId: Id, reason: Type.String({ minLength: 1, maxLength: 200 }) }),
      output: Nothing,
    }),
    reservation: query({
      summary: 'What is reserved for an order.',
      access: service('orders'),
      input: Type.Object({ orderId: Id }),
      output: Reservation,
      reasons: noReservation,
    }),
  },
  events: {
    stockChanged: event({
      version: 1,
      key: 'sku',
      summary: 'The stock of a SKU is another one now; told at every change.',
      data: Stock,
    }),
  },
})
