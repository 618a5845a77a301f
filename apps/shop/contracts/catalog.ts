/**
 * Products, categories and reviews.
 *
 * @module
 */
import { anyone, role, service, user } from '@flotilla/core/access'
import { defineContract } from '@flotilla/core/contract'
import { event } from '@flotilla/core/event'
import { command, query } from '@flotilla/core/operation'
import { Id, Money, Nothing, Page, paging, type Static, Time, Type } from '@flotilla/core/schema'
import { staleVersion, Version } from './versioning.ts'

/** What one product is called in stock, carts and orders. */
export const Sku = Type.String({ minLength: 1, maxLength: 40, pattern: '^[A-Z0-9][A-Z0-9-]*$' })

const Slug = Type.String({ minLength: 1, maxLength: 60, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' })

/** What a product is like: whatever its category calls for. */
const Attributes = Type.Record(
  Type.String({ pattern: '^[a-z][A-Za-z0-9]{0,39}$' }),
  Type.Union([
    Type.String({ maxLength: 200 }),
    Type.Number(),
    Type.Boolean(),
    Type.Array(Type.String({ maxLength: 200 }), { maxItems: 30 }),
  ]),
  { maxProperties: 40 },
)

/** What an admin may write. */
const ProductFields = {
  name: Type.String({ minLength: 1, maxLength: 200 }),
  description: Type.String({ maxLength: 5_000 }),
  category: Slug,
  price: Type.Object({
    amount: Type.Integer({ minimum: 0, maximum: 100_000_000 }),
    currency: Type.String({ pattern: '^[A-Z]{3}$' }),
  }),
  attributes: Attributes,
  isPublished: Type.Boolean(),
}

/** Mean of the reviews; null while there are none. */
const Rating = Type.Object({
  average: Type.Union([Type.Number(), Type.Null()]),
  count: Type.Integer({ minimum: 0 }),
})

/** A product. */
export const Product = Type.Object(
  {
    id: Id,
    sku: Sku,
    ...ProductFields,
    price: Money,
    rating: Rating,
    /** Null while the inventory cannot be asked. */
    stock: Type.Union([Type.Object({ available: Type.Integer({ minimum: 0 }) }), Type.Null()]),
    version: Version,
    updatedAt: Time,
  },
  { title: 'Product' },
)

/** A product as a value. */
export type Product = Static<typeof Product>

/** What others keep of a product that is shown. */
const ProductContent = Type.Pick(Product, ['sku', 'name', 'description', 'category', 'price', 'attributes'])

/** What others keep of a product, as a value. */
export type ProductContent = Static<typeof ProductContent>

/** A category. */
export const Category = Type.Object(
  { slug: Slug, name: Type.String(), description: Type.String(), productCount: Type.Integer({ minimum: 0 }) },
  { title: 'Category' },
)

const Review = Type.Object(
  {
    id: Id,
    productId: Id,
    author: Type.String(),
    stars: Type.Integer({ minimum: 1, maximum: 5 }),
    title: Type.String(),
    text: Type.String(),
    createdAt: Time,
  },
  { title: 'Review' },
)

const productReasons = {
  no_product: { code: 'not_found', title: 'There is no such product' },
} as const

const writeReasons = {
  no_category: { code: 'failed_precondition', status: 409, title: 'There is no such category' },
  sku_taken: { code: 'already_exists', title: 'Another product has this SKU' },
  too_large: {
    code: 'invalid_argument',
    title: 'Description and attributes are more than a product can have',
  },
} as const

/** The catalog contract. */
export const catalog = defineContract({
  name: 'catalog',
  version: 1,
  summary: 'Products, categories and reviews.',
  operations: {
    products: query({
      summary: 'Published products, page by page.',
      access: anyone,
      http: 'GET /products',
      input: Type.Object({
        category: Type.Optional(Slug),
        minPrice: Type.Optional(Type.Integer({ minimum: 0 })),
        maxPrice: Type.Optional(Type.Integer({ minimum: 0 })),
        sort: Type.Optional(
          Type.Union([
            Type.Literal('newest'),
            Type.Literal('price'),
            Type.Literal('-price'),
            Type.Literal('name'),
            Type.Literal('rating'),
          ]),
        ),
        ...paging,
      }),
      output: Page(Product),
      reasons: {
        bad_cursor: { code: 'invalid_argument', title: 'This cursor does not belong to this list' },
      },
      // Of what is in stock it tells what was so when it was made.
      cache: { maxAgeS: 10, scope: 'everyone', tags: ['products'], partialIfNull: ['items.stock'] },
    }),
    product: query({
      summary: 'One product.',
      access: anyone,
      http: { route: 'GET /products/{id}', etag: 'version' },
      input: Type.Object({ id: Id }),
      output: Product,
      reasons: productReasons,
      cache: {
        maxAgeS: 5,
        scope: 'everyone',
        // They see what is not published.
        exceptRoles: ['admin'],
        tags: ['product:{id}', 'sku:{output.sku}'],
        partialIfNull: ['stock'],
      },
    }),
    productsBySku: query({
      summary: 'Published products by SKU; unknown ones are left out.',
      access: service('cart', 'search', 'gateway'),
      input: Type.Object({ skus: Type.Array(Sku, { maxItems: 100 }) }),
      output: Type.Object({
        items: Type.Array(Type.Pick(Product, ['id', 'sku', 'name', 'category', 'price'])),
      }),
    }),
    categories: query({
      summary: 'All categories.',
      access: anyone,
      http: 'GET /categories',
      output: Type.Object({ items: Type.Array(Category) }),
      // How many products there are in each.
      cache: { maxAgeS: 60, scope: 'everyone', tags: ['products'] },
    }),
    createProduct: command({
      summary: 'Adds a product.',
      access: role('admin'),
      http: { route: 'POST /products', status: 201, etag: 'version' },
      idempotency: 'key',
      input: Type.Object({ sku: Sku, ...ProductFields, isPublished: Type.Optional(Type.Boolean()) }),
      output: Product,
      reasons: writeReasons,
      changes: ['products'],
    }),
    updateProduct: command({
      summary: 'Replaces what is written about a product.',
      access: role('admin'),
      http: { route: 'PUT /products/{id}', ifMatch: 'version', etag: 'version' },
      idempotency: 'natural',
      input: Type.Object({ id: Id, version: Version, ...ProductFields }),
      output: Product,
      reasons: {
        ...productReasons,
        ...staleVersion,
        no_category: writeReasons.no_category,
        too_large: writeReasons.too_large,
      },
      changes: ['products', 'product:{id}'],
    }),
    deleteProduct: command({
      summary: 'Takes a product out of the catalog; orders keep what they know of it.',
      access: role('admin'),
      http: { route: 'DELETE /products/{id}', status: 204, ifMatch: 'version' },
      idempotency: 'natural',
      input: Type.Object({ id: Id, version: Version }),
      output: Nothing,
      reasons: { ...productReasons, ...staleVersion },
      changes: ['products', 'product:{id}'],
    }),
    republish: command({
      summary: 'Tells of products again, a page a call, for who lost what it knew of them.',
      access: role('admin'),
      http: 'POST /products/republish',
      idempotency: 'natural',
      input: Type.Object({
        limit: paging.limit,
        /** The id of the last product told of; absent: from the first one. */
        after: Type.Optional(Id),
      }),
      output: Type.Object({
        count: Type.Integer({ minimum: 0 }),
        /** Where to go on; null: that was the last page. */
        last: Type.Union([Id, Type.Null()]),
      }),
    }),
    reviews: query({
      summary: 'Reviews of a product, the newest first.',
      access: anyone,
      http: 'GET /products/{id}/reviews',
      input: Type.Object({ id: Id, ...paging }),
      output: Page(Review),
      reasons: {
        ...productReasons,
        bad_cursor: { code: 'invalid_argument', title: 'This cursor does not belong to this list' },
      },
    }),
    addReview: command({
      summary: 'Reviews a product; once per user and product.',
      access: user,
      http: { route: 'POST /products/{id}/reviews', status: 201 },
      idempotency: 'key',
      input: Type.Object({
        id: Id,
        stars: Type.Integer({ minimum: 1, maximum: 5 }),
        title: Type.String({ minLength: 1, maxLength: 120 }),
        text: Type.String({ maxLength: 2_000 }),
      }),
      output: Review,
      reasons: {
        ...productReasons,
        already_reviewed: { code: 'already_exists', title: 'You have reviewed this product' },
      },
      changes: ['products', 'product:{id}'],
    }),
  },
  events: {
    productChanged: event({
      version: 1,
      key: 'productId',
      summary:
        'What is shown of a product is another. Versions may be told twice and left out; the newest counts.',
      data: Type.Object({
        productId: Id,
        version: Version,
        /** Null: it is shown no more. */
        content: Type.Union([ProductContent, Type.Null()]),
      }),
    }),
    productRated: event({
      version: 1,
      key: 'productId',
      summary: 'A product has a review more, and another rating; nothing else of it has changed.',
      data: Type.Object({ productId: Id, version: Version }),
    }),
  },
})
