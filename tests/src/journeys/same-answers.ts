/**
 * A placement is not visible from outside: the same requests get the same bytes, ids and times aside.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type Shop, untilSearchable } from '../placements.ts'
import type { Answer, Request } from '../shop-client.ts'

/** What differs between two installations by its nature. */
const NATURAL: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>'],
  [/"(?:createdAt|updatedAt|expiresAt)":"[^"]*"/g, '"<time>"'],
  [/"traceId":"[0-9a-f]*"/g, '"traceId":"<trace>"'],
  [/"(?:accessToken|refreshToken|key|prefix)":"[^"]*"/g, '"<secret>"'],
  [/"took":[0-9.]+/g, '"took":<ms>'],
  [/"(?:x|y|kid)":"[^"]*"/g, '"<key>"'],
  [/[a-z]+-\d+-\d+@example\.org/g, '<email>'],
  // The check of a body that holds any of these.
  [/^(etag: (?:W\/)?"\d+)-[\w-]{8}"/m, '$1-<check>"'],
  [/^etag: (?:W\/)?"[\w-]{22}"/m, 'etag: -'],
]

const HEADERS = ['content-type', 'cache-control', 'etag', 'idempotent-replayed', 'allow', 'www-authenticate']

/** Those of the first placement that was asked. */
let first: ReadonlyMap<string, string> | undefined

/** The test of it, on one placement after the other, on shops as they were opened. @param shopOf the one that is open. */
export function sameAnswers(shopOf: () => Shop): void {
  it('answers the same bytes as every other placement', async (t) => {
    const answers = await answersOf(shopOf())
    first ??= answers
    assert.deepEqual([...answers.keys()], [...first.keys()])
    for (const [request, answer] of first) assert.equal(answers.get(request), answer, request)
    t.diagnostic(`${answers.size} requests`)
  })
}

async function answersOf(shop: Shop): Promise<ReadonlyMap<string, string>> {
  await untilSearchable(shop)
  const admin = await shop.login(shop.admin.email, shop.admin.password)
  const ann = await shop.register('ann')
  const answers = new Map<string, string>()
  const ask = async (name: string, path: string, request: Request = {}): Promise<Answer> => {
    const answer = await shop.root(path, request)
    answers.set(
      `${answers.size + 1} ${name} ${request.method ?? ''} ${path.replace(/[0-9a-f-]{36}/g, '<id>')}`,
      plain(answer),
    )
    return answer
  }
  const token = ann.token
  await ask('home', '/api/v1/home')
  await ask('categories', '/api/v1/categories')
  const page = await ask('products', '/api/v1/products?limit=7')
  await ask('next page', `/api/v1/products?limit=7&cursor=${page.body.nextCursor}`)
  for (const sort of ['price', '-price', 'name', 'rating'])
    await ask(sort, `/api/v1/products?sort=${sort}&limit=5`)
  await ask('filtered', '/api/v1/products?category=audio&minPrice=5000&maxPrice=20000')
  const [first] = page.body.items
  await ask('product', `/api/v1/products/${first.id}`)
  await ask('reviews', `/api/v1/products/${first.id}/reviews`)
  await ask('absent product', '/api/v1/products/nothing')
  await ask('stock', `/api/v1/stock/${first.sku}`)
  await ask('search', '/api/v1/search?q=wireless')
  await ask('typing mistake', '/api/v1/search?q=hedphones')
  await ask('bad input', '/api/v1/products?limit=1000&limit=2')
  await ask('unknown field', '/api/v1/search?q=x&colour=red')
  await ask('me', '/api/v1/auth/me', { token })
  await ask('nobody', '/api/v1/cart')
  await ask('empty cart', '/api/v1/cart', { token })
  await ask('add', '/api/v1/cart/items', { token, body: { sku: first.sku, quantity: 2 } })
  await ask('add unknown', '/api/v1/cart/items', { token, body: { sku: 'NOTHING-1', quantity: 2 } })
  await ask('add badly', '/api/v1/cart/items', { token, body: { sku: first.sku, quantity: 0, extra: true } })
  await ask('set', `/api/v1/cart/items/${first.sku}`, { token, method: 'PUT', body: { quantity: 3 } })
  await ask('stale', `/api/v1/cart/items/${first.sku}`, {
    token,
    method: 'PUT',
    body: { quantity: 4 },
    headers: { 'if-match': '"1"' },
  })
  await ask('dashboard', '/api/v1/dashboard', { token })
  await ask('remove', `/api/v1/cart/items/${first.sku}`, { token, method: 'DELETE' })
  await ask('not an admin', `/api/v1/stock/${first.sku}`, { token, method: 'PUT', body: { onHand: 1 } })
  await ask('an admin', `/api/v1/stock/${first.sku}`, {
    token: admin.token,
    method: 'PUT',
    body: { onHand: 41 },
  })
  await ask('keys', '/.well-known/jwks.json')
  await ask('no path', '/api/v1/nothing')
  await ask('no method', '/api/v1/home', { method: 'DELETE' })
  await ask('description', '/openapi.json')
  await ask('documentation', '/docs')
  return answers
}

function plain({ status, headers, text }: Answer): string {
  const shown = HEADERS.map((name) => `${name}: ${headers.get(name) ?? '-'}`).join('\n')
  return NATURAL.reduce(
    (soFar, [pattern, word]) => soFar.replace(pattern, word),
    `${status}\n${shown}\n\n${text}`,
  )
}
