/**
 * Finding products by words.
 *
 * @module
 */
import { anyone, service } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, Nothing, paging, type Static, Type } from '@flotilla/core/schema'
import { Product, Sku } from './catalog.ts'

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

/** What search needs to know of a product. */
const Entry = Type.Pick(Product, [
  'id',
  'sku',
  'name',
  'description',
  'category',
  'price',
  'attributes',
  'version',
])

/** An entry as a value. */
export type SearchEntry = Static<typeof Entry>

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
    }),
    index: command({
      summary:
        'Takes over changes of the catalog: entries to show, ids to forget. Older versions than known are skipped.',
      access: service('catalog'),
      idempotency: 'natural',
      criticality: 'sheddable_plus',
      input: Type.Object({
        entries: Type.Array(Entry, { maxItems: 200 }),
        removed: Type.Array(Type.Object({ id: Id, version: Type.Integer({ minimum: 1 }) }), {
          maxItems: 200,
        }),
      }),
      output: Nothing,
    }),
  },
})
