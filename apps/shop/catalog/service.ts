/**
 * The catalog: products, categories, reviews.
 *
 * @module
 */
import type { Static } from '@flotilla/core/schema'
import { defineService } from '@flotilla/core/service'
import { sql } from '@flotilla/core/sql'
import { type Category, catalog, type Product } from '../contracts/catalog.ts'
import { inventory } from '../contracts/inventory.ts'
import { republish } from './product-changes.ts'
import { listProducts } from './product-list.ts'
import { type ProductRow, seesUnpublished, withStock } from './product-row.ts'
import { createProduct, deleteProduct, updateProduct } from './product-writes.ts'
import { addReview, listReviews } from './reviews.ts'
import { seedCatalog } from './seed.ts'

/** The catalog. */
export const catalogService = defineService({
  contract: catalog,
  database: { migrations: 'catalog/migrations' },
  calls: [inventory],
  seed: seedCatalog,
  open() {
    return {
      products: listProducts,
      async product({ id }, ctx) {
        const row = await ctx.db.maybe<ProductRow>(sql`
          select * from product
          where id = ${id} and deleted_at is null and (is_published or ${seesUnpublished(ctx)})`)
        const [product] = row === undefined ? [] : await withStock(ctx, [row])
        if (product === undefined) throw ctx.fail('no_product')
        return product
      },
      async productsBySku({ skus }, ctx) {
        const items = await ctx.db.many<Pick<Product, 'id' | 'sku' | 'name' | 'category' | 'price'>>(sql`
          select id, sku, name, category, json_build_object('amount', price, 'currency', currency) as price
          from product where sku = any(${skus}) and is_published and deleted_at is null`)
        return { items }
      },
      async categories(_, ctx) {
        const items = await ctx.db.many<Static<typeof Category>>(sql`
          select slug, name, description, coalesce(count, 0) as "productCount"
          from category left join (
            select category, count(*) from product where is_published and deleted_at is null group by category
          ) counted on category = slug
          order by position`)
        return { items }
      },
      createProduct,
      updateProduct,
      deleteProduct,
      republish,
      reviews: listReviews,
      addReview,
    }
  },
})
