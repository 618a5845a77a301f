/**
 * What admins do to products. A write names the version it was made for; one made for an older version is refused, so of
 * two at once one wins. Each tells of it in its own transaction.
 *
 * The answer to a write may be lost and the write made again, by the platform too. A repeat finds its own effect (the next
 * version, exactly as it would have made it) and is answered like the first.
 *
 * @module
 */
import { isoTime } from '@flotilla/core/clock'
import { isUniqueViolation, sqlFailureOf } from '@flotilla/core/pg-errors'
import type { Context, Handlers } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import type { catalog } from '../contracts/catalog.ts'
import { isTooLarge, publishChange } from './product-changes.ts'
import { type ProductRow, toProduct, withStock } from './product-row.ts'
import { availabilityOf } from './stock.ts'

type Handler<K extends keyof Handlers<typeof catalog>> = Handlers<typeof catalog>[K]

/** Answers `createProduct`; a product is published unless the admin says otherwise. */
export const createProduct: Handler<'createProduct'> = async (input, ctx) => {
  const { sku, name, description, category, price, attributes, isPublished = true } = input
  if (isTooLarge(input)) throw ctx.fail('too_large')
  // Before the transaction, which must not wait for another service.
  const availability = await availabilityOf(ctx, [sku])
  const now = isoTime(ctx.clock.now())
  try {
    return await ctx.commit(async (tx) => {
      const row = await tx.one<ProductRow>(sql`
        insert into product
          (id, sku, name, description, category, price, currency, attributes, is_published, created_at, updated_at)
        values (${ctx.newId()}, ${sku}, ${name}, ${description}, ${category}, ${price.amount}, ${price.currency},
          ${sql.json(attributes)}, ${isPublished}, ${now}, ${now})
        returning *`)
      await publishChange(ctx, tx, row)
      return toProduct(row, availability)
    })
  } catch (error) {
    if (isUniqueViolation(error, 'product_sku_key')) throw ctx.fail('sku_taken')
    if (isUnknownCategory(error)) throw ctx.fail('no_category')
    throw error
  }
}

/** Answers `updateProduct`. */
export const updateProduct: Handler<'updateProduct'> = async (input, ctx) => {
  const { id, version, name, description, category, price, attributes, isPublished } = input
  if (isTooLarge(input)) throw ctx.fail('too_large')
  try {
    const updated = await ctx.db.transaction(async (tx) => {
      const row = await tx.maybe<ProductRow>(sql`
        update product set name = ${name}, description = ${description}, category = ${category},
          price = ${price.amount}, currency = ${price.currency}, attributes = ${sql.json(attributes)},
          is_published = ${isPublished}, version = version + 1, updated_at = ${isoTime(ctx.clock.now())}
        where id = ${id} and version = ${version}::double precision and deleted_at is null
        returning *`)
      if (row !== undefined) await publishChange(ctx, tx, row)
      return row
    })
    const row =
      updated ??
      (await ctx.db.maybe<ProductRow>(sql`
        select * from product
        where id = ${id} and version = ${version}::double precision + 1 and deleted_at is null
          and name = ${name} and description = ${description} and category = ${category}
          and price = ${price.amount} and currency = ${price.currency} and attributes = ${sql.json(attributes)}
          and is_published = ${isPublished}`))
    if (row === undefined) throw ctx.fail(await whyNot(ctx, id))
    const [product] = await withStock(ctx, [row])
    return product as NonNullable<typeof product>
  } catch (error) {
    if (isUnknownCategory(error)) throw ctx.fail('no_category')
    throw error
  }
}

/** Answers `deleteProduct`: a tombstone stays, so that its SKU keeps its meaning. */
export const deleteProduct: Handler<'deleteProduct'> = async ({ id, version }, ctx) => {
  const isDeleted = await ctx.db.transaction(async (tx) => {
    const now = isoTime(ctx.clock.now())
    const row = await tx.maybe<ProductRow>(sql`
      update product set deleted_at = ${now}, updated_at = ${now}, version = version + 1
      where id = ${id} and version = ${version}::double precision and deleted_at is null
      returning *`)
    if (row !== undefined) await publishChange(ctx, tx, row)
    return row !== undefined
  })
  if (isDeleted) return {}
  const wasDeleted = await ctx.db.execute(sql`
    select from product
    where id = ${id} and version = ${version}::double precision + 1 and deleted_at is not null`)
  if (wasDeleted === 0) throw ctx.fail(await whyNot(ctx, id))
  return {}
}

/** Why a write met no row. */
async function whyNot(ctx: Context, id: string): Promise<'stale_version' | 'no_product'> {
  const found = await ctx.db.execute(sql`select from product where id = ${id} and deleted_at is null`)
  return found === 0 ? 'no_product' : 'stale_version'
}

function isUnknownCategory(error: unknown): boolean {
  return sqlFailureOf(error)?.constraint === 'product_category_fkey'
}
