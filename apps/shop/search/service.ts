/**
 * Finding products by words: PostgreSQL's full text search over what the catalog tells.
 *
 * @module
 */
import { on } from '@flotilla/core/reaction'
import { Id, Type } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { catalog } from '../contracts/catalog.ts'
import { type Position, readCursor, writeCursor } from '../contracts/cursor.ts'
import { search } from '../contracts/search.ts'
import { facetsOf } from './facets.ts'
import { hitsAfter } from './hits.ts'
import { searchQuery } from './search-query.ts'
import { takeOver } from './take-over.ts'

const LIMIT_DEFAULT = 20

const PlaceInCursor = Type.Tuple([Type.Number({ minimum: 0, maximum: 1_000 }), Id])

/** The search. */
export const searchService = defineService({
  contract: search,
  database: { migrations: 'search/migrations', extensions: ['fuzzystrmatch', 'pg_trgm', 'unaccent'] },
  reactions: [on(catalog.events.productChanged, ({ data }, { tx }) => takeOver(tx, data))],
  open({ clock }) {
    return {
      async search({ q, category = null, limit = LIMIT_DEFAULT, cursor }, ctx) {
        const startedMs = clock.monotonicMs()
        const list: Position = ['search', q, category ?? '']
        const after = cursor === undefined ? undefined : readCursor(list, PlaceInCursor, cursor)
        if (cursor !== undefined && after === undefined) throw ctx.fail('bad_cursor')
        const { query, correctedTo } = await searchQuery(ctx.db, q)
        const [found, facets] = await Promise.all([
          // One more than asked for tells whether there is another page.
          hitsAfter(ctx.db, { query, category }, after ?? [null, null], limit + 1),
          facetsOf(ctx.db, { query, category }),
        ])
        const page = found.slice(0, limit)
        const last = found.length > limit ? page.at(-1) : undefined
        return {
          items: page.map(({ hit }) => hit),
          facets,
          nextCursor: last === undefined ? null : writeCursor(list, last.place),
          took: clock.monotonicMs() - startedMs,
          correctedTo,
        }
      },
    }
  },
})
