/**
 * The first assortment. Ids and dates of products follow from the data, so that every installation has the same; reviews
 * are as old as the data says on the day of seeding.
 *
 * @module
 */
import { isoTime, parseIsoTime } from '@flotilla/core/clock'
import { derivedId } from '@flotilla/core/ids'
import type { Context } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { categories } from '../seed/categories.ts'
import { products } from '../seed/products.ts'
import { reviews } from '../seed/reviews.ts'
import { publishChange } from './product-changes.ts'
import type { ProductRow } from './product-row.ts'

const DAY_MS = 86_400_000
/** When the shop began to fill its shelves: a product of each category a day. */
const OPENED_MS = parseIsoTime('2025-03-03T08:00:00.000Z')

const productId = (sku: string): string => derivedId('seed product', sku)

/** Fills an empty catalog; leaves any other alone. */
export async function seedCatalog(ctx: Context): Promise<void> {
  await ctx.db.transaction(async (tx) => {
    const added = await tx.execute(sql`
      insert into category
      select slug, name, description, "order"
      from jsonb_to_recordset(${sql.json(categories)}) as seed (slug text, name text, description text, "order" integer)
      on conflict do nothing`)
    // Somebody has been here before, and may have changed what they found.
    if (added === 0) return
    await tx.execute(sql`
      insert into product
        (id, sku, name, description, category, price, currency, attributes, is_published, created_at, updated_at)
      select id, sku, name, description, category, "priceCents", 'EUR', attributes, true, at, at
      from jsonb_to_recordset(${sql.json(productRows())}) as seed (id text, sku text, name text, description text,
        category text, "priceCents" integer, attributes jsonb, at timestamptz)`)
    await tx.execute(sql`
      insert into review (id, product_id, user_id, author, stars, title, body, created_at)
      select id, "productId", "userId", author, rating, title, text, at
      from jsonb_to_recordset(${sql.json(reviewRows(ctx.clock.now()))}) as seed (id text, "productId" text,
        "userId" text, author text, rating smallint, title text, text text, at timestamptz)`)
    await tx.execute(sql`
      update product set rating_sum = stars, rating_count = count
      from (select product_id, sum(stars) as stars, count(*) as count from review group by product_id) given
      where product.id = product_id`)
    for (const row of await tx.many<ProductRow>(sql`select * from product order by id`)) {
      await publishChange(ctx, tx, row)
    }
  })
}

function productRows(): readonly object[] {
  const placesTaken = new Map<string, number>()
  return products.map((product) => {
    const place = placesTaken.get(product.category) ?? 0
    placesTaken.set(product.category, place + 1)
    return { ...product, id: productId(product.sku), at: isoTime(OPENED_MS + place * DAY_MS) }
  })
}

function reviewRows(nowMs: number): readonly object[] {
  return reviews.map((review) => {
    const { sku, author, daysAgo } = review
    return {
      ...review,
      id: derivedId('seed review', `${sku} ${author}`),
      productId: productId(sku),
      userId: derivedId('seed user', author),
      at: isoTime(nowMs - daysAgo * DAY_MS),
    }
  })
}
