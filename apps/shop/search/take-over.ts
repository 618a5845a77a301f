/**
 * Takes over changes of the catalog. They may come twice, late, in any order and from several instances at once: the newest
 * version stands, and a removal is remembered by its version like anything else. Which words there are, to correct mistyped
 * ones by, is counted along in the same statement.
 *
 * @module
 */
import type { Handlers } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { search } from '../contracts/search.ts'

/** Answers `index`. */
export const takeOver: Handlers<typeof search>['index'] = async ({ entries, removed }, ctx) => {
  const changes = [
    ...entries.map((entry) => ({ id: entry.id, version: entry.version, content: entry })),
    ...removed.map(({ id, version }) => ({ id, version, content: null })),
  ]
  if (changes.length === 0) return {}
  await ctx.db.transaction(async (tx) => {
    // Sorted, so that two calls with the same entries or words wait for each other and never in a circle.
    await tx.execute(sql`
      with changed as (
        insert into entry as known (id, version, content)
        select distinct on (id) id, version, nullif(content, 'null')
        from jsonb_to_recordset(${sql.json(changes)}) as change (id text, version integer, content jsonb)
        order by id, version desc
        on conflict (id) do update set version = excluded.version, content = excluded.content
          where known.version < excluded.version
        returning old.words as before, new.words as after
      ), counted as (
        select text, sum(entries)::integer as entries from (
          select unnest(after) as text, 1 as entries from changed
          union all select unnest(before), -1 from changed
        ) occurrence group by text having sum(entries) <> 0
      )
      insert into word as known (text, entries) select text, entries from counted order by text
      on conflict (text) do update set entries = known.entries + excluded.entries`)
    await tx.execute(sql`delete from word where entries <= 0`)
  })
  return {}
}
