/**
 * All SQL of the cart, and how long one lasts.
 *
 * Every statement says whose cart it means; there is no other way to a cart. A cart whose time is up reads as empty, and one
 * version further, at that very moment; its lines are deleted later (`pruneCarts`) or by the next change.
 *
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import type { Money } from '@flotilla/core/schema'
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'

const DAY_MS = 86_400_000
const LIFE_MS = 30 * DAY_MS

/** What is kept of a line. */
export interface StoredLine {
  readonly sku: string
  readonly quantity: number
  readonly productId: string
  /** Name and price when it was last put in. */
  readonly name: string
  readonly unitPrice: Money
}

/** What is kept of a cart. */
export interface StoredCart {
  /** Undefined: there is none, or it has expired. */
  readonly id: string | undefined
  /** 0: there never was one. */
  readonly version: number
  /** Milliseconds since 1970. */
  readonly updatedAtMs: number
  /** In the order they were put in. */
  readonly lines: readonly StoredLine[]
  /** A code in upper case; undefined: none. */
  readonly coupon: string | undefined
}

interface CartRow {
  readonly id: string
  readonly version: number
  readonly updatedAt: string
  readonly coupon: string | null
  readonly lines: readonly StoredLine[]
}

/** When a cart that was last changed at `updatedAtMs` expires. */
export function expiryMs(updatedAtMs: number): number {
  return updatedAtMs + LIFE_MS
}

/** A user's cart, head and lines from one snapshot. */
export async function findCart(
  queries: Session | Transaction,
  userId: string,
  nowMs: number,
): Promise<StoredCart> {
  const row = await queries.maybe<CartRow>(sql`
    select id, version, updated_at as "updatedAt", coupon, coalesce((
      select json_agg(json_build_object('sku', sku, 'quantity', quantity, 'productId', product_id, 'name', name,
        'unitPrice', json_build_object('amount', unit_price, 'currency', currency)) order by position)
      from cart_line where cart_line.user_id = cart.user_id), '[]') as lines
    from cart where user_id = ${userId}`)
  const nothing = { id: undefined, updatedAtMs: nowMs, lines: [], coupon: undefined }
  if (row === undefined) return { ...nothing, version: 0 }
  const { id, version, lines } = row
  const updatedAtMs = parseIsoTime(row.updatedAt)
  if (expiryMs(updatedAtMs) <= nowMs) return { ...nothing, version: version + 1 }
  return { id, version, updatedAtMs, lines, coupon: row.coupon ?? undefined }
}

/** Whose cart has that id, or had it before something was ordered; undefined when it is not known any more. */
export async function findOwner(tx: Transaction, cartId: string): Promise<string | undefined> {
  const row = await tx.maybe<{ userId: string }>(sql`
    select user_id as "userId" from cart where id = ${cartId}
    union select user_id from cart_order where cart_id = ${cartId}`)
  return row?.userId
}

/** What was ordered, and from which cart. */
export interface CartOrder {
  readonly orderId: string
  readonly cartId: string
  readonly version: number
}

/** Remembers that an order was made of a cart; false when this one was, or one of that cart at that version. */
export async function addOrder(tx: Transaction, userId: string, order: CartOrder): Promise<boolean> {
  const { orderId, cartId, version } = order
  const added = await tx.execute(sql`
    insert into cart_order (order_id, cart_id, version, user_id)
    values (${orderId}, ${cartId}, ${version}, ${userId})
    on conflict do nothing`)
  return added === 1
}

/** Makes the changes of one user's cart wait for each other, also while there is no row that could be locked. */
export function lockCart(tx: Transaction, userId: string): void {
  tx.send(sql`select pg_advisory_xact_lock(hashtextextended(${userId}, 0))`)
}

/** Writes a cart as it is to be: `changed` are those of its lines that are new or not as before. */
export function saveCart(
  tx: Transaction,
  userId: string,
  cart: StoredCart & { readonly id: string },
  changed: readonly StoredLine[],
): void {
  const { id, version, updatedAtMs, lines, coupon = null } = cart
  tx.send(sql`
    insert into cart (user_id, id, version, updated_at, line_count, coupon)
    values (${userId}, ${id}, ${version}, ${isoTime(updatedAtMs)}, ${lines.length}, ${coupon})
    on conflict (user_id) do update set id = excluded.id, version = excluded.version,
      updated_at = excluded.updated_at, line_count = excluded.line_count, coupon = excluded.coupon`)
  // Whatever else is there belonged to this cart, or to one that has expired.
  tx.send(sql`
    delete from cart_line where user_id = ${userId} and sku <> all(${lines.map(({ sku }) => sku)}::text[])`)
  if (changed.length === 0) return
  tx.send(sql`
    insert into cart_line (user_id, sku, quantity, product_id, name, unit_price, currency)
    select ${userId}, sku, quantity, "productId", name, ("unitPrice" ->> 'amount')::bigint, "unitPrice" ->> 'currency'
    from json_to_recordset(${sql.json(changed)})
      as line (sku text, quantity integer, "productId" text, name text, "unitPrice" json)
    on conflict (user_id, sku) do update set quantity = excluded.quantity, product_id = excluded.product_id,
      name = excluded.name, unit_price = excluded.unit_price, currency = excluded.currency`)
}

/** Deletes the lines of at most `limit` expired carts that nobody is changing; returns of how many. */
export function pruneCarts(db: Session, nowMs: number, limit: number): Promise<number> {
  return db.execute(sql`
    with expired as (
      select user_id from cart where updated_at <= ${isoTime(nowMs - LIFE_MS)} and line_count > 0
      order by updated_at limit ${limit} for update skip locked
    ), gone as (
      delete from cart_line using expired where cart_line.user_id = expired.user_id
    )
    update cart set line_count = 0 from expired where cart.user_id = expired.user_id`)
}
