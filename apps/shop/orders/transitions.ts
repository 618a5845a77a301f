/**
 * What may follow what. An order is in three states at once, which change independently: the order's own, that of its money and that of
 * its goods. What is not in a table here cannot be written, whatever asks for it.
 *
 * - order: `pending → confirmed → shipped → delivered`; `pending → rejected | expired | cancelled`; `confirmed → cancelled`.
 * - payment: `processing → authorised → captured → partially_refunded → refunded`; from the first two `→ voided`; `processing →
 *   declined`. `none` stays: there is nothing to pay.
 * - fulfilment: `unfulfilled → shipped → delivered`; `unfulfilled → stopped`.
 *
 * @module
 */
import { FlotillaError } from '@flotilla/core/error'
import type { FulfilmentStatus, OrderStatus, PaymentStatus } from '../contracts/orders.ts'

type Table<S extends string> = Readonly<Record<S, readonly S[]>>

const ORDER: Table<OrderStatus> = {
  pending: ['confirmed', 'rejected', 'expired', 'cancelled'],
  confirmed: ['shipped', 'cancelled'],
  shipped: ['delivered'],
  delivered: [],
  rejected: [],
  cancelled: [],
  expired: [],
}

const PAYMENT: Table<PaymentStatus> = {
  none: [],
  processing: ['authorised', 'declined', 'voided'],
  authorised: ['captured', 'voided'],
  captured: ['partially_refunded', 'refunded'],
  partially_refunded: ['refunded'],
  refunded: [],
  voided: [],
  declined: [],
}

const FULFILMENT: Table<FulfilmentStatus> = {
  unfulfilled: ['shipped', 'stopped'],
  shipped: ['delivered'],
  delivered: [],
  stopped: [],
}

/** The three states of an order. */
export interface States {
  readonly status: OrderStatus
  readonly paymentStatus: PaymentStatus
  readonly fulfilmentStatus: FulfilmentStatus
}

/** True when an order may go from one to the other in one change. */
function isLegal(before: States, after: States): boolean {
  return (
    mayFollow(ORDER, before.status, after.status) &&
    mayFollow(PAYMENT, before.paymentStatus, after.paymentStatus) &&
    mayFollow(FULFILMENT, before.fulfilmentStatus, after.fulfilmentStatus)
  )
}

/** @throws FlotillaError `internal`: the code wants what its own rules forbid. */
export function requireLegal(before: States, after: States): void {
  if (!isLegal(before, after)) {
    const show = ({ status, paymentStatus, fulfilmentStatus }: States): string =>
      `${status}/${paymentStatus}/${fulfilmentStatus}`
    throw new FlotillaError('internal', `An order cannot go from ${show(before)} to ${show(after)}.`)
  }
}

/** True when nothing can happen to an order any more, but for its money. */
export function isOver({ status }: Pick<States, 'status'>): boolean {
  return ORDER[status].length === 0
}

function mayFollow<S extends string>(table: Table<S>, before: S, after: S): boolean {
  return before === after || table[before].includes(after)
}
