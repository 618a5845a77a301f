/** Sessions that are bound to a key of their client (DPoP), and API keys that end, as clients see them: over HTTP. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { until } from '@flotilla/core/until'
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { app } from './app.ts'

const PASSWORD = 'seven otters juggling'
const ANN = { email: 'ann@example.org', password: PASSWORD, name: 'Ann' }
const ADMIN = { email: 'admin@shop.test', password: 'the password of the tests' }
const BOUND_MS = 5_000

async function openShop(
  t: { after(cleanUp: () => Promise<void>): void },
  placement: (typeof testPlacements)[number],
) {
  const port = await findFreePort()
  const { ports } = await openTestApp(t, {
    app,
    placement,
    services: ['registry', 'auth', 'gateway'],
    environment: {
      GATEWAY_PORT: String(port),
      AUTH_SEALING_KEY: 'a sealing key for the tests',
      AUTH_ADMIN_PASSWORD: ADMIN.password,
      // Keys are asked for again and again until they are refused.
      GATEWAY_FREE_PER_MINUTE: '100000',
      GATEWAY_ADDRESS_PER_MINUTE: '100000',
      GATEWAY_ANONYMOUS_PER_MINUTE: '100000',
      GATEWAY_ACCESS_LOG: '/dev/null',
    },
  })
  const origin = `http://127.0.0.1:${port}/api/v1/auth`
  const ask = async (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    json?: object,
  ) => {
    const body = json === undefined ? {} : { body: JSON.stringify(json) }
    const answer = await fetch(origin + path, {
      method,
      headers: { ...headers, ...(json && { 'content-type': 'application/json' }) },
      ...body,
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? {} : JSON.parse(text) }
  }
  return { ports, origin, ask }
}

type Shop = Awaited<ReturnType<typeof openShop>>

/** A client with a key. */
async function openClient({ ports, origin, ask }: Shop) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = await exportJWK(publicKey)
  let made = 0
  const prove = (method: string, path: string, token?: string): Promise<string> =>
    new SignJWT({
      htm: method,
      htu: origin + path,
      ...(token && { ath: createHash('sha256').update(token).digest('base64url') }),
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
      .setJti(`proof-${++made}`)
      .setIssuedAt(Math.floor(ports.clock.now() / 1000))
      .sign(privateKey)
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    post: async (path: string, json: object) => ask('POST', path, { dpop: await prove('POST', path) }, json),
    as: async (token: string, method: string, path: string, json?: object) =>
      ask(method, path, { authorization: `DPoP ${token}`, dpop: await prove(method, path, token) }, json),
  }
}

const ME = '/me'
const LOGIN = '/login'
const REFRESH = '/refresh'

describe('a session that is bound to a key', () => {
  for (const placement of testPlacements) {
    it(`is of use to who holds the key, and to nobody else, ${placement}`, async (t) => {
      const shop = await openShop(t, placement)
      const [mine, thief] = [await openClient(shop), await openClient(shop)]
      assert.equal((await shop.ask('POST', '/register', {}, ANN)).status, 201)
      const account = { email: ANN.email, password: PASSWORD }
      const { status, body: session } = await mine.post(LOGIN, account)
      assert.deepEqual([status, session.tokenType], [200, 'DPoP'])
      const { accessToken, refreshToken } = session
      assert.deepEqual(decodeJwt(accessToken)['cnf'], { jkt: mine.thumbprint })

      assert.equal((await mine.as(accessToken, 'GET', ME)).body.email, ANN.email)
      const stolen = { authorization: `Bearer ${accessToken}` }
      assert.equal((await shop.ask('GET', ME, stolen)).body.reason, 'invalid_token')
      assert.equal((await thief.as(accessToken, 'GET', ME)).body.reason, 'invalid_dpop_proof')

      assert.equal((await shop.ask('POST', REFRESH, {}, { refreshToken })).body.reason, 'another_key')
      assert.equal((await thief.post(REFRESH, { refreshToken })).body.reason, 'another_key')
      const claimed = { refreshToken, provenKey: mine.thumbprint }
      assert.equal((await shop.ask('POST', REFRESH, {}, claimed)).status, 400)
      assert.equal((await thief.post(REFRESH, claimed)).status, 400)
      const next = await mine.post(REFRESH, { refreshToken })
      assert.deepEqual([next.status, next.body.tokenType], [200, 'DPoP'])

      const change = { currentPassword: PASSWORD, newPassword: 'nine herons whistling' }
      const changed = await mine.as(next.body.accessToken, 'POST', '/password', change)
      assert.deepEqual([changed.status, changed.body.tokenType], [200, 'DPoP'])
      assert.equal((await mine.as(changed.body.accessToken, 'GET', ME)).status, 200)
      const bad = await shop.ask('POST', LOGIN, { dpop: 'x' }, account)
      assert.deepEqual([bad.status, bad.body.reason], [401, 'invalid_dpop_proof'])
    })
  }
})

describe('an API key', () => {
  it('ends within seconds when it is deleted or its owner is blocked', async (t) => {
    const { ask } = await openShop(t, 'one process')
    const { body: session } = await ask('POST', '/register', {}, ANN)
    const { body: admin } = await ask('POST', LOGIN, {}, ADMIN)
    const authorization = `Bearer ${session.accessToken}`
    const make = async () =>
      (await ask('POST', '/api-keys', { authorization }, { name: 'mine', scopes: ['auth:read'] })).body
    const [one, two] = [await make(), await make()]
    const statusOf = async ({ key }: { key: string }) => (await ask('GET', ME, { 'x-api-key': key })).status
    assert.deepEqual([await statusOf(one), await statusOf(two)], [200, 200])

    assert.equal((await ask('DELETE', `/api-keys/${one.apiKey.id}`, { authorization })).status, 204)
    await until('the deleted key is refused', async () => (await statusOf(one)) === 401, BOUND_MS)
    assert.equal(await statusOf(two), 200)

    const block = `/users/${session.user.id}/block`
    const asAdmin = { authorization: `Bearer ${admin.accessToken}` }
    assert.equal((await ask('PUT', block, asAdmin)).status, 204)
    await until("the blocked user's key is refused", async () => (await statusOf(two)) === 401, BOUND_MS)
  })
})
