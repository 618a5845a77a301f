/**
 * From the first visit to a full cart.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Shop, untilSearchable } from '../placements.ts'

/** The tests of it. @param shopOf the one that is open, to be asked for within a test. */
export function browsing(shopOf: () => Shop): void {
  it('lets a person register, search, read, review and fill a cart', async () => {
    const shop = shopOf()

    const home = await shop.api('/home')
    assert.equal(home.status, 200)
    assert.deepEqual(home.body.partial, [])
    assert.equal(home.body.categories.length, 8)
    assert.equal(home.body.newest.length, 8)

    const ann = await shop.register('ann')
    const me = await shop.api('/auth/me', { token: ann.token })
    assert.equal(me.body.email, ann.email)
    assert.deepEqual(me.body.roles, ['customer'])

    await untilSearchable(shop)
    const found = await shop.api('/search?q=hedphones')
    assert.equal(found.status, 200)
    assert.ok(found.body.items.length > 0, 'a typing mistake is forgiven')
    const { id, sku } = found.body.items[0]

    const product = await shop.api(`/products/${id}`)
    assert.equal(product.body.sku, sku)
    assert.ok(product.body.stock.available >= 0)
    const tag = product.headers.get('etag') ?? ''
    assert.ok(tag.startsWith(`"${product.body.version}-`))
    const again = await shop.api(`/products/${id}`, { headers: { 'if-none-match': tag } })
    assert.equal(again.status, 304)

    const empty = await shop.api('/cart', { token: ann.token })
    assert.deepEqual(empty.body.lines, [])
    const key = { 'idempotency-key': 'put it in once' }
    const once = await shop.api('/cart/items', {
      token: ann.token,
      body: { sku, quantity: 2 },
      headers: key,
    })
    assert.equal(once.status, 200)
    assert.deepEqual(once.body.totals.subtotal, {
      amount: product.body.price.amount * 2,
      currency: product.body.price.currency,
    })
    const twice = await shop.api('/cart/items', {
      token: ann.token,
      body: { sku, quantity: 2 },
      headers: key,
    })
    assert.equal(twice.text, once.text, 'a repeat gets the same answer')
    assert.equal(twice.headers.get('idempotent-replayed'), 'true')
    const other = await shop.api('/cart/items', {
      token: ann.token,
      body: { sku, quantity: 3 },
      headers: key,
    })
    assert.equal(other.status, 422, 'the same key with another input is refused')

    const changed = await shop.api(`/cart/items/${sku}`, {
      token: ann.token,
      method: 'PUT',
      body: { quantity: 5 },
      headers: { 'if-match': once.headers.get('etag') ?? '' },
    })
    assert.equal(changed.body.totals.items, 5)
    const stale = await shop.api(`/cart/items/${sku}`, {
      token: ann.token,
      method: 'PUT',
      body: { quantity: 6 },
      headers: { 'if-match': once.headers.get('etag') ?? '' },
    })
    assert.equal(stale.status, 412)
    assert.equal(stale.body.reason, 'stale_version')

    const dashboard = await shop.api('/dashboard', { token: ann.token })
    assert.deepEqual(dashboard.body.partial, [])
    assert.equal(dashboard.body.profile.id, ann.id)
    assert.equal(dashboard.body.cart.totals.items, 5)
  })

  it('shows what an admin changes, to everybody and in the search', async () => {
    const shop = shopOf()
    const admin = await shop.login(shop.admin.email, shop.admin.password)
    const ben = await shop.register('ben')

    const draft = {
      sku: 'TST-0001',
      name: 'Quincunx Telescope',
      description: 'A telescope that exists for the length of a test.',
      category: 'outdoor',
      price: { amount: 12_300, currency: 'EUR' },
      attributes: { apertureMm: 70 },
      isPublished: true,
    }
    const created = await shop.api('/products', { token: admin.token, body: draft })
    assert.equal(created.status, 201)
    assert.match(created.headers.get('etag') ?? '', /^"1-/)
    const taken = await shop.api('/products', { token: admin.token, body: draft })
    assert.equal(taken.body.reason, 'sku_taken')

    const isFound = async (): Promise<boolean> => {
      const { body } = await shop.api('/search?q=quincunx')
      return body.items.some(({ sku }: { sku: string }) => sku === draft.sku)
    }
    await eventually('the search knows the product', isFound)

    const counted = await shop.api('/stock/TST-0001', {
      token: admin.token,
      method: 'PUT',
      body: { onHand: 3 },
    })
    assert.equal(counted.body.available, 3)
    const { id } = created.body
    const stocked = await shop.api(`/products/${id}`, {
      headers: { 'if-none-match': created.headers.get('etag') ?? '' },
    })
    assert.deepEqual(stocked.body?.stock, { available: 3 }, 'its version is the same, and yet it has changed')

    const review = { stars: 5, title: 'Sees far', text: 'Saturn has ears.' }
    assert.equal((await shop.api(`/products/${id}/reviews`, { token: ben.token, body: review })).status, 201)
    const repeated = await shop.api(`/products/${id}/reviews`, { token: ben.token, body: review })
    assert.equal(repeated.body.reason, 'already_reviewed')

    const without = await shop.api(`/products/${id}`, { token: admin.token, method: 'DELETE' })
    assert.equal(without.status, 428, 'an admin must say which version is meant')
    const current = await shop.api(`/products/${id}`)
    const removed = await shop.api(`/products/${id}`, {
      token: admin.token,
      method: 'DELETE',
      headers: { 'if-match': current.headers.get('etag') ?? '' },
    })
    assert.equal(removed.status, 204)
    assert.equal((await shop.api(`/products/${id}`)).status, 404)
    await eventually('the search forgets the product', async () => !(await isFound()))
  })

  it('keeps sessions: rotation, reuse, logout', async () => {
    const shop = shopOf()
    const ann = await shop.register('ann')
    const refreshed = await shop.api('/auth/refresh', { body: { refreshToken: ann.refreshToken } })
    assert.equal(refreshed.status, 200)
    assert.notEqual(refreshed.body.refreshToken, ann.refreshToken)
    assert.equal(
      (await shop.api('/auth/logout', { body: { refreshToken: refreshed.body.refreshToken } })).status,
      204,
    )
    const over = await shop.api('/auth/refresh', { body: { refreshToken: refreshed.body.refreshToken } })
    assert.equal(over.status, 401)
    assert.equal(over.body.reason, 'bad_token')

    const wrong = await shop.api('/auth/login', {
      body: { email: ann.email, password: 'not the password at all' },
    })
    const nobody = await shop.api('/auth/login', {
      body: { email: 'nobody@example.org', password: 'not the password at all' },
    })
    assert.equal(wrong.status, 401)
    assert.deepEqual(
      { ...wrong.body, traceId: '' },
      { ...nobody.body, traceId: '' },
      'an unknown account looks like a wrong password',
    )

    const { token } = await shop.login(ann.email, ann.password)
    const made = await shop.api('/auth/api-keys', {
      token,
      body: { name: 'read my cart', scopes: ['cart:read'] },
    })
    assert.equal(made.status, 201)
    const key = { 'x-api-key': made.body.key }
    assert.equal((await shop.api('/cart', { headers: key })).status, 200)
    const beyond = await shop.api('/cart/items', { headers: key, body: { sku: 'AUD-0001', quantity: 1 } })
    assert.equal(beyond.status, 403, 'the key is for reading')
  })
}

async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  await until(what, condition)
}
