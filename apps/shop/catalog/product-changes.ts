/**
 * Telling others what became of products: each write publishes what is shown of the product from then on, in its own
 * transaction. Whoever keeps it sees by the version what is newer, so that telling again does no harm.
 *
 * @module
 */
import type { Context, Handlers } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { catalog, type ProductContent } from '../contracts/catalog.ts'
import type { ProductRow } from './product-row.ts'

/** What one event can carry, less the little that is not text. */
const TEXT_BYTES_MAX = 60_000
const PAGE_COUNT = 100

/** True when there is more to say about a product than an event can carry. */
export function isTooLarge({
  description,
  attributes,
}: Pick<ProductContent, 'description' | 'attributes'>): boolean {
  return Buffer.byteLength(JSON.stringify([description, attributes])) > TEXT_BYTES_MAX
}

/** Tells what is shown of a product now. */
export function publishChange(ctx: Context, tx: Transaction, row: ProductRow): Promise<void> {
  const { id, version, is_published, deleted_at } = row
  const content = is_published && deleted_at === null ? contentOf(row) : null
  return ctx.publish(tx, catalog.events.productChanged, { productId: id, version, content })
}

/** Answers `republish`. */
export const republish: Handlers<typeof catalog>['republish'] = ({ limit = PAGE_COUNT, after = null }, ctx) =>
  ctx.commit(async (tx) => {
    // Deleted ones too: who missed the end of a product would show it for ever. Locked, so that no newer version is told first.
    const rows = await tx.many<ProductRow>(sql`
      select * from product where ${after}::text is null or id > ${after} order by id limit ${limit} for share`)
    for (const row of rows) await publishChange(ctx, tx, row)
    return { count: rows.length, last: rows.length < limit ? null : (rows.at(-1)?.id ?? null) }
  })

function contentOf({
  sku,
  name,
  description,
  category,
  price,
  currency,
  attributes,
}: ProductRow): ProductContent {
  return { sku, name, description, category, price: { amount: price, currency }, attributes }
}
