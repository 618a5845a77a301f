import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { defineApp } from '@flotilla/core/app'
import type { Calls } from '@flotilla/core/calls'
import type { FlotillaError } from '@flotilla/core/error'
import { dumpSchema } from '@flotilla/core/schema-dump'
import { openTestApp, type TestApp } from '@flotilla/core/test-app'
import { testCall } from '@flotilla/core/test-call'
import fc from 'fast-check'
import type { ProductContent } from '../contracts/catalog.ts'
import { search } from '../contracts/search.ts'
import { searchService } from './service.ts'
import { type ProductChange, takeOver } from './take-over.ts'

/** The app's: built, this file lies in dist/search. */
const FOLDER = join(import.meta.dirname, '../..')
const CONCURRENT = 8

interface Opened {
  readonly app: TestApp
  readonly calls: Calls<typeof search>
  /** Takes changes over, in one transaction. */
  take(...changes: readonly ProductChange[]): Promise<void>
  ask<T>(text: string, values?: readonly unknown[]): Promise<T[]>
  /** The SKUs that are found. */
  find(q: string, category?: string): Promise<string[]>
}

async function open(t: TestContext, entries: readonly ProductChange[] = []): Promise<Opened> {
  const app = await openTestApp(t, {
    app: defineApp({
      name: 'search test',
      folder: FOLDER,
      services: { search: async () => searchService },
    }),
    placement: 'one process',
  })
  const calls = app.call(search)
  const database = app.databases.get('search')?.open()
  const take = async (...changes: readonly ProductChange[]): Promise<void> => {
    await database?.session(testCall()).transaction(async (tx) => {
      for (const change of changes) await takeOver(tx, change)
    })
  }
  await take(...entries)
  return {
    app,
    calls,
    take,
    ask: async (text, values) => (await app.databases.get('search')?.ask(text, values)) ?? [],
    find: async (q, category) => {
      const { items } = await calls.search({ q, ...(category === undefined ? {} : { category }) })
      return items.map(({ sku }) => sku)
    },
  }
}

function entry(
  sku: string,
  name: string,
  { version = 1, ...more }: Partial<ProductContent> & { readonly version?: number } = {},
): ProductChange {
  const price = { amount: 1_000, currency: 'EUR' }
  const content = { sku, name, description: '', category: 'home', price, attributes: {}, ...more }
  return { productId: `id-${sku}`, version, content }
}

/** The product is shown no more. */
function removal(sku: string, version: number): ProductChange {
  return { productId: `id-${sku}`, version, content: null }
}

const shop: readonly ProductChange[] = [
  entry('A-1', 'Ostrel Fathom Wireless Headphones', {
    category: 'audio',
    description:
      'Over-ear headphones with active noise cancelling. Ten minutes on USB-C gives four hours of play.',
    attributes: { brand: 'Ostrel', colours: ['black', 'oat'], weightG: 254, noiseCancelling: true },
  }),
  entry('A-2', 'Halvorn H2', {
    category: 'audio',
    description: 'Walnut cups with open grilles: headphones for a quiet room.',
    attributes: { brand: 'Halvorn', colours: ['walnut', 'black'], weightG: 318, noiseCancelling: false },
  }),
  entry('A-3', 'Loudspeaker', {
    category: 'audio',
    attributes: { brand: 'Ostrel', for: 'headphones, none' },
  }),
  entry('H-1', 'Crème Brûlée Dish', { description: 'For the café at home.' }),
  entry('H-2', 'Umbrella', { description: 'Keeps <script>alert("rain")</script> off & you dry; 1 < 2.' }),
  entry('H-3', 'Kettle', {
    description: 'Boils 1.5 l of water while it rains on your umbrella and its teapot.',
  }),
]

const reason = (name: string) => (error: unknown) => (error as FlotillaError).reason === name

describe('the schema of search', () => {
  it('is what schema.sql says', async (t) => {
    const { app } = await open(t)
    const session = app.databases.get('search')?.open().session(testCall())
    assert.ok(session)
    const path = join(FOLDER, 'search/schema.sql')
    const dump = await dumpSchema(session, ['public'])
    if (process.env['FLOTILLA_UPDATE'] === '1') await writeFile(path, dump)
    assert.equal(await readFile(path, 'utf8'), dump)
  })
})

describe('search', () => {
  it('puts what has the words in its name first, then attributes, then the description', async (t) => {
    const { find } = await open(t, shop)
    assert.deepEqual(await find('headphones'), ['A-1', 'A-3', 'A-2'])
    assert.deepEqual(await find('HEADPHONE'), ['A-1', 'A-3', 'A-2'], 'endings and capitals do not count')
    assert.deepEqual(await find('umbrella'), ['H-2', 'H-3'])
  })

  it('finds by several words, parts of the last one, without accents, by phrase, and without', async (t) => {
    const { find } = await open(t, shop)
    assert.deepEqual(await find('wireless head'), ['A-1'])
    assert.deepEqual(await find('creme brulee'), ['H-1'])
    assert.deepEqual(await find('crème brûl'), ['H-1'])
    assert.deepEqual(await find('"quiet room"'), ['A-2'])
    assert.deepEqual(await find('"room quiet"'), [])
    assert.deepEqual((await find('headphones -walnut')).sort(), ['A-1', 'A-3'])
    assert.deepEqual((await find('kettle or loudspeaker')).sort(), ['A-3', 'H-3'])
    assert.deepEqual(await find('1.5 l'), ['H-3'])
    assert.deepEqual(await find('the'), [])
  })

  it('narrows to a category', async (t) => {
    const { find } = await open(t, shop)
    assert.deepEqual(await find('umbrella', 'home'), ['H-2', 'H-3'])
    assert.deepEqual(await find('umbrella', 'audio'), [])
  })

  it('forgives typing mistakes, and says so', async (t) => {
    const { calls } = await open(t, shop)
    for (const [q, correctedTo, sku] of [
      ['hedphones', 'headphones', 'A-1'],
      ['wireles haedphones', 'wireless headphones', 'A-1'],
      ['Umbrela', 'umbrella', 'H-2'],
      ['cremme bruleee', 'creme brulee', 'H-1'],
      ['tepot', 'teapot', 'H-3'],
      ['kettel', 'kettle', 'H-3'],
    ] as const) {
      const { items, ...rest } = await calls.search({ q })
      assert.equal(items[0]?.sku, sku, q)
      assert.equal(rest.correctedTo, correctedTo)
    }
    assert.equal((await calls.search({ q: 'headphones' })).correctedTo, null)
    const nothing = await calls.search({ q: 'xyzzy' })
    assert.deepEqual(
      { ...nothing, took: 0 },
      { items: [], facets: [], nextCursor: null, took: 0, correctedTo: null },
    )
    assert.ok(nothing.took >= 0)
  })

  it('shows why something was found, as safe HTML', async (t) => {
    const { calls } = await open(t, shop)
    const { items } = await calls.search({ q: 'rain' })
    const snippets = new Map(items.map(({ sku, snippet }) => [sku, snippet]))
    assert.match(snippets.get('H-3') ?? '', /while it <b>rains<\/b> on/)
    assert.match(
      snippets.get('H-2') ?? '',
      /&lt;script&gt;alert\(&quot;<b>rain<\/b>&quot;\)&lt;\/script&gt; off &amp; you dry/,
    )
  })

  it('counts facets over the whole result: categories, then the attributes that tell most', async (t) => {
    const { calls } = await open(t, shop)
    const { items, facets } = await calls.search({ q: 'headphones', limit: 1 })
    assert.equal(items.length, 1)
    assert.deepEqual(facets, [
      { name: 'category', values: [{ value: 'audio', count: 3 }] },
      {
        name: 'brand',
        values: [
          { value: 'Ostrel', count: 2 },
          { value: 'Halvorn', count: 1 },
        ],
      },
      {
        name: 'colours',
        values: [
          { value: 'black', count: 2 },
          { value: 'oat', count: 1 },
          { value: 'walnut', count: 1 },
        ],
      },
    ])
  })

  it('shows few facets with few values', async (t) => {
    const names = Array.from({ length: 12 }, (_, index) => `attribute${index}`)
    const entries = Array.from({ length: 40 }, (_, index) =>
      entry(`F-${index}`, 'Thing', {
        attributes: Object.fromEntries(names.map((name) => [name, `value ${index % 20}`])),
      }),
    )
    const { calls } = await open(t, entries)
    const { facets } = await calls.search({ q: 'thing', limit: 1 })
    assert.equal(facets.length, 6)
    for (const { values } of facets) assert.ok(values.length <= 10)
  })

  it('is cut by pages into the whole result, in order', async (t) => {
    const entries = Array.from({ length: 60 }, (_, index) =>
      entry(`P-${index}`, `Lamp ${'lamp '.repeat(index % 4)}`, { description: 'lamp '.repeat(index % 3) }),
    )
    const { calls } = await open(t, entries)
    const whole = await calls.search({ q: 'lamp', limit: 100 })
    assert.equal(whole.items.length, 60)
    assert.equal(whole.nextCursor, null)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), async (limit) => {
        const items: (typeof whole)['items'] = []
        for (let cursor: string | undefined; ; ) {
          const page = await calls.search({ q: 'lamp', limit, ...(cursor === undefined ? {} : { cursor }) })
          items.push(...page.items)
          assert.deepEqual(page.facets, whole.facets)
          if (page.nextCursor === null) break
          cursor = page.nextCursor
        }
        assert.deepEqual(items, whole.items)
      }),
      { numRuns: 8 },
    )
    const { nextCursor } = await calls.search({ q: 'lamp', limit: 5 })
    const cursor = nextCursor ?? ''
    await assert.rejects(calls.search({ q: 'lamps', cursor }), reason('bad_cursor'))
    await assert.rejects(calls.search({ q: 'lamp', category: 'home', cursor }), reason('bad_cursor'))
    await assert.rejects(calls.search({ q: 'lamp', cursor: `${cursor}A` }), reason('bad_cursor'))
  })

  it('answers whatever is typed', async (t) => {
    const { calls } = await open(t, shop)
    const hostile = fc.oneof(
      fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
      fc
        .array(
          fc.constantFrom(
            ...[
              '"',
              "'",
              '\\',
              ':*',
              '!',
              '&',
              '|',
              '<->',
              '(',
              ')',
              '-',
              ' ',
              'or',
              'and',
              'headphones',
              'ⅷ',
              '½',
              '\u0000',
            ],
            ...[
              '\ud800',
              '\udc00',
              '%',
              '_',
              '$1',
              ';',
              '--',
              '/*',
              'é',
              'e\u0301',
              '😀',
              '<b>',
              'http://a.b/c?d',
              'a@b.cd',
              '1e9',
            ],
          ),
          { minLength: 1, maxLength: 60 },
        )
        .map((parts) => parts.join('').slice(0, 200)),
    )
    await fc.assert(
      fc.asyncProperty(hostile, async (q) => {
        const { items } = await calls.search({ q })
        assert.ok(items.length <= shop.length)
      }),
      {
        numRuns: 300,
        examples: [
          ['!'.repeat(200)],
          ['"'.repeat(200)],
          ["'; drop table entry; --"],
          ['headphones:*'],
          ['\\'],
          ['\u0000'],
          ['\ud800'],
          ['(((((&&&'],
        ],
      },
    )
    assert.equal((await calls.search({ q: 'umbrella' })).items.length, 2)
  })
})

describe('taking over', () => {
  it('skips what is not newer than known, and remembers removals', async (t) => {
    const { take, find } = await open(t)
    await take(entry('Q-1', 'Quincunx Telescope'))
    assert.deepEqual(await find('quincunx'), ['Q-1'])
    await take(entry('Q-1', 'Astrolabe', { version: 3 }))
    await take(entry('Q-1', 'Sextant', { version: 2 }))
    await take(entry('Q-1', 'Sextant', { version: 3 }))
    await take(removal('Q-1', 2))
    assert.deepEqual(await find('astrolabe'), ['Q-1'])
    assert.deepEqual(await find('sextant'), [])
    await take(removal('Q-1', 4))
    await take(entry('Q-1', 'Quincunx Telescope', { version: 3 }))
    assert.deepEqual(await find('quincunx'), [], 'what comes late does not come back to life')
    assert.deepEqual(await find('astrolabe'), [])
    await take(entry('Q-1', 'Quincunx Telescope', { version: 5 }))
    assert.deepEqual(await find('quincunx'), ['Q-1'])
  })

  it('takes the newest when one transaction has several', async (t) => {
    const { take, find } = await open(t)
    await take(entry('Q-1', 'Quincunx'), entry('Q-1', 'Sextant', { version: 2 }))
    assert.deepEqual(await find('sextant'), ['Q-1'])
    await take(removal('Q-1', 4), entry('Q-1', 'Quincunx', { version: 3 }))
    assert.deepEqual(await find('quincunx'), [])
  })

  it('keeps count of the words, whoever takes over at the same time', async (t) => {
    const { take, ask } = await open(t)
    const change = changes(20)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(change, { maxLength: 8 }), { maxLength: CONCURRENT }),
        async (batches) => {
          await ask('truncate entry, word')
          await Promise.all(batches.map((batch) => take(...batch)))
          const newest = await ask('select id, version from entry order by id')
          const expected = new Map<string, number>()
          for (const { productId, version } of batches.flat()) {
            expected.set(productId, Math.max(version, expected.get(productId) ?? 0))
          }
          assert.deepEqual(
            newest,
            [...expected].sort().map(([id, version]) => ({ id, version })),
          )
          const counted = await ask('select text, entries from word order by text')
          const truth = await ask(
            'select text, count(*)::integer as entries from entry, unnest(words) text group by text order by text',
          )
          assert.deepEqual(counted, truth)
        },
      ),
      { numRuns: 25 },
    )
  })

  it('ends the same, however often and in whatever order changes come', async (t) => {
    const { take, ask } = await open(t)
    const all = async (): Promise<unknown> => [
      await ask('select id, version, content from entry order by id'),
      await ask('select text, entries from word order by text'),
    ]
    // A version of a product says one thing.
    const history = fc.uniqueArray(changes(6), {
      maxLength: 12,
      selector: ({ productId, version }) => `${productId} ${version}`,
    })
    const disorder = history.chain((once) => {
      const twice = [...once, ...once]
      return fc.tuple(fc.constant(once), fc.shuffledSubarray(twice, { minLength: twice.length }))
    })
    await fc.assert(
      fc.asyncProperty(disorder, async ([once, twice]) => {
        await ask('truncate entry, word')
        for (const change of once) await take(change)
        const expected = await all()
        await ask('truncate entry, word')
        for (const change of twice) await take(change)
        assert.deepEqual(await all(), expected)
      }),
      { numRuns: 25 },
    )
  })
})

/** Changes of a few products with few words. */
function changes(versionMax: number): fc.Arbitrary<ProductChange> {
  const words = ['anvil', 'bellows', 'chisel', 'dowel', 'easel']
  return fc
    .record({
      sku: fc.integer({ min: 1, max: 6 }).map((number) => `W-${number}`),
      version: fc.integer({ min: 1, max: versionMax }),
      name: fc.option(fc.subarray(words, { minLength: 1 }), { nil: undefined }),
    })
    .map(({ sku, version, name }) =>
      name === undefined ? removal(sku, version) : entry(sku, name.join(' '), { version }),
    )
}
