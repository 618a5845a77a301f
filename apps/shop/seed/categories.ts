/**
 * The eight departments of the shop.
 *
 * @module
 */

/** A category's name in addresses and queries. */
export type CategorySlug =
  | 'audio'
  | 'books'
  | 'coffee-and-tea'
  | 'cycling'
  | 'home'
  | 'kitchen'
  | 'outdoor'
  | 'stationery'

/** A category as the storefront shows it. */
export interface SeedCategory {
  readonly slug: CategorySlug
  readonly name: string
  /** One sentence. */
  readonly description: string
  /** Place in menus, from 1, without gaps. */
  readonly order: number
}

/** All categories in menu order. */
export const categories: readonly SeedCategory[] = [
  {
    slug: 'audio',
    name: 'Audio',
    description: 'Headphones, loudspeakers, radios and what keeps records turning.',
    order: 1,
  },
  {
    slug: 'coffee-and-tea',
    name: 'Coffee & Tea',
    description: 'Beans and leaves from people we can name, and good tools to brew them with.',
    order: 2,
  },
  {
    slug: 'kitchen',
    name: 'Kitchen',
    description: 'Knives, pans and small machines that can be sharpened, seasoned or repaired.',
    order: 3,
  },
  {
    slug: 'outdoor',
    name: 'Outdoor',
    description: 'For walking, camping and sitting about in weather of any kind.',
    order: 4,
  },
  {
    slug: 'cycling',
    name: 'Cycling',
    description: 'Bicycles for every day, and the parts, tools and clothes that keep them going.',
    order: 5,
  },
  {
    slug: 'stationery',
    name: 'Stationery',
    description: 'Paper, pens and ink for letters, lists and drawings.',
    order: 6,
  },
  {
    slug: 'home',
    name: 'Home',
    description: 'Light, linen and useful things for every room.',
    order: 7,
  },
  {
    slug: 'books',
    name: 'Books',
    description: 'Novels, handbooks and picture books from small publishers.',
    order: 8,
  },
]
