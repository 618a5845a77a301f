/**
 * Published products, page by page. A page begins after the (sort key, id) of the last item of the page before, which an
 * index finds, so the hundredth page costs what the first does, and products that come and go move nothing.
 *
 * @module
 */

import { Id, type TSchema, Type } from '@flotilla/core/schema'
import type { Handlers } from '@flotilla/core/service'
import { type Sql, sql } from '@flotilla/core/sql'
import type { catalog } from '../contracts/catalog.ts'
import { CursorTime, type Position, readCursor, writeCursor } from '../contracts/cursor.ts'
import { type ProductRow, withStock } from './product-row.ts'

const LIMIT_DEFAULT = 20
/** More than any price: what PostgreSQL's integer holds. */
const PRICE_MAX = 2_147_483_647

interface Sort {
  readonly key: Sql
  readonly keyOf: (row: ProductRow) => string | number
  readonly schema: TSchema
  readonly isDescending: boolean
}

const price = {
  key: sql`price`,
  keyOf: (row: ProductRow) => row.price,
  schema: Type.Integer({ minimum: 0, maximum: PRICE_MAX }),
}

const sorts = {
  newest: {
    key: sql`created_at`,
    keyOf: (row) => row.created_at,
    schema: CursorTime,
    isDescending: true,
  },
  price: { ...price, isDescending: false },
  '-price': { ...price, isDescending: true },
  name: { key: sql`name_key`, keyOf: (row) => row.name_key, schema: Type.String(), isDescending: false },
  /** The best first; those without reviews last. */
  rating: {
    key: sql`rating`,
    keyOf: (row) => row.rating,
    schema: Type.Number({ minimum: 0, maximum: 5 }),
    isDescending: true,
  },
} as const satisfies Record<string, Sort>

/** Answers `products`. */
export const listProducts: Handlers<typeof catalog>['products'] = async (input, ctx) => {
  const { category, minPrice, maxPrice, sort = 'newest', limit = LIMIT_DEFAULT, cursor } = input
  const { key, keyOf, schema, isDescending }: Sort = sorts[sort]
  const list: Position = [sort, category ?? '', minPrice ?? -1, maxPrice ?? -1]
  const conditions = [sql`is_published and deleted_at is null`]
  if (category !== undefined) conditions.push(sql`category = ${category}`)
  if (minPrice !== undefined) conditions.push(sql`price >= ${Math.min(minPrice, PRICE_MAX)}`)
  if (maxPrice !== undefined) conditions.push(sql`price <= ${Math.min(maxPrice, PRICE_MAX)}`)
  if (cursor !== undefined) {
    const position = readCursor(list, Type.Tuple([schema, Id]), cursor) as
      | readonly [string | number, string]
      | undefined
    if (position === undefined) throw ctx.fail('bad_cursor')
    const [lastKey, lastId] = position
    conditions.push(
      isDescending
        ? sql`(${key}, id) < (${lastKey}, ${lastId})`
        : sql`(${key}, id) > (${lastKey}, ${lastId})`,
    )
  }
  const direction = isDescending ? sql`desc` : sql`asc`
  // One more than asked for tells whether there is another page.
  const rows = await ctx.db.many<ProductRow>(sql`
    select * from product where ${sql.join(conditions, sql` and `)}
    order by ${key} ${direction}, id ${direction} limit ${limit + 1}`)
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return {
    items: await withStock(ctx, page),
    nextCursor: last === undefined ? null : writeCursor(list, [keyOf(last), last.id]),
  }
}
