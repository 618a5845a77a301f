/**
 * Taking money, and giving it back.
 *
 * A payment attempt is one try to be paid for one order; its id is chosen by the caller. Every operation on it may be repeated
 * as often as one likes. `processing` means that the outcome is not known yet: the caller comes back with the same call.
 *
 * @module
 */
import { anyone, role, service } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, type Static, Time, Type } from '@flotilla/core/schema'

/** An amount of money to be moved. */
const Amount = Type.Object(
  {
    amount: Type.Integer({ minimum: 1, maximum: 1_000_000_000_000 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  },
  { title: 'Amount' },
)

/** Stands for a card. The number of one does not fit. */
export const PaymentToken = Type.String({ pattern: '^tok_[A-Za-z0-9_-]{1,60}$' })

/** What may be shown of a card; the expiry is `YYYY-MM`. */
const Card = Type.Object(
  { brand: Type.String(), last4: Type.String({ pattern: '^[0-9]{4}$' }), expiry: Type.String() },
  { title: 'Card' },
)

const Status = Type.Union([
  Type.Literal('processing'),
  Type.Literal('authorised'),
  Type.Literal('declined'),
  Type.Literal('captured'),
  Type.Literal('partially_refunded'),
  Type.Literal('refunded'),
  Type.Literal('voided'),
])

/** How an attempt stands. Its amounts are in the currency `XXX`, "no currency", when it was voided before anything was asked. */
const paymentFields = {
  attemptId: Id,
  status: Status,
  /** True while a request to the provider was sent and not answered. */
  isUnknown: Type.Boolean(),
  /** What the provider was ready to pay, also when it was let go since. */
  authorised: Money,
  captured: Money,
  refunded: Money,
  /** The provider's word for why; only when declined. */
  declineCode: Type.Optional(Type.String()),
  card: Type.Optional(Card),
  version: Type.Integer({ minimum: 1 }),
}

/** How an attempt stands. */
export const Payment = Type.Object(paymentFields, { title: 'Payment' })

/** How an attempt stands. */
export type Payment = Static<typeof Payment>

const Difference = Type.Object({
  /** `missing_here`: only the provider has it; `missing_there`: only we have it; `differs`: amounts are not the same. */
  kind: Type.Union([Type.Literal('missing_here'), Type.Literal('missing_there'), Type.Literal('differs')]),
  /** The operation's name at the provider: begins with the attempt's id. */
  reference: Type.String(),
  movement: Type.String(),
  ours: Type.Union([Money, Type.Null()]),
  theirs: Type.Union([Money, Type.Null()]),
})

/** Our books compared with the provider's. */
export const Reconciliation = Type.Object(
  {
    /** Null: never yet. */
    at: Type.Union([Time, Type.Null()]),
    /** How far the provider's ledger was read. */
    position: Type.Integer({ minimum: 0 }),
    /** Captures and refunds found on both sides, ever. */
    matched: Type.Integer({ minimum: 0 }),
    differencesTotal: Type.Integer({ minimum: 0 }),
    /** The first hundred. */
    differences: Type.Array(Difference),
  },
  { title: 'Reconciliation' },
)

/** Our books compared with the provider's. */
export type Reconciliation = Static<typeof Reconciliation>

const noAttempt = {
  no_attempt: { code: 'not_found', title: 'There is no such payment attempt' },
} as const

const conflict = (title: string) => ({ code: 'failed_precondition', status: 409, title }) as const

/** The payments contract. */
export const payments = defineContract({
  name: 'payments',
  version: 1,
  summary: 'Payments, by way of an outside provider.',
  operations: {
    authorise: command({
      summary: 'Has the provider hold an amount; a repeat tells how the attempt stands.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({
        attemptId: Id,
        orderId: Id,
        userId: Id,
        amount: Amount,
        paymentToken: PaymentToken,
      }),
      output: Payment,
      reasons: {
        attempt_differs: conflict('This attempt was made with other data'),
        attempt_voided: conflict('This attempt was voided'),
      },
    }),
    capture: command({
      summary: 'Takes what is held, once: all of it or less.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ attemptId: Id, amount: Amount }),
      output: Payment,
      reasons: {
        ...noAttempt,
        not_authorised: conflict('Nothing is held'),
        already_captured: conflict('Another amount was captured'),
        amount_too_high: conflict('That is more than is held'),
        capture_refused: conflict('The provider refuses to capture'),
      },
    }),
    void: command({
      summary: 'Lets go of what is held, or forbids that it ever be; quiet when there is nothing to let go.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({ attemptId: Id }),
      output: Payment,
      reasons: {
        already_captured: conflict('It was captured; refund it'),
        void_refused: conflict('The provider refuses to void'),
      },
    }),
    refund: command({
      summary: 'Gives back what was taken, or a part of it; once for each refund id.',
      access: service('orders'),
      idempotency: 'natural',
      input: Type.Object({
        attemptId: Id,
        refundId: Id,
        amount: Amount,
        reason: Type.String({ maxLength: 200 }),
      }),
      output: Type.Object({
        ...paymentFields,
        refund: Type.Object({
          refundId: Id,
          status: Type.Union([Type.Literal('processing'), Type.Literal('done')]),
        }),
      }),
      reasons: {
        ...noAttempt,
        not_captured: conflict('Nothing was taken'),
        amount_too_high: conflict('Together that is more than was taken'),
        refund_differs: conflict('This refund was asked for with another amount'),
        refund_refused: conflict('The provider refuses to refund'),
        too_many_refunds: conflict('An attempt takes 100 refunds'),
      },
    }),
    status: query({
      summary: 'How an attempt stands.',
      access: service('orders'),
      input: Type.Object({ attemptId: Id }),
      output: Payment,
      reasons: noAttempt,
    }),
    webhook: command({
      summary: 'What the provider has to tell; believed for its signature alone.',
      access: anyone,
      http: { route: 'POST /payments/webhooks', status: 204 },
      idempotency: 'natural',
      input: Type.Object({
        id: Type.String({ minLength: 1, maxLength: 100 }),
        /** Seconds since 1970. */
        timestamp: Type.Integer({ minimum: 0 }),
        /** JSON as text, so that the signature is about exactly these bytes. */
        payload: Type.String({ maxLength: 262_144 }),
        /** HMAC-SHA256 of `id.timestamp.payload`, in hexadecimal. */
        signature: Type.String({ pattern: '^[0-9a-f]{64}$' }),
      }),
      output: Type.Object({}),
      reasons: {
        bad_signature: { code: 'unauthenticated', title: 'The signature is not the provider’s' },
        stale_webhook: { code: 'unauthenticated', title: 'The timestamp is too far from now' },
      },
    }),
    reconciliation: query({
      summary: 'How our books compared with the provider’s, the last time.',
      access: role('admin'),
      http: 'GET /payments/reconciliation',
      output: Reconciliation,
    }),
    reconcile: command({
      summary: 'Compares our books with the provider’s now.',
      access: role('admin'),
      http: 'POST /payments/reconciliation',
      idempotency: 'natural',
      output: Reconciliation,
    }),
  },
  events: {
    settled: event({
      version: 1,
      key: 'orderId',
      summary: 'The state of a payment attempt became definite.',
      data: Type.Object({
        attemptId: Id,
        orderId: Id,
        userId: Id,
        status: Status,
        authorised: Money,
        captured: Money,
        refunded: Money,
        declineCode: Type.Optional(Type.String()),
        /** Grows by at least one from event to event of an attempt. */
        version: Type.Integer({ minimum: 1 }),
      }),
    }),
  },
})
