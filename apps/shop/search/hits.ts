/**
 * One page of what was found, the best first.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import type { ProductContent } from '../contracts/catalog.ts'
import { HEADLINE, snippetOf, TRANSLATION } from './snippet.ts'

/** Where a page ended. */
export type Place = readonly [rank: number, id: string]

type ShownContent = Pick<ProductContent, 'sku' | 'name' | 'category' | 'price'>

/** A hit as the contract shows it, and its place. */
export interface Found {
  readonly hit: ShownContent & { readonly id: string; readonly snippet: string }
  readonly place: Place
}

interface Row {
  readonly id: string
  readonly content: ShownContent
  readonly rank: number
  readonly headline: string
}

/** What is searched in and for. */
export interface Search {
  /** A `tsquery`, as text. */
  readonly query: string
  /** Null: in all. */
  readonly category: string | null
}

/** The hits after a place, at most `limit`. */
export async function hitsAfter(
  db: Session,
  { query, category }: Search,
  [rank, id]: Place | readonly [null, null],
  limit: number,
): Promise<Found[]> {
  const rows = await db.many<Row>(sql`
    select id, content - '{description,attributes}'::text[] as content, rank, ts_headline('shop_text',
      translate(content ->> 'description', ${TRANSLATION.from}, ${TRANSLATION.to}), ${query}::tsquery, ${HEADLINE}) as headline
    from (
      select id, content, rank
      from (
        select id, content, ts_rank(document, ${query}::tsquery) as rank from entry
        where document @@ ${query}::tsquery and (${category}::text is null or category = ${category})
      ) found
      where ${id}::text is null or (rank, id) < (${rank}::real, ${id})
      order by rank desc, id desc limit ${limit}
    ) page
    order by rank desc, id desc`)
  return rows.map(({ id, content: { sku, name, category, price }, rank, headline }) => {
    return { hit: { id, sku, name, category, price, snippet: snippetOf(headline) }, place: [rank, id] }
  })
}
