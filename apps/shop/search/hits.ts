/**
 * One page of what was found, the best first.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { type Sql, sql } from '@flotilla/core/sql'
import type { SearchEntry } from '../contracts/search.ts'
import { HEADLINE, snippetOf, TRANSLATION } from './snippet.ts'

/** Where a page ended. */
export type Place = readonly [rank: number, id: string]

/** A hit as the contract shows it, and its place. */
export interface Found {
  readonly hit: Pick<SearchEntry, 'id' | 'sku' | 'name' | 'category' | 'price'> & { readonly snippet: string }
  readonly place: Place
}

interface Row {
  readonly id: string
  readonly content: SearchEntry
  readonly rank: number
  readonly headline: string
}

/** The entries that a query finds; `category` absent: of all. */
export function matching(query: string, category: string | undefined): Sql {
  const ofCategory = category === undefined ? sql.empty : sql`and category = ${category}`
  return sql`document @@ ${query}::tsquery ${ofCategory}`
}

/** The hits after a place, at most `limit`. */
export async function hitsAfter(
  db: Session,
  query: string,
  category: string | undefined,
  after: Place | undefined,
  limit: number,
): Promise<Found[]> {
  const afterPlace =
    after === undefined ? sql.empty : sql`where (rank, id) < (${after[0]}::real, ${after[1]})`
  const rows = await db.many<Row>(sql`
    select id, content, rank,
      ts_headline('shop_text', translate(content ->> 'description', ${TRANSLATION.from}, ${TRANSLATION.to}), ${query}::tsquery, ${HEADLINE}) as headline
    from (
      select id, content, rank
      from (select id, content, ts_rank(document, ${query}::tsquery) as rank from entry where ${matching(query, category)}) found
      ${afterPlace} order by rank desc, id desc limit ${limit}
    ) page
    order by rank desc, id desc`)
  return rows.map(({ id, content: { sku, name, category, price }, rank, headline }) => {
    return { hit: { id, sku, name, category, price, snippet: snippetOf(headline) }, place: [rank, id] }
  })
}
