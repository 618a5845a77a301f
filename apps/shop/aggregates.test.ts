/** Pages from several services: what one of them cannot give is null, and the rest is there. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { app } from './app.ts'
import { gateway } from './contracts/gateway.ts'

const user = { id: 'nobody-in-particular', roles: ['customer'], scopes: [], tier: 'free' }

describe('an aggregate', () => {
  for (const placement of testPlacements) {
    it(`is partial when services are away, ${placement}`, async (t) => {
      const environment = {
        GATEWAY_PORT: String(await findFreePort()),
        AUTH_SEALING_KEY: 'a sealing key for the tests',
      }
      const services = ['registry', 'auth', 'catalog', 'gateway']
      const opened = await openTestApp(t, { app, placement, services, environment })
      const dashboard = await opened.call(gateway, { user }).dashboard()
      assert.deepEqual(dashboard.partial, [
        // This account does not exist; only the kind of failure is told.
        { part: 'profile', reason: 'internal' },
        { part: 'cart', reason: 'unavailable' },
        { part: 'orders', reason: 'unavailable' },
        { part: 'recommendations', reason: 'unavailable' },
      ])
      const { profile, cart, orders, recommendations } = dashboard
      assert.deepEqual([profile, cart, orders, recommendations], [null, null, null, null])
      assert.equal(dashboard.suggestions?.length, 8)
      const home = await opened.call(gateway).home()
      assert.deepEqual(home.partial, [])
      // The inventory is away too: products without their stock beat no products.
      assert.deepEqual(
        home.newest?.map(({ stock }) => stock),
        Array(8).fill(null),
      )
    })
  }
})
