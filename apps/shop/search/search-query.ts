/**
 * From what was typed to what is searched for: first the words as they are (the last one may be unfinished), and when
 * nothing has them, each word that no entry has is corrected to the most similar one that some entry has.
 *
 * @module
 */
import type { Session } from '@flotilla/core/session'
import { sql } from '@flotilla/core/sql'
import { cleaned, correctable, unfinishedWord, withCorrections } from './words.ts'

/** Longer ones nobody types; PostgreSQL's `levenshtein` takes up to 255 bytes. */
const WORD_CHARS_MAX = 40
const CANDIDATES_MAX = 50

/** What is searched for. */
export interface SearchQuery {
  /** A `tsquery`, as text. */
  readonly query: string
  /** Null: the words as typed. */
  readonly correctedTo: string | null
}

/** Decides what to search for. */
export async function searchQuery(db: Session, typed: string): Promise<SearchQuery> {
  const words = cleaned(typed)
  const asTyped = await lookUp(db, words)
  if (asTyped.isFound) return { query: asTyped.query, correctedTo: null }
  const corrected = withCorrections(words, await correctionsOf(db, correctable(words)))
  if (corrected !== words) {
    const instead = await lookUp(db, corrected)
    if (instead.isFound) return { query: instead.query, correctedTo: corrected }
  }
  return { query: asTyped.query, correctedTo: null }
}

interface LookUp {
  readonly query: string
  readonly isFound: boolean
}

function lookUp(db: Session, words: string): Promise<LookUp> {
  const { before, word } = unfinishedWord(words) ?? { before: '', word: '' }
  // websearch_to_tsquery takes anything; to_tsquery is given letters and digits.
  return db.one<LookUp>(sql`
    select query::text, exists (select from entry where document @@ query) as "isFound"
    from (
      select websearch_to_tsquery('shop_text', ${words})
        || case when ${word} = '' then ''::tsquery
           else websearch_to_tsquery('shop_text', ${before}) && to_tsquery('shop_text', ${word} || ':*') end as query
    ) asked`)
}

/**
 * By the words as typed; those that entries have, and those like none, are left out. The index gives the words that share
 * most with one; of these the one with the fewest letters between them is meant.
 *
 * @source Elasticsearch's `fuzziness: AUTO`: one letter, from six letters on two
 */
async function correctionsOf(db: Session, words: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (words.length === 0) return new Map()
  const corrections = await db.many<{ typed: string; meant: string }>(sql`
    select typed, meant
    from unnest(${words}::text[]) typed, unaccent(lower(typed)) plain,
      lateral (select case when length(plain) > 5 then 2 else 1 end as letters) allowed,
      lateral (
        select text as meant
        from (select text, entries from word where length(text) <= ${WORD_CHARS_MAX}
          order by text <-> plain limit ${CANDIDATES_MAX}) near
        where levenshtein_less_equal(text, plain, letters) <= letters
        order by levenshtein(text, plain), text <-> plain, entries desc, text limit 1
      ) best
    where length(plain) <= ${WORD_CHARS_MAX} and not exists (select from word where text = plain)`)
  return new Map(corrections.map(({ typed, meant }) => [typed, meant]))
}
