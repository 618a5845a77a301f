/**
 * Orders as the oracle sees them: folded from their events by rules of its own, which know nothing of the shop's code.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import type { World } from './world.ts'

/** An amount. */
export interface Amount {
  readonly amount: number
  readonly currency: string
}

/** What an order was placed with. */
export interface Placed {
  readonly userId: string
  readonly email: string
  readonly cartId: string
  readonly attemptId: string
  readonly couponCode?: string
  readonly lines: readonly {
    readonly sku: string
    readonly productId: string
    readonly quantity: number
    readonly unitPrice: Amount
    readonly lineTotal: Amount
    readonly discount: Amount
    readonly tax: Amount
  }[]
  readonly totals: Readonly<
    Record<'subtotal' | 'discount' | 'shipping' | 'shippingTax' | 'tax' | 'total', Amount>
  >
}

/** An order and what happened to it. */
export interface OrderSeen {
  readonly id: string
  readonly placed: Placed
  readonly types: readonly string[]
  readonly status: string
  readonly payment: string
  readonly fulfilment: string
  /** By id. */
  readonly refunds: ReadonlyMap<string, { readonly amount: number; readonly status: string }>
  /** What no order may have: each says what and where. */
  readonly mistakes: readonly string[]
}

interface EventRow {
  readonly id: string
  readonly version: number
  readonly type: string
  readonly at: string
  // The shape depends on the type, and what is missing is what is looked for.
  // biome-ignore lint/suspicious/noExplicitAny: data of all kinds
  readonly data: any
}

/** Where an event may happen (order/payment, either may be *), and what it makes of the three states. */
interface Rule {
  readonly from: readonly string[]
  readonly status?: string
  readonly payment?: string
  readonly fulfilment?: string
}

const live = ['confirmed', 'shipped', 'delivered']
const rules: Readonly<Record<string, Rule>> = {
  authorised: { from: ['pending/processing'], payment: 'authorised' },
  confirmed: { from: ['pending/authorised', 'pending/none'], status: 'confirmed' },
  captured: { from: live.map((status) => `${status}/authorised`), payment: 'captured' },
  checkedOut: { from: live.map((status) => `${status}/*`) },
  rejected: { from: ['pending/*'], status: 'rejected', fulfilment: 'stopped' },
  expired: { from: ['pending/*'], status: 'expired', fulfilment: 'stopped' },
  abandoned: { from: ['pending/*'], status: 'cancelled', fulfilment: 'stopped' },
  cancelWished: { from: ['pending/*', 'confirmed/*'] },
  cancelRefused: { from: live.map((status) => `${status}/*`) },
  cancelled: { from: ['confirmed/*'], status: 'cancelled', fulfilment: 'stopped' },
  voided: { from: ['cancelled/authorised'], payment: 'voided' },
  refundStarted: { from: ['*/captured', '*/partially_refunded'] },
  refundFailed: { from: ['*/*'] },
  refunded: { from: ['*/captured', '*/partially_refunded'] },
  shipped: { from: ['confirmed/*'], status: 'shipped', fulfilment: 'shipped' },
  delivered: { from: ['shipped/*'], status: 'delivered', fulfilment: 'delivered' },
}

/** All orders, by id; the same until the world is looked at anew. */
export function seeOrders(world: World): Promise<ReadonlyMap<string, OrderSeen>> {
  return world.once('orders', async () => {
    const rows = await world.rows<EventRow>(
      'orders',
      sql`
        select id, version, type, at, data from flotilla.aggregate_event
        where aggregate = 'order' order by id, version`,
    )
    const byOrder = new Map<string, EventRow[]>()
    for (const row of rows) byOrder.set(row.id, [...(byOrder.get(row.id) ?? []), row])
    return new Map([...byOrder].map(([id, events]) => [id, fold(id, events)]))
  })
}

/** True when it was confirmed at some time. */
export function wasConfirmed({ types }: OrderSeen): boolean {
  return types.includes('confirmed')
}

/** True when it came to nothing, before or after it was confirmed. */
export function cameToNothing({ status }: OrderSeen): boolean {
  return status === 'rejected' || status === 'cancelled' || status === 'expired'
}

/** Minor units that were given back. */
export function refundedOf({ refunds }: OrderSeen): number {
  return [...refunds.values()].reduce((sum, { amount, status }) => sum + (status === 'done' ? amount : 0), 0)
}

function fold(id: string, events: readonly EventRow[]): OrderSeen {
  const mistakes: string[] = []
  const refunds = new Map<string, { amount: number; status: string }>()
  const [first] = events as [EventRow, ...EventRow[]]
  if (first.type !== 'placed') mistakes.push(`it begins with ${first.type}`)
  const placed = first.data as Placed
  const total = placed.totals?.total.amount ?? 0
  let [status, payment, fulfilment] = ['pending', total === 0 ? 'none' : 'processing', 'unfulfilled']
  for (const [index, { version, type, data, at }] of events.entries()) {
    if (version !== index + 1) mistakes.push(`version ${version} follows ${index}`)
    const before = events[index - 1]
    if (before !== undefined && at < before.at)
      mistakes.push(`version ${version} is before the one before it`)
    if (index === 0) continue
    const rule = rules[type]
    const isLegal = rule?.from.some((from) => matches(from, status, payment)) ?? false
    if (!isLegal) mistakes.push(`${type} happened to what was ${status}/${payment}`)
    status = rule?.status ?? status
    fulfilment = rule?.fulfilment ?? fulfilment
    payment = rule?.payment ?? data?.paymentStatus ?? payment
    noteRefund(refunds, type, data, mistakes)
    if (type === 'refunded') payment = sumDone(refunds) === total ? 'refunded' : 'partially_refunded'
  }
  const types = events.map(({ type }) => type)
  for (const once of ['placed', 'confirmed', 'captured', 'shipped', 'delivered', 'cancelled']) {
    if (types.filter((type) => type === once).length > 1) mistakes.push(`${once} happened twice`)
  }
  if (types.includes('shipped') && status === 'cancelled') mistakes.push('it was shipped and cancelled')
  return { id, placed, types, status, payment, fulfilment, refunds, mistakes }
}

function matches(from: string, status: string, payment: string): boolean {
  const [wantedStatus, wantedPayment] = from.split('/')
  return (
    (wantedStatus === '*' || wantedStatus === status) && (wantedPayment === '*' || wantedPayment === payment)
  )
}

function noteRefund(
  refunds: Map<string, { amount: number; status: string }>,
  type: string,
  data: { readonly refundId?: string; readonly amount?: Amount },
  mistakes: string[],
): void {
  const { refundId, amount } = data
  if (refundId === undefined) return
  const known = refunds.get(refundId)
  if (type === 'refundStarted') {
    if (known !== undefined) mistakes.push(`refund ${refundId} began twice`)
    refunds.set(refundId, { amount: amount?.amount ?? 0, status: 'processing' })
    return
  }
  if (known?.status !== 'processing')
    mistakes.push(`${type} of refund ${refundId}, which was ${known?.status}`)
  refunds.set(refundId, { amount: known?.amount ?? 0, status: type === 'refunded' ? 'done' : 'failed' })
}

function sumDone(refunds: ReadonlyMap<string, { amount: number; status: string }>): number {
  return [...refunds.values()].reduce((sum, { amount, status }) => sum + (status === 'done' ? amount : 0), 0)
}
