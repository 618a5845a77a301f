/**
 * Finding products by words.
 *
 * @module
 */
import { anyone } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Id, Money, paging, Type } from '@flotilla/core/schema'
import { Sku } from './catalog.ts'

const Hit = Type.Object(
  {
    id: Id,
    sku: Sku,
    name: Type.String(),
    category: Type.String(),
    price: Money,
    /** Part of the description, the words found between `<b>` and `</b>`; everything else escaped for HTML. */
    snippet: Type.String(),
  },
  { title: 'SearchHit' },
)

const Facet = Type.Object({
  name: Type.String(),
  values: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer({ minimum: 1 }) })),
})

/** The search contract. */
export const search = defineContract({
  name: 'search',
  version: 1,
  summary: 'Finding products by words.',
  operations: {
    search: query({
      summary: 'Products that match the words, the best first; forgives typing mistakes.',
      access: anyone,
      http: 'GET /search',
      input: Type.Object({
        q: Type.String({ minLength: 1, maxLength: 200 }),
        category: Type.Optional(Type.String({ maxLength: 60 })),
        ...paging,
      }),
      output: Type.Object({
        items: Type.Array(Hit),
        facets: Type.Array(Facet),
        nextCursor: Type.Union([Type.String(), Type.Null()]),
        /** Milliseconds. */
        took: Type.Number({ minimum: 0 }),
        /** What was searched for instead, when the words as typed matched nothing. */
        correctedTo: Type.Union([Type.String(), Type.Null()]),
      }),
      reasons: {
        bad_cursor: { code: 'invalid_argument', title: 'This cursor does not belong to this search' },
      },
      criticality: 'sheddable_plus',
      // Not by events: it hears of them itself, and may answer as before when the gateway has heard already.
      cache: { maxAgeS: 2, scope: 'everyone', tags: [] },
    }),
  },
})
