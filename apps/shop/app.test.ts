/** The shop's auth as the gateway meets it: what one issues, the other believes. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { app } from './app.ts'

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
  }
})
