import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { categories } from './categories.ts'
import type { AttributeValue } from './product.ts'
import { products } from './products.ts'
import { reviews } from './reviews.ts'

const DESCRIPTION_CHARS_MIN = 60
const DESCRIPTION_CHARS_MAX = 500
const DISTINCT_OPENING_CHARS = 40

/** Words that the search tests and the demonstrations type. */
const SEARCHED = [
  'headphones',
  'umbrella',
  'bicycle',
  'thermometer',
  'rucksack',
  'notebook',
  'teapot',
  'crème brûlée',
  'café',
  'cafetière',
  'naïve',
  'jalapeños',
  '1.5 l',
  '27 mm',
  '27.2 mm',
]

/** The American spellings that slip in most easily. */
const AMERICAN =
  /aluminum|catalog(?!u)|center|color|cozy|fiber|flavor|gray|\bliter|\bmeter|\bmold|neighbor|\btires?\b/i

/** Values that occur more than once. */
function repeated(values: readonly string[]): string[] {
  return values.filter((value, index) => values.indexOf(value) !== index)
}

function typeOf(value: AttributeValue): string {
  return Array.isArray(value) ? 'string[]' : typeof value
}

describe('categories', () => {
  it('are eight, in order without gaps, each described in one sentence', () => {
    assert.deepEqual(
      categories.map(({ order }) => order),
      [1, 2, 3, 4, 5, 6, 7, 8],
    )
    assert.deepEqual(repeated(categories.map(({ slug }) => slug)), [])
    for (const { slug, description } of categories) assert.match(description, /^[A-Z][^.]+\.$/, slug)
  })
})

describe('products', () => {
  it('are thirty in each category, in menu order', () => {
    assert.deepEqual(
      products.map(({ category }) => category),
      categories.flatMap(({ slug }) => Array.from({ length: 30 }, () => slug)),
    )
  })

  it('have unique SKUs that begin with their category, and unique names', () => {
    for (const { sku, category } of products) {
      assert.match(sku, /^[A-Z]{3}-\d{4}$/)
      assert.equal(sku.slice(0, 3), category.slice(0, 3).toUpperCase())
    }
    assert.deepEqual(repeated(products.map(({ sku }) => sku)), [])
    assert.deepEqual(repeated(products.map(({ name }) => name.toLowerCase())), [])
  })

  it('cost a whole number of cents, and not all the same kind of price', () => {
    for (const { sku, priceCents } of products) {
      assert.ok(Number.isSafeInteger(priceCents) && priceCents > 0, sku)
    }
    const endings = new Set(products.map(({ priceCents }) => priceCents % 100))
    assert.ok(endings.size >= 10, `only ${endings.size} price endings`)
  })

  it('are on hand 0 to 250 times, some sold out and some nearly so', () => {
    for (const { sku, stock } of products) {
      assert.ok(Number.isInteger(stock) && stock >= 0 && stock <= 250, sku)
    }
    assert.ok(products.filter(({ stock }) => stock === 0).length >= 5)
    assert.ok(products.filter(({ stock }) => stock >= 1 && stock <= 5).length >= 10)
  })

  it('have attributes of an allowed type, the same type under one name everywhere', () => {
    const types = new Map<string, string>()
    for (const { sku, attributes } of products) {
      assert.ok(Object.keys(attributes).length >= 4, `${sku} says too little`)
      for (const [name, value] of Object.entries(attributes)) {
        const type = typeOf(value)
        assert.match(type, /^(string|number|boolean|string\[\])$/, `${sku} ${name}`)
        if (typeof value === 'number') assert.ok(Number.isFinite(value), `${sku} ${name}`)
        if (Array.isArray(value)) {
          assert.ok(value.length > 0 && value.every((item) => typeof item === 'string'), `${sku} ${name}`)
          assert.deepEqual(repeated(value), [], `${sku} ${name}`)
        }
        assert.match(name, /^[a-z][A-Za-z]*$/, sku)
        assert.equal(types.get(name) ?? type, type, `${name} changes its type at ${sku}`)
        types.set(name, type)
      }
    }
  })

  it('have distinct descriptions of two to four sentences that do not begin alike', () => {
    for (const { sku, description } of products) {
      assert.ok(description.length >= DESCRIPTION_CHARS_MIN, `${sku} is described too briefly`)
      assert.ok(description.length <= DESCRIPTION_CHARS_MAX, `${sku} is described at too great length`)
      const sentences = description.split(/[.!?]"? (?=[A-Z])/).length
      assert.ok(sentences >= 2 && sentences <= 4, `${sku} has ${sentences} sentences`)
    }
    assert.deepEqual(repeated(products.map((product) => product.description)), [])
    const openings = products.map(({ description }) => description.slice(0, DISTINCT_OPENING_CHARS))
    assert.deepEqual(repeated(openings), [])
  })

  it('are found by the words that the search tests type', () => {
    const texts = products.map(({ name, description }) => `${name} ${description}`.toLowerCase())
    for (const word of SEARCHED)
      assert.ok(
        texts.some((text) => text.includes(word)),
        word,
      )
  })
})

describe('reviews', () => {
  it('are 150, about existing products, one for each author and product', () => {
    assert.equal(reviews.length, 150)
    const skus = new Set(products.map(({ sku }) => sku))
    for (const { sku } of reviews) assert.ok(skus.has(sku), sku)
    assert.deepEqual(repeated(reviews.map(({ sku, author }) => `${sku} ${author}`)), [])
    assert.deepEqual(repeated(reviews.map(({ text }) => text)), [])
  })

  it('give whole stars from 1 to 5, all of them, and an age in days', () => {
    for (const { sku, author, rating, daysAgo } of reviews) {
      assert.ok(Number.isInteger(rating) && rating >= 1 && rating <= 5, `${sku} ${author}`)
      assert.ok(Number.isInteger(daysAgo) && daysAgo > 0, `${sku} ${author}`)
    }
    assert.equal(new Set(reviews.map(({ rating }) => rating)).size, 5)
  })
})

describe('texts', () => {
  it('are trimmed, composed (NFC) and spelt the British way', () => {
    const texts = [
      ...categories.flatMap(({ name, description }) => [name, description]),
      ...products.flatMap(({ name, description, attributes }) => [
        name,
        description,
        ...Object.values(attributes).flatMap((value) => (Array.isArray(value) ? value : [String(value)])),
      ]),
      ...reviews.flatMap(({ author, title, text }) => [author, title, text]),
    ]
    for (const text of texts) {
      assert.equal(text, text.trim().normalize('NFC').replace(/\s+/g, ' '))
      assert.doesNotMatch(text, AMERICAN)
    }
  })
})
