/**
 * The whole assortment: 240 products, thirty in each category. Brands, authors and publishers are invented.
 *
 * @module
 */
import { audio } from './audio.ts'
import { books } from './books.ts'
import { type CategorySlug, categories } from './categories.ts'
import { coffeeAndTea } from './coffee-and-tea.ts'
import { cycling } from './cycling.ts'
import { home } from './home.ts'
import { kitchen } from './kitchen.ts'
import { outdoor } from './outdoor.ts'
import type { ProductEntry, SeedProduct } from './product.ts'
import { stationery } from './stationery.ts'

const entriesOf: Readonly<Record<CategorySlug, readonly ProductEntry[]>> = {
  audio,
  books,
  'coffee-and-tea': coffeeAndTea,
  cycling,
  home,
  kitchen,
  outdoor,
  stationery,
}

/** Every product, by category in menu order. */
export const products: readonly SeedProduct[] = categories.flatMap(({ slug }) =>
  entriesOf[slug].map((entry) => ({ ...entry, category: slug })),
)
