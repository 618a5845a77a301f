/**
 * Takes over a change of the catalog. Changes may come twice, late and in any order: the newest version stands, and a removal
 * is remembered by its version like anything else. Which words there are, to correct mistyped ones by, is counted along in
 * the same transaction.
 *
 * @module
 */
import { sql } from '@flotilla/core/sql'
import type { Transaction } from '@flotilla/core/transaction'
import type { ProductContent } from '../contracts/catalog.ts'

/** What a product is like from a version on; null: it is shown no more. */
export interface ProductChange {
  readonly productId: string
  readonly version: number
  readonly content: ProductContent | null
}

/** Any number will do, as long as it is always the same. */
const WORDS_LOCK = 1

/** Makes it known, unless it is known already. */
export async function takeOver(
  tx: Transaction,
  { productId, version, content }: ProductChange,
): Promise<void> {
  // Products share words, and a transaction may take over many products: without order, two would wait for each other.
  await tx.execute(sql`select pg_advisory_xact_lock(${WORDS_LOCK})`)
  await tx.execute(sql`
    with changed as (
      insert into entry as known (id, version, content)
      values (${productId}, ${version}, nullif(${sql.json(content)}::jsonb, 'null'))
      on conflict (id) do update set version = excluded.version, content = excluded.content
        where known.version < excluded.version
      returning old.words as before, new.words as after
    ), counted as (
      select text, sum(entries)::integer as entries from (
        select unnest(after) as text, 1 as entries from changed
        union all select unnest(before), -1 from changed
      ) occurrence group by text having sum(entries) <> 0
    )
    insert into word as known (text, entries) select text, entries from counted
    on conflict (text) do update set entries = known.entries + excluded.entries`)
  await tx.execute(sql`delete from word where entries <= 0`)
}
