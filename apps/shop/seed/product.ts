/**
 * What a product of the seed data looks like. Plain data, so that any service can read it without knowing the
 * catalogue's contract.
 *
 * @module
 */
import type { CategorySlug } from './categories.ts'

/**
 * What an attribute may hold. One name has one type in the whole catalogue, so that a facet never mixes them;
 * a number's unit stands at the end of the name (`weightG`, `washC`).
 */
export type AttributeValue = string | number | boolean | readonly string[]

/** A product as its category's file lists it. */
export interface ProductEntry {
  /** Three letters of the category and a number, `AUD-0007`. Never reused: old orders keep their meaning. */
  readonly sku: string
  /** Unique in the shop. */
  readonly name: string
  /** Two to four sentences for the storefront, 60 to 500 characters. */
  readonly description: string
  /** Price of one in EUR minor units, an integer > 0. */
  readonly priceCents: number
  /** On hand when the shop is first seeded, 0 to 250. */
  readonly stock: number
  /** What the category's products are compared by; an attribute that does not apply is absent. */
  readonly attributes: Readonly<Record<string, AttributeValue>>
}

/** A product with the category it belongs to. */
export interface SeedProduct extends ProductEntry {
  readonly category: CategorySlug
}
