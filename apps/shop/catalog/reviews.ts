/**
 * Reviews: once per user and product, their sum kept in the product's row.
 *
 * A review changes what `GET /products/{id}` answers, and the ETag of that answer is the product's version; so a review
 * makes a new version, or caches would go on showing the old rating. (The price: an admin who was writing meanwhile
 * reads again.) Others keep no ratings; `productRated` is for caches.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import { derivedId } from '@flotilla/core/ids'
import { isUniqueViolation } from '@flotilla/core/pg-errors'
import { Id, Type } from '@flotilla/core/schema'
import type { Handlers } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { catalog } from '../contracts/catalog.ts'
import { CursorTime, type Position, readCursor, writeCursor } from '../contracts/cursor.ts'
import { seesUnpublished } from './product-row.ts'

const LIMIT_DEFAULT = 20
const NAME_CHARS = 6

interface ReviewRow {
  readonly id: string
  readonly productId: string
  readonly author: string
  readonly stars: number
  readonly title: string
  readonly text: string
  readonly createdAt: string
}

/** Answers `reviews`. */
export const listReviews: Handlers<typeof catalog>['reviews'] = async (input, ctx) => {
  const { id, limit = LIMIT_DEFAULT, cursor } = input
  const isVisible = await ctx.db.execute(sql`
    select from product where id = ${id} and deleted_at is null and (is_published or ${seesUnpublished(ctx)})`)
  if (isVisible === 0) throw ctx.fail('no_product')
  const list: Position = ['reviews', id]
  const after = cursor === undefined ? undefined : readCursor(list, Type.Tuple([CursorTime, Id]), cursor)
  if (cursor !== undefined && after === undefined) throw ctx.fail('bad_cursor')
  const rows = await ctx.db.many<ReviewRow>(sql`
    select id, product_id as "productId", author, stars, title, body as text, created_at as "createdAt" from review
    where product_id = ${id} ${after === undefined ? sql.empty : sql`and (created_at, id) < (${after[0]}, ${after[1]})`}
    order by created_at desc, id desc limit ${limit + 1}`)
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, nextCursor: last === undefined ? null : writeCursor(list, [last.createdAt, last.id]) }
}

/** Answers `addReview`. */
export const addReview: Handlers<typeof catalog>['addReview'] = async (input, ctx) => {
  const { id, stars, title, text } = input
  const userId = ctx.user.id
  const now = isoTime(ctx.clock.now())
  try {
    return await ctx.commit(async (tx) => {
      // First, so that reviews of one product wait for each other here and none is lost from the sum.
      const counted = await tx.maybe<{ version: number }>(sql`
        update product set rating_sum = rating_sum + ${stars}, rating_count = rating_count + 1,
          version = version + 1, updated_at = ${now}
        where id = ${id} and deleted_at is null and (is_published or ${seesUnpublished(ctx)})
        returning version`)
      if (counted === undefined) throw ctx.fail('no_product')
      await ctx.publish(tx, catalog.events.productRated, { productId: id, version: counted.version })
      return tx.one<ReviewRow>(sql`
        insert into review (id, product_id, user_id, author, stars, title, body, created_at)
        values (${ctx.newId()}, ${id}, ${userId}, ${pseudonym(userId)}, ${stars}, ${title}, ${text}, ${now})
        returning id, product_id as "productId", author, stars, title, body as text, created_at as "createdAt"`)
    })
  } catch (error) {
    if (isUniqueViolation(error, 'review_once')) throw ctx.fail('already_reviewed')
    throw error
  }
}

/** What the public sees of a user: the same for all reviews of one, and no way back to the account. */
function pseudonym(userId: string): string {
  return `Customer ${derivedId('review author', userId).slice(0, NAME_CHARS).toUpperCase()}`
}
