/**
 * What somebody may like.
 *
 * @module
 */
import { anyone } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Id, Money, Type } from '@flotilla/core/schema'
import { Partial } from '@flotilla/gateway/aggregate'
import { Sku } from './catalog.ts'

/** A product somebody may like. */
export const Recommendation = Type.Object(
  { productId: Id, sku: Sku, name: Type.String(), price: Money },
  { title: 'Recommendation' },
)

/** What a choice of products goes by. */
export const Source = Type.Union([
  Type.Literal('personal'),
  Type.Literal('popular'),
  Type.Literal('best_rated'),
])

/** The recommendations contract. */
export const recommendations = defineContract({
  name: 'recommendations',
  version: 1,
  summary: 'What somebody may like.',
  operations: {
    list: query({
      summary:
        'Products bought by those who bought what you did, and others of your categories; without such, what sells best.',
      access: anyone,
      http: 'GET /recommendations',
      criticality: 'sheddable_plus',
      input: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50 })) }),
      output: Type.Object({
        items: Type.Array(Recommendation),
        /** `best_rated`: nothing was ever sold. */
        source: Source,
        partial: Partial,
      }),
    }),
  },
})
