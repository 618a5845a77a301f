/**
 * Answers that the gateway puts together from several services.
 *
 * @module
 */
import { anyone, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { query } from '@flotilla/core/operation'
import { Type } from '@flotilla/core/schema'
import { Partial } from '@flotilla/gateway/aggregate'
import { Profile } from './auth.ts'
import { Cart } from './cart.ts'
import { Category, Product } from './catalog.ts'

const Products = Type.Union([Type.Array(Product), Type.Null()])

/** The contract. */
export const gateway = defineContract({
  name: 'gateway',
  version: 1,
  summary: 'Pages put together from several services; a part that fails is null, with a note in `partial`.',
  operations: {
    home: query({
      summary: 'What the start page shows.',
      access: anyone,
      http: 'GET /home',
      output: Type.Object({
        categories: Type.Union([Type.Array(Category), Type.Null()]),
        newest: Products,
        bestRated: Products,
        partial: Partial,
      }),
      // Not to be cached: a part may be missing for a moment.
    }),
    dashboard: query({
      summary: 'What your own page shows.',
      access: user,
      http: 'GET /dashboard',
      output: Type.Object({
        profile: Type.Union([Profile, Type.Null()]),
        cart: Type.Union([Cart, Type.Null()]),
        suggestions: Products,
        partial: Partial,
      }),
    }),
  },
})
