/** The shop's services as they meet each other: what one issues, the other believes; what one sells, the other counts. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { app } from './app.ts'
import { cart } from './contracts/cart.ts'
import { catalog } from './contracts/catalog.ts'
import { inventory } from './contracts/inventory.ts'

describe('the shop', () => {
  for (const placement of testPlacements) {
    it(`makes accounts and sessions that the gateway believes, ${placement}`, async (t) => {
      const port = await findFreePort()
      await openTestApp(t, {
        app,
        placement,
        services: ['registry', 'auth', 'gateway'],
        environment: { GATEWAY_PORT: String(port), AUTH_SEALING_KEY: 'a sealing key for the tests' },
      })
      const ask = async (path: string, headers: Record<string, string> = {}, body?: unknown) => {
        const json = { 'content-type': 'application/json', ...headers }
        const posted = { method: 'POST', headers: json, body: JSON.stringify(body) }
        const response = await fetch(
          `http://127.0.0.1:${port}${path}`,
          body === undefined ? { headers } : posted,
        )
        return { status: response.status, body: JSON.parse(await response.text()) }
      }
      const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
      const credentials = { email: 'Ann@Example.org', password: 'seven otters juggling' }
      const registered = await ask('/api/v1/auth/register', {}, { ...credentials, name: 'Ann' })
      assert.equal(registered.status, 201)
      const loggedIn = await ask('/api/v1/auth/login', {}, credentials)
      assert.equal(loggedIn.status, 200)
      const { refreshToken } = loggedIn.body
      const refreshed = await ask('/api/v1/auth/refresh', {}, { refreshToken })
      for (const { body } of [registered, loggedIn, refreshed]) {
        const me = await ask('/api/v1/auth/me', bearer(body.accessToken))
        assert.equal(me.status, 200)
        const { id, createdAt, ...rest } = me.body
        assert.equal(id, registered.body.user.id)
        assert.ok(Number.isFinite(Date.parse(createdAt)))
        assert.deepEqual(rest, { email: 'ann@example.org', name: 'Ann', roles: ['customer'], tier: 'free' })
      }
      const token = bearer(refreshed.body.accessToken)
      const made = await ask('/api/v1/auth/api-keys', token, { name: 'a', scopes: ['auth:read'] })
      assert.equal(made.status, 201)
      const key = { 'x-api-key': made.body.key }
      assert.equal((await ask('/api/v1/auth/me', key)).status, 200)
      const beyond = await ask('/api/v1/auth/api-keys', key, { name: 'b', scopes: ['auth:read'] })
      assert.equal(beyond.status, 403)

      const keys = await ask('/.well-known/jwks.json')
      assert.equal(keys.body.keys.length, 1)
      assert.deepEqual(Object.keys(keys.body.keys[0]).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    })

    it(`fills carts at the catalog's prices, and counts stock, ${placement}`, async (t) => {
      const services = ['registry', 'inventory', 'catalog', 'coupons', 'cart']
      const { call } = await openTestApp(t, { app, placement, services })
      const personOf = (id: string, role: string) => ({ id, roles: [role], scopes: [], tier: 'free' })
      const mine = call(cart, { user: personOf('ann', 'customer') })
      const { items } = await call(catalog).products({ sort: '-price', limit: 2 })
      const [dear, dearer] = items.toReversed()
      assert.ok(dear !== undefined && dearer !== undefined)

      const key = { idempotencyKey: 'once' }
      const first = await mine.addItem({ sku: dear.sku, quantity: 2 }, key)
      assert.deepEqual(await mine.addItem({ sku: dear.sku, quantity: 2 }, key), first)
      const second = await mine.addItem({ sku: dearer.sku, quantity: 1, version: first.version })
      assert.equal(second.totals.subtotal.amount, 2 * dear.price.amount + dearer.price.amount)
      assert.equal(second.lines[1]?.productId, dearer.id)
      const late = mine.setItem({ sku: dear.sku, quantity: 5, version: first.version })
      await assert.rejects(late, { reason: 'stale_version', status: 412 })
      await assert.rejects(mine.addItem({ sku: 'NONE-1', quantity: 1 }), { reason: 'no_product' })
      assert.deepEqual((await call(cart, { user: personOf('ben', 'customer') }).get()).lines, [])
      const rest = await mine.removeItem({ sku: dear.sku, version: second.version })
      assert.deepEqual([rest.version, rest.totals.subtotal], [3, dearer.price])
      const { totals } = await mine.attachCoupon({ code: 'save10', version: rest.version })
      assert.equal(totals.discount.amount, Math.round(dearer.price.amount / 10))
      assert.equal(totals.total.amount, dearer.price.amount - totals.discount.amount)
      await assert.rejects(mine.attachCoupon({ code: 'SPRING20' }), { reason: 'coupon_expired', status: 409 })

      const stock = call(inventory, { user: personOf('the-admin', 'admin') })
      const { onHand, version } = await stock.stock({ sku: dear.sku })
      const counted = await stock.setStock({ sku: dear.sku, onHand: onHand + 5, version })
      assert.equal(counted.available, onHand + 5)
      await assert.rejects(stock.setStock({ sku: dear.sku, onHand: 0, version }), { reason: 'stale_version' })
      await assert.rejects(stock.stock({ sku: 'NONE-1' }), { reason: 'no_stock' })
    })
  }
})
