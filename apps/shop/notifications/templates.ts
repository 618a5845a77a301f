/**
 * What mails say: a function for each occasion, from the event's data to the mail. Amounts are the order's own, to the
 * cent: nothing is added up here.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'
import type { Address } from '../contracts/address.ts'
import type { Mail } from './mail-store.ts'
import { moneyText } from './money-text.ts'

/** Whose order it is, and where mails about it go. */
export interface OrderOwner {
  readonly orderId: string
  readonly userId: string
  readonly email: string
}

/** What the mail about a confirmed order tells. */
export interface ConfirmedOrder extends OrderOwner {
  readonly lines: readonly { readonly name: string; readonly quantity: number; readonly lineTotal: Money }[]
  readonly totals: {
    readonly subtotal: Money
    readonly discount: Money
    readonly shipping: Money
    readonly total: Money
  }
  readonly shippingAddress: Address
}

/** What the mail about a refund tells. */
export interface Refund extends OrderOwner {
  readonly refundId: string
  readonly amount: Money
}

/** What the mails about a parcel tell. */
export interface Parcel extends OrderOwner {
  readonly shipmentId: string
  readonly trackingNumber: string
}

/** The order is confirmed. */
export function confirmedMail(order: ConfirmedOrder): Mail {
  const { lines, totals, shippingAddress } = order
  return mail(order, 'confirmed', 'is confirmed', [
    'thank you for your order. This is what you bought:',
    lines.map(({ name, quantity, lineTotal }) => `${quantity} × ${name}: ${moneyText(lineTotal)}`),
    [
      `Subtotal: ${moneyText(totals.subtotal)}`,
      ...(totals.discount.amount === 0 ? [] : [`Discount: -${moneyText(totals.discount)}`]),
      `Shipping: ${moneyText(totals.shipping)}`,
      `Total: ${moneyText(totals.total)}`,
    ],
    ['We send it to:', ...addressLines(shippingAddress)],
  ])
}

/** The order is cancelled. */
export function cancelledMail(order: OrderOwner): Mail {
  return mail(order, 'cancelled', 'is cancelled', [
    'your order is cancelled. What you have paid for it, if anything, goes back to your card.',
  ])
}

/** The order could not be made. */
export function rejectedMail(order: OrderOwner): Mail {
  return mail(order, 'rejected', 'could not be completed', [
    'we could not complete your order, and nothing was charged. Your cart is still there: please try again.',
  ])
}

/** The order was not paid. */
export function expiredMail(order: OrderOwner): Mail {
  return mail(order, 'expired', 'was not paid', [
    'your order was not paid in time, so we have put everything back. Nothing was charged.',
  ])
}

/** Money goes back. */
export function refundedMail(refund: Refund): Mail {
  const text = [`we have refunded ${moneyText(refund.amount)} to your card.`]
  return { ...mail(refund, 'refunded', 'was refunded', text), about: refund.refundId }
}

/** A parcel has left. */
export function shippedMail(parcel: Parcel): Mail {
  const text = [`your order is on its way. Its tracking number: ${parcel.trackingNumber}.`]
  return { ...mail(parcel, 'shipped', 'is on its way', text), about: parcel.shipmentId }
}

/** A parcel has arrived. */
export function deliveredMail(parcel: Parcel): Mail {
  const text = [`your parcel ${parcel.trackingNumber} has arrived. Enjoy!`]
  return { ...mail(parcel, 'delivered', 'has arrived', text), about: parcel.shipmentId }
}

type Paragraph = string | readonly string[]

function mail(owner: OrderOwner, template: string, what: string, paragraphs: readonly Paragraph[]): Mail {
  const { orderId, userId, email } = owner
  const texts = ['Hello,', ...paragraphs, 'Your shop'].map((one) =>
    typeof one === 'string' ? one : one.join('\n'),
  )
  return {
    orderId,
    template,
    userId,
    recipient: email,
    subject: `Your order ${orderId} ${what}`,
    body: `${texts.join('\n\n')}\n`,
  }
}

function addressLines({ name, line1, line2, postcode, city, country }: Address): readonly string[] {
  return [name, line1, ...(line2 ? [line2] : []), `${postcode} ${city}`, country]
}
