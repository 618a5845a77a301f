/**
 * What is kept for orders.
 *
 * A reservation is `active` from the moment its stock is kept. It is ended once, by whoever changes its state first; the
 * statement that does so names the state it expects:
 *
 * - `committed`: the order was paid, the stock is taken out. Only a cancellation follows: `released`.
 * - `released`: the order will not be; the stock is given back, and nothing can follow. An order that is released before
 *   anything was reserved for it gets a released reservation too, without lines, so that a reservation which was still
 *   on its way is refused when it arrives.
 * - `expired`: nobody came until `expires_at`, by the clock of the database, and the background task found it; until it
 *   does, a commit still finds everything in place. A commit that comes later takes what is there, if there is enough
 *   (`committed`); a release closes it for good (`released`).
 *
 * Every transaction locks reservations before it locks stock, and waits for reservations only while it has no
 * stock; the background task, which locks many, waits for none.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Reservation } from '../contracts/inventory.ts'

/** What is kept of one SKU. */
export type Line = Reservation['lines'][number]

/** A line, and whose it is. */
export type OrderLine = Line & { readonly orderId: string }

/** The reservation of an order; undefined when there never was one. */
export function findReservation(
  queries: Session | Transaction,
  orderId: string,
): Promise<Reservation | undefined> {
  return queries.maybe<Reservation>(sql`
    select id as "reservationId", order_id as "orderId", state, expires_at as "expiresAt", version, coalesce((
      select json_agg(json_build_object('sku', sku, 'quantity', quantity) order by sku collate "C")
      from reservation_line where reservation_line.order_id = reservation.order_id), '[]') as lines
    from reservation where order_id = ${orderId}`)
}

/** A new reservation, to be filled by `addLines`. */
export interface NewReservation {
  readonly orderId: string
  readonly id: string
  readonly ttlS: number
}

/** Makes an active reservation; undefined when the order has or had one. */
export function openReservation(
  tx: Transaction,
  { orderId, id, ttlS }: NewReservation,
): Promise<{ reservationId: string; expiresAt: string } | undefined> {
  return tx.maybe(sql`
    insert into reservation (order_id, id, state, version, expires_at)
    values (${orderId}, ${id}, 'active', 1, now() + make_interval(secs => ${ttlS}))
    on conflict (order_id) do nothing
    returning id as "reservationId", expires_at as "expiresAt"`)
}

/** Says what is kept; the stock must have been moved before. */
export function addLines(tx: Transaction, orderId: string, lines: readonly Line[]): void {
  tx.send(sql`
    insert into reservation_line (order_id, sku, quantity)
    select ${orderId}, sku, quantity
    from unnest(${lines.map(({ sku }) => sku)}::text[], ${lines.map(({ quantity }) => quantity)}::integer[])
      as line (sku, quantity)`)
}

/** Refuses what would be reserved for an order later; false when it has or had a reservation. */
export async function closeUnopened(tx: Transaction, orderId: string, id: string): Promise<boolean> {
  const closed = await tx.execute(sql`
    insert into reservation (order_id, id, state, version, expires_at)
    values (${orderId}, ${id}, 'released', 1, now())
    on conflict (order_id) do nothing`)
  return closed === 1
}

/** Ends a reservation that is in state `from`, and gives its lines; none when it is in another state. */
export function endReservation(
  tx: Transaction,
  orderId: string,
  from: Reservation['state'],
  to: Reservation['state'],
): Promise<OrderLine[]> {
  return tx.many<OrderLine>(sql`
    with ended as (
      update reservation set state = ${to}, version = version + 1
      where order_id = ${orderId} and state = ${from}
      returning order_id
    )
    select order_id as "orderId", sku, quantity from ended join reservation_line using (order_id)`)
}

/** Ends at most `limit` reservations whose time is up and that nobody else is ending, and gives their lines. */
export function expireReservations(tx: Transaction, limit: number): Promise<OrderLine[]> {
  return tx.many<OrderLine>(sql`
    with due as (
      select order_id from reservation where state = 'active' and expires_at <= now()
      order by expires_at limit ${limit} for update skip locked
    ), ended as (
      update reservation set state = 'expired', version = version + 1
      from due where reservation.order_id = due.order_id
      returning reservation.order_id
    )
    select order_id as "orderId", sku, quantity from ended join reservation_line using (order_id)`)
}
