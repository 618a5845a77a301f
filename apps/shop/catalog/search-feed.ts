/**
 * Tells the search what changed.
 *
 * A write notes the product in `search_change`, in its own transaction. A task reads noted products as they are now, hands
 * them over, and takes off the notes that are still those it read. Whatever fails on the way leaves the notes, so each
 * change is handed over at least once; the search skips versions it knows, so more often does no harm, also when several
 * instances do it side by side. Nothing is locked while the search is called.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import { type SearchEntry, search } from '../contracts/search.ts'
import type { ProductRow } from './product-row.ts'

/** What one call of `search.index` takes. */
const BATCH_MAX = 200
/** A turn hands over at most so many batches; the next turn goes on. */
const BATCHES_MAX = 100
/** Well below what a frame holds, also in UTF-8. One product is always less. */
const BATCH_CHARS_MAX = 1_000_000

interface Change extends ProductRow {
  readonly noted: number
}

/** Notes that the search is to be told of `product`. */
export async function noteChange(
  tx: Transaction,
  product: Pick<ProductRow, 'id' | 'version'>,
): Promise<void> {
  await tx.execute(sql`
    insert into search_change (product_id, version) values (${product.id}, ${product.version})
    on conflict (product_id) do update set version = excluded.version`)
}

/** One turn: hands over what is noted. */
export async function feedSearch(ctx: Context): Promise<void> {
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    if (!(await feedBatch(ctx))) return
  }
}

/** False when nothing was noted. */
async function feedBatch(ctx: Context): Promise<boolean> {
  const noted = await ctx.db.many<Change>(sql`
    select product.*, search_change.version as noted
    from search_change join product on product.id = product_id
    order by product_id limit ${BATCH_MAX}`)
  if (noted.length === 0) return false
  const batch = fitting(noted, BATCH_CHARS_MAX)
  const isShown = ({ is_published, deleted_at }: ProductRow): boolean => is_published && deleted_at === null
  await ctx.call(search).index({
    entries: batch.filter(isShown).map(toEntry),
    removed: batch.filter((row) => !isShown(row)).map(({ id, version }) => ({ id, version })),
  })
  await ctx.db.execute(sql`
    delete from search_change using unnest(${batch.map(({ id }) => id)}::text[], ${batch.map((row) => row.noted)}::integer[])
      as told (id, version)
    where product_id = told.id and search_change.version = told.version`)
  return true
}

/** As many from the front as `charsMax` characters of JSON hold, but at least one. */
export function fitting<T>(rows: readonly T[], charsMax: number): readonly T[] {
  let chars = 0
  const end = rows.findIndex((row) => {
    chars += JSON.stringify(row).length
    return chars > charsMax
  })
  return end === -1 ? rows : rows.slice(0, Math.max(1, end))
}

function toEntry(row: ProductRow): SearchEntry {
  const { id, sku, name, description, category, price, currency, attributes, version } = row
  return { id, sku, name, description, category, price: { amount: price, currency }, attributes, version }
}
