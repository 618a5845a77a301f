/**
 * Who gets in where: every route of the contracts, for everybody.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Access } from '@flotilla/core/access'
import { type Contract, operationsOf } from '@flotilla/core/contract'
import type { Operation } from '@flotilla/core/operation'
import { apiPrefix } from '@flotilla/core/router'
import { auth } from '@flotilla/shop/contracts/auth'
import { cart } from '@flotilla/shop/contracts/cart'
import { catalog } from '@flotilla/shop/contracts/catalog'
import { coupons } from '@flotilla/shop/contracts/coupons'
import { gateway } from '@flotilla/shop/contracts/gateway'
import { inventory } from '@flotilla/shop/contracts/inventory'
import { mailbox } from '@flotilla/shop/contracts/mailbox'
import { notifications } from '@flotilla/shop/contracts/notifications'
import { recommendations } from '@flotilla/shop/contracts/recommendations'
import { search } from '@flotilla/shop/contracts/search'
import { shipping } from '@flotilla/shop/contracts/shipping'
import type { Shop } from '../placements.ts'

const contracts: readonly Contract[] = [
  auth,
  catalog,
  search,
  inventory,
  coupons,
  cart,
  shipping,
  notifications,
  recommendations,
  mailbox,
  gateway,
]
const operations = contracts.flatMap(operationsOf)

/** What somebody may expect: let in (whatever then happens), or one of the two refusals. */
function expected(access: Access, who: 'nobody' | 'user' | 'admin'): 'in' | 401 | 403 {
  if (access.kind === 'anyone') return 'in'
  if (who === 'nobody') return 401
  if (access.kind === 'user') return 'in'
  return access.kind === 'role' && who === 'admin' && access.roles.includes('admin') ? 'in' : 403
}

/** The tests of it. @param shopOf the one that is open, to be asked for within a test. */
export function authorisation(shopOf: () => Shop): void {
  it('lets exactly those in whom the contract names', async (t) => {
    const shop = shopOf()
    const [ann, ben] = [await shop.register('ann'), await shop.register('ben')]
    const admin = await shop.login(shop.admin.email, shop.admin.password)
    const people = [
      { name: 'nobody', who: 'nobody', token: undefined },
      { name: 'ann', who: 'user', token: ann.token },
      { name: 'ben', who: 'user', token: ben.token },
      { name: 'admin', who: 'admin', token: admin.token },
      { name: 'a forged token', who: 'nobody', token: `${admin.token.slice(0, -4)}AAAA` },
    ] as const
    let cells = 0
    for (const operation of operations) {
      const { rest } = operation
      if (rest === undefined) continue
      for (const { name, who, token } of people) {
        const { status } = await shop.root(pathOf(operation), {
          method: rest.method,
          ...(rest.hasBody ? { body: {} } : {}),
          ...(token === undefined ? {} : { token }),
        })
        const isForged = name === 'a forged token'
        const wanted = isForged ? 401 : expected(operation.access, who)
        const cell = `${operation.id} for ${name}: ${status}`
        if (wanted === 'in') assert.ok(status !== 401 && status !== 403, cell)
        else assert.equal(status, wanted, cell)
        cells++
      }
    }
    t.diagnostic(`${cells} cells`)
  })

  it('has no way in for operations that are for services', async () => {
    const shop = shopOf()
    const admin = await shop.login(shop.admin.email, shop.admin.password)
    for (const operation of operations.filter(({ rest }) => rest === undefined)) {
      const request = { method: 'POST', body: {}, token: admin.token }
      for (const path of [
        `/operations/${operation.id}`,
        `/api/v1/operations/${operation.id}`,
        `/${operation.id}`,
      ]) {
        assert.equal((await shop.root(path, request)).status, 404, path)
      }
    }
  })

  it('keeps what is one person’s from another', async () => {
    const shop = shopOf()
    const [ann, ben] = [await shop.register('ann'), await shop.register('ben')]
    await shop.api('/cart/items', { token: ann.token, body: { sku: 'AUD-0001', quantity: 1 } })
    const own = await shop.api('/cart', { token: ann.token })
    assert.equal(own.body.lines.length, 1)
    const others = await shop.api('/cart', { token: ben.token })
    assert.deepEqual(others.body.lines, [])
    assert.ok(!others.text.includes(own.body.id))
    const page = await shop.api('/dashboard', { token: ben.token })
    assert.ok(!page.text.includes(ann.email) && !page.text.includes('AUD-0001'))

    const made = await shop.api('/auth/api-keys', {
      token: ann.token,
      body: { name: 'mine', scopes: ['cart:read'] },
    })
    const { id } = made.body.apiKey
    const foreign = await shop.api(`/auth/api-keys/${id}`, { token: ben.token, method: 'DELETE' })
    const absent = await shop.api('/auth/api-keys/01890000-0000-7000-8000-000000000000', {
      token: ben.token,
      method: 'DELETE',
    })
    assert.equal(foreign.status, absent.status, 'another’s key looks like none')
    const keys = await shop.api('/auth/api-keys', { token: ann.token })
    assert.equal(keys.body.items.length, 1)
    assert.equal((await shop.api('/auth/api-keys', { token: ben.token })).body.items.length, 0)
  })
}

/** The path of an operation, with something in place of each parameter. */
function pathOf(operation: Operation): string {
  const path = operation.rest?.path.replace(/\{[^}]+\}/g, 'ABC-1') ?? ''
  return apiPrefix(operation) + path
}
