/**
 * What orders and the catalog told, kept for recommending. Each of the three does the same however often it is done, and
 * in whatever order: purchases and cancellations are sets that only grow, and of a product the newest version stands.
 *
 * @module
 */
import type { Money } from '@flotilla/core/schema'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'

/** An order that counts. */
export interface BoughtOrder {
  readonly orderId: string
  readonly userId: string
  readonly lines: readonly { readonly productId: string }[]
}

/** A product as the catalog tells of it; null: it is shown no more. */
export interface ChangedProduct {
  readonly productId: string
  readonly version: number
  readonly content: {
    readonly sku: string
    readonly name: string
    readonly category: string
    readonly price: Money
  } | null
}

/** Notes what an order bought. */
export function notePurchases(tx: Transaction, order: BoughtOrder, boughtAt: string): void {
  // Sorted, and each once: the same product may stand in several lines.
  const products = [...new Set(order.lines.map(({ productId }) => productId))].sort()
  tx.send(sql`
    insert into purchase (order_id, product_id, user_id, bought_at)
    select ${order.orderId}, product_id, ${order.userId}, ${boughtAt} from unnest(${products}::text[]) as product_id
    on conflict do nothing`)
}

/** Notes that an order does not count. */
export function noteCancellation(tx: Transaction, orderId: string): void {
  tx.send(sql`insert into cancelled_order (order_id) values (${orderId}) on conflict do nothing`)
}

/** Notes a product, unless a newer version is known. */
export function noteProduct(tx: Transaction, change: ChangedProduct): void {
  const { productId, version, content } = change
  if (content === null) {
    tx.send(sql`
      insert into product as known (product_id, version, sku, name, price, currency, is_shown)
      values (${productId}, ${version}, '', '', 0, '', false)
      on conflict (product_id) do update set version = excluded.version, is_shown = false
        where known.version < excluded.version`)
    return
  }
  const { sku, name, category, price } = content
  tx.send(sql`
    insert into product as known (product_id, version, sku, name, category, price, currency, is_shown)
    values (${productId}, ${version}, ${sku}, ${name}, ${category}, ${price.amount}, ${price.currency}, true)
    on conflict (product_id) do update set version = excluded.version, sku = excluded.sku, name = excluded.name,
      category = excluded.category, price = excluded.price, currency = excluded.currency, is_shown = true
      where known.version < excluded.version`)
}
