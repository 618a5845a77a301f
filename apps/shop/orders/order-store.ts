/**
 * Reading and writing orders. Every change goes through `changeOrder`, which holds it against the table of transitions and keeps
 * the row that lists are made of in step.
 *
 * @module
 */
import type { Origin } from '@flotilla/core/aggregate-events'
import { FlotillaError } from '@flotilla/core/error'
import type { Queries } from '@flotilla/core/queries'
import type { Money } from '@flotilla/core/schema'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { FulfilmentStatus, Order, OrderStatus, PaymentStatus } from '../contracts/orders.ts'
import { type LoadedOrder, type OrderEvent, orderAggregate } from './order.ts'
import { orderChanged } from './order-changes.ts'
import { type Operators, tellOperators } from './tell-operators.ts'
import { requireLegal } from './transitions.ts'

/** An order of a list. */
export interface OrderSummary {
  readonly id: string
  readonly status: OrderStatus
  readonly paymentStatus: PaymentStatus
  readonly fulfilmentStatus: FulfilmentStatus
  readonly total: Money
  readonly placedAt: string
}

/** Where a page of a list ended. */
export interface Place {
  readonly placedAt: string
  readonly id: string
}

/**
 * Appends events, each legal after the one before.
 *
 * @throws FlotillaError `aborted`, for the transaction to run again, when somebody changed the order meanwhile; `internal` when a
 *   transition is not legal, or an order would be placed twice.
 */
export async function changeOrder(
  ctx: Operators,
  tx: Transaction,
  loaded: LoadedOrder,
  events: readonly OrderEvent[],
  origin: Origin,
): Promise<LoadedOrder> {
  let after = loaded
  // One by one, because each must be legal by itself. Mostly there is one.
  for (const event of events) {
    const before = after
    after = await orderAggregate.append(tx, before, [event], origin)
    // Before the first event there is no order, and so no state that it could leave.
    const isFirst = before.version === 0
    if (isFirst !== (event.type === 'placed')) {
      throw new FlotillaError('internal', `An order of version ${before.version} cannot be ${event.type}.`)
    }
    if (!isFirst) requireLegal(before.state, after.state)
    tellOperators(ctx, tx, event, after)
  }
  writeRow(tx, after)
  tx.afterCommit(() => orderChanged(after.id))
  return after
}

function writeRow(tx: Transaction, { id, version, state }: LoadedOrder): void {
  const { userId, cartId, status, paymentStatus, fulfilmentStatus, totals, placedAt } = state
  const { amount, currency } = totals.total
  tx.send(sql`
    insert into "order"
      (id, user_id, cart_id, status, payment_status, fulfilment_status, total, currency, placed_at, version)
    values (${id}, ${userId}, ${cartId}, ${status}, ${paymentStatus}, ${fulfilmentStatus}, ${amount}, ${currency},
      ${placedAt}, ${version})
    on conflict (id) do update set status = excluded.status, payment_status = excluded.payment_status,
      fulfilment_status = excluded.fulfilment_status, version = excluded.version`)
}

/** The user's order; undefined when there is none, or it is somebody else's. */
export async function findOrder(
  queries: Queries,
  id: string,
  userId: string,
  asOf?: string,
): Promise<LoadedOrder | undefined> {
  const loaded = await (asOf === undefined
    ? orderAggregate.load(queries, id)
    : orderAggregate.asOf(queries, id, asOf))
  return loaded.version > 0 && loaded.state.userId === userId ? loaded : undefined
}

/** What the database calls it when two orders are made of one cart at the same time. */
export const ONCE_PER_CART = 'order_once_per_cart'

/** True when the cart has an order that has not come to nothing. */
export async function isOrdered(queries: Queries, cartId: string): Promise<boolean> {
  const row = await queries.maybe(sql`
    select 1 from "order" where cart_id = ${cartId} and status not in ('rejected', 'cancelled', 'expired')`)
  return row !== undefined
}

/** The version of an order: cheaper than the order. */
export async function versionOf(queries: Queries, id: string): Promise<number> {
  const row = await queries.maybe<{ version: number }>(sql`select version from "order" where id = ${id}`)
  return row?.version ?? 0
}

/** What an order costs; undefined: there is none of this id. */
export async function totalOf(queries: Queries, id: string): Promise<Money | undefined> {
  const row = await queries.maybe<{ total: Money }>(sql`
    select json_build_object('amount', total, 'currency', currency) as total from "order" where id = ${id}`)
  return row?.total
}

/** True when `time`, ISO 8601, is over by the database's clock. */
export async function isPast(queries: Queries, time: string): Promise<boolean> {
  const { over } = await queries.one<{ over: boolean }>(sql`select ${time}::timestamptz < now() as over`)
  return over
}

/** A user's orders, newest first, after a place. */
export function ordersOf(
  queries: Queries,
  userId: string,
  after: Place | undefined,
  limit: number,
): Promise<OrderSummary[]> {
  return queries.many<OrderSummary>(sql`
    select id, status, payment_status as "paymentStatus", fulfilment_status as "fulfilmentStatus",
      json_build_object('amount', total, 'currency', currency) as total, placed_at as "placedAt"
    from "order"
    where user_id = ${userId}
      and (placed_at, id) < (coalesce(${after?.placedAt ?? null}::timestamptz, 'infinity'), ${after?.id ?? ''})
    order by placed_at desc, id desc limit ${limit}`)
}

/** An order as its owner sees it. */
export function orderView({ id, version, at = '', state }: LoadedOrder): Order {
  const { userId, email, cartId, attemptId, isCheckingOut, ...shown } = state
  return { ...shown, id, version, updatedAt: at }
}
