/**
 * All SQL of shipments.
 *
 * An order is either stopped or sent, never both. Both sides must first change the order's row in `fulfilment`: a stop
 * from whatever is not `shipped`, the first parcel to leave from whatever is not `stopped`. PostgreSQL lets one of
 * two such statements wait for the other and then look again, so one wins, whoever else is looking at the shipments. Only
 * then do the shipments follow, in the same transaction. Locks are always taken in this order.
 *
 * The row also makes everything happen once: a shipment is made by whoever inserts it, so an order that is told of
 * twice, or after it was stopped, changes nothing.
 *
 * @module
 */
import { derivedId } from '@flotilla/core/ids'
import type { Session } from '@flotilla/core/session'
import { type Sql, sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { Address } from '../contracts/address.ts'
import type { Shipment } from '../contracts/shipping.ts'

/** Moved at once, at most; the next turn goes on. */
const BATCH_COUNT = 100
const SHIPMENTS_MAX = 50

/** What is sent, and to whom. */
export interface Consignment {
  readonly orderId: string
  readonly userId: string
  /** Told along with what becomes of the parcel. */
  readonly email: string
  readonly shippingAddress: Address
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
}

/** A parcel that has just left or arrived. */
export interface Moved {
  readonly orderId: string
  readonly shipmentId: string
  readonly userId: string
  readonly email: string
  readonly trackingNumber: string
  /** ISO 8601, by the database's clock. */
  readonly at: string
}

/** Makes the shipment of an order, one parcel for all of it; nothing when it was made or stopped before. */
export function createShipment(tx: Transaction, consignment: Consignment): void {
  const { orderId, userId, email, shippingAddress, lines } = consignment
  tx.send(sql`
    with opened as (
      insert into fulfilment (order_id, fate) values (${orderId}, 'open')
      on conflict (order_id) do nothing
      returning order_id
    ), created as (
      insert into shipment (id, order_id, ordinal, user_id, email, address, status)
      select ${derivedId('shipment', `${orderId} 1`)}, order_id, 1, ${userId}, ${email}, ${sql.json(shippingAddress)}, 'pending'
      from opened
      returning id
    )
    insert into shipment_line (shipment_id, sku, quantity)
    select created.id, sku, sum(quantity)
    from created, unnest(${lines.map(({ sku }) => sku)}::text[], ${lines.map(({ quantity }) => quantity)}::integer[])
      as line (sku, quantity)
    group by created.id, sku`)
}

/** Keeps an order from being sent; false: a parcel has left already. */
export async function stopShipments(tx: Transaction, orderId: string): Promise<boolean> {
  const decided = await tx.execute(sql`
    insert into fulfilment (order_id, fate) values (${orderId}, 'stopped')
    on conflict (order_id) do update set fate = 'stopped' where fulfilment.fate <> 'shipped'`)
  if (decided === 0) return false
  // A statement of its own: a shipment made while the first one waited is seen only from here.
  await tx.execute(sql`
    update shipment set status = 'stopped', since = now()
    where order_id = ${orderId} and status in ('pending', 'packed')`)
  return true
}

/** Which shipments are meant: those long enough in their status, or one whatever its age. */
export type Which = { readonly afterMs: number } | { readonly id: string }

/** Packs what is pending; how many. */
export function pack(tx: Transaction, which: Which): Promise<number> {
  const { id, afterMs } = bounds(which)
  return tx.execute(sql`
    update shipment set status = 'packed', since = now(), packed_at = now()
    where status = 'pending' and id = any(array(
      select id from shipment
      where status = 'pending' and since <= now() - make_interval(secs => ${afterMs}::float8 / 1000)
        and (${id}::text is null or id = ${id})
      order by since limit ${BATCH_COUNT} for update ${skipping(which)}))`)
}

/** Hands over to the carrier what is packed and not stopped; one that is named, also straight from `pending`. */
export function ship(tx: Transaction, which: Which): Promise<Moved[]> {
  const { id, afterMs } = bounds(which)
  return tx.many<Moved>(sql`
    with due as (
      select shipment.id, order_id from shipment join fulfilment using (order_id)
      where (status = 'packed' or status = 'pending' and id = ${id}) and fate <> 'stopped'
        and since <= now() - make_interval(secs => ${afterMs}::float8 / 1000)
        and (${id}::text is null or id = ${id})
      order by since limit ${BATCH_COUNT} for update of fulfilment ${skipping(which)}
    ), leaving as (
      update fulfilment set fate = 'shipped'
      from due where fulfilment.order_id = due.order_id and fate <> 'stopped'
      returning due.id
    )
    update shipment set status = 'shipped', since = now(), packed_at = coalesce(packed_at, now()), shipped_at = now(),
      tracking_number = 'FL' || upper(left(md5(id), 14))
    where id in (select id from leaving) and status in ('pending', 'packed')
    returning order_id as "orderId", id as "shipmentId", user_id as "userId", email, tracking_number as "trackingNumber",
      shipped_at as at`)
}

/** Delivers what is shipped. */
export function deliver(tx: Transaction, which: Which): Promise<Moved[]> {
  const { id, afterMs } = bounds(which)
  return tx.many<Moved>(sql`
    update shipment set status = 'delivered', since = now(), delivered_at = now()
    where status = 'shipped' and id = any(array(
      select id from shipment
      where status = 'shipped' and since <= now() - make_interval(secs => ${afterMs}::float8 / 1000)
        and (${id}::text is null or id = ${id})
      order by since limit ${BATCH_COUNT} for update ${skipping(which)}))
    returning order_id as "orderId", id as "shipmentId", user_id as "userId", email, tracking_number as "trackingNumber",
      delivered_at as at`)
}

/** Who names one waits for it; who takes whatever is due leaves what another has in hand. */
const skipping = (which: Which): Sql => ('id' in which ? sql.empty : sql`skip locked`)

function bounds(which: Which): { readonly id: string | null; readonly afterMs: number } {
  return 'id' in which ? { id: which.id, afterMs: 0 } : { id: null, afterMs: which.afterMs }
}

const columns = sql`
  id, order_id as "orderId", status, address, tracking_number as "trackingNumber", created_at as "createdAt",
  packed_at as "packedAt", shipped_at as "shippedAt", delivered_at as "deliveredAt", (
    select coalesce(json_agg(json_build_object('sku', sku, 'quantity', quantity) order by sku), '[]')
    from shipment_line where shipment_id = shipment.id
  ) as lines`

/** A shipment; one of `userId` only, unless null. */
export function findShipment(
  db: Pick<Session, 'maybe'>,
  id: string,
  userId: string | null,
): Promise<Shipment | undefined> {
  return db.maybe<Shipment>(sql`
    select ${columns} from shipment
    where id = ${id} and (${userId}::text is null or user_id = ${userId})`)
}

/** The shipments of an order of `userId`, in order. */
export function findShipments(db: Session, orderId: string, userId: string): Promise<Shipment[]> {
  return db.many<Shipment>(sql`
    select ${columns} from shipment
    where order_id = ${orderId} and user_id = ${userId} order by ordinal limit ${SHIPMENTS_MAX}`)
}
