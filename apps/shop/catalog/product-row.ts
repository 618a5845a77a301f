/**
 * A product as its table has it, and as the contract shows it.
 *
 * @module
 */
import type { Context } from '@flotilla/core/service'
import type { Product } from '../contracts/catalog.ts'
import { type Availability, availabilityOf } from './stock.ts'

/** A row of the table `product`. */
export interface ProductRow {
  readonly id: string
  readonly sku: string
  readonly name: string
  /** Lower case. */
  readonly name_key: string
  readonly description: string
  readonly category: string
  readonly price: number
  readonly currency: string
  readonly attributes: Product['attributes']
  readonly is_published: boolean
  /** 0: no reviews. */
  readonly rating: number
  readonly rating_count: number
  readonly version: number
  readonly created_at: string
  readonly updated_at: string
  readonly deleted_at: string | null
}

/** The product with its stock; a SKU that the inventory does not know of cannot be sold. */
export function toProduct(row: ProductRow, availability: Availability): Product {
  return {
    id: row.id,
    sku: row.sku,
    name: row.name,
    description: row.description,
    category: row.category,
    price: { amount: row.price, currency: row.currency },
    attributes: row.attributes,
    isPublished: row.is_published,
    rating: { average: row.rating_count === 0 ? null : row.rating, count: row.rating_count },
    stock: availability === null ? null : { available: availability.get(row.sku) ?? 0 },
    version: row.version,
    updatedAt: row.updated_at,
  }
}

/** The products of a page, their stock asked for at once. */
export async function withStock(ctx: Context, rows: readonly ProductRow[]): Promise<Product[]> {
  const availability = await availabilityOf(
    ctx,
    rows.map(({ sku }) => sku),
  )
  return rows.map((row) => toProduct(row, availability))
}

/** Whether who asks may see products that are not published. */
export function seesUnpublished(ctx: Context): boolean {
  return ctx.caller.user?.roles.includes('admin') ?? false
}
