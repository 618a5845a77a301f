/** Logging in by the demo identity provider, as a browser does it: over HTTP, with a jar of cookies. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findFreePort } from '@flotilla/core/free-port'
import { openTestApp, testPlacements } from '@flotilla/core/test-app'
import { app } from './app.ts'

const START = '/api/v1/auth/oidc/demo/start'

async function openShop(
  t: { after(cleanUp: () => Promise<void>): void },
  placement: (typeof testPlacements)[number],
  environment: Readonly<Record<string, string>> = {},
) {
  const port = await findFreePort()
  await openTestApp(t, {
    app,
    placement,
    services: ['registry', 'auth', 'identity', 'gateway'],
    environment: {
      GATEWAY_PORT: String(port),
      AUTH_SEALING_KEY: 'a sealing key for the tests',
      GATEWAY_ACCESS_LOG: '/dev/null',
      ...environment,
    },
  })
  const origin = `http://127.0.0.1:${port}`
  return {
    origin,
    get: (path: string, headers: Readonly<Record<string, string>> = {}) => visit(origin + path, headers),
  }
}

/** One page; nothing is followed. */
async function visit(
  url: string,
  headers: Readonly<Record<string, string>> = {},
  form?: Record<string, string>,
) {
  const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) }
  const answer = await fetch(url, { redirect: 'manual', headers, ...body })
  const text = await answer.text()
  return {
    status: answer.status,
    text,
    location: answer.headers.get('location') ?? '',
    setCookie: answer.headers.get('set-cookie') ?? '',
    headers: answer.headers,
  }
}

const cookieIn = (setCookie: string): string => setCookie.split(';', 1)[0] as string

/** Chooses somebody at the provider; gives where the browser is sent. */
async function choose(url: string, person: string): Promise<string> {
  const page = await visit(url)
  assert.equal(page.status, 200)
  const request = /name="request" value="([\w-]+)"/.exec(page.text)?.[1] as string
  const { status, location } = await visit(`${new URL(url).origin}/login`, {}, { request, person })
  assert.equal(status, 303)
  return location
}

describe('logging in by the demo identity provider', () => {
  for (const placement of testPlacements) {
    it(`ends with a session of the shop's own, ${placement}`, async (t) => {
      const { origin, get } = await openShop(t, placement)
      const start = await get(START)
      assert.deepEqual([start.status, start.text], [303, ''])
      assert.match(start.setCookie, /^auth-login=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
      assert.equal(start.headers.get('cache-control'), 'no-store')
      const back = await choose(start.location, 'demo-1')
      assert.equal(new URL(back).origin, origin)
      const path = back.slice(origin.length)

      const stranger = await get(path)
      assert.equal(stranger.status, 400, 'another browser')
      const cookie = { cookie: `theme=dark; ${cookieIn(start.setCookie)}` }
      assert.equal(
        (await fetch(back, { method: 'HEAD', headers: cookie })).status,
        405,
        'looking is not logging in',
      )
      const done = await get(path, cookie)
      assert.equal(done.status, 200)
      assert.match(done.setCookie, /^auth-login=; Path=\/; Max-Age=0; HttpOnly; SameSite=Lax$/)
      const { accessToken, returnTo, login } = JSON.parse(done.text)
      assert.deepEqual([returnTo, login], [undefined, undefined], 'no script sees what is in the cookie')
      const me = await get('/api/v1/auth/me', { authorization: `Bearer ${accessToken}` })
      assert.equal(me.status, 200)
      assert.equal(JSON.parse(me.text).email, 'ada@demo.test')

      const again = await get(path, cookie)
      assert.equal(JSON.parse(again.text).reason, 'not_begun_here')
    })
  }

  it('leads the browser on to a page, which finds its session, and no token in an address', async (t) => {
    const { origin, get } = await openShop(t, 'one process')
    const start = await get(`${START}?returnTo=/cart%3Fx=1`)
    const path = (await choose(start.location, 'demo-1')).slice(origin.length)
    const done = await get(path, { cookie: cookieIn(start.setCookie) })
    assert.deepEqual([done.status, done.text, done.location], [303, '', '/cart?x=1'])
    assert.equal(done.headers.get('cache-control'), 'no-store')
    assert.match(done.setCookie, /^auth-login=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/)
    const take = async (cookie: string) => {
      const answer = await fetch(`${origin}/api/v1/auth/oidc/session`, {
        method: 'POST',
        headers: { cookie },
      })
      return { setCookie: answer.headers.get('set-cookie') ?? '', body: JSON.parse(await answer.text()) }
    }
    assert.equal((await take('theme=dark')).body.reason, 'no_login')
    assert.equal((await take(cookieIn(start.setCookie))).body.reason, 'no_login')
    const { body, setCookie } = await take(cookieIn(done.setCookie))
    assert.match(setCookie, /^auth-login=; Path=\/; Max-Age=0; /)
    const me = await get('/api/v1/auth/me', { authorization: `Bearer ${body.accessToken}` })
    assert.equal(JSON.parse(me.text).email, 'ada@demo.test')
    assert.equal((await take(cookieIn(done.setCookie))).body.reason, 'no_login', 'once')
  })

  it('keeps cookies for TLS alone where browsers come by TLS', async (t) => {
    const { origin, get } = await openShop(t, 'one process', { GATEWAY_SECURE_COOKIES: 'true' })
    const { location, setCookie } = await get(START)
    assert.match(
      setCookie,
      /^__Host-auth-login=[\w-]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    )
    const path = (await choose(location, 'demo-2')).slice(origin.length)
    const planted = cookieIn(setCookie).slice('__Host-'.length)
    assert.equal((await get(path, { cookie: planted })).status, 400, 'a neighbouring host could have set it')
    const twice = `${cookieIn(setCookie)}; ${cookieIn(setCookie)}`
    assert.equal((await get(path, { cookie: twice })).status, 400)
    assert.equal((await get(path, { cookie: cookieIn(setCookie) })).status, 200)
  })

  it('says what is wrong with a login that comes to nothing', async (t) => {
    const { origin, get } = await openShop(t, 'one process')
    for (const [person, reason] of [
      ['', 'refused'],
      ['demo-3', 'no_email'],
    ] as const) {
      const { location, setCookie } = await get(START)
      const path = (await choose(location, person)).slice(origin.length)
      assert.equal(JSON.parse((await get(path, { cookie: cookieIn(setCookie) })).text).reason, reason)
    }
    const evil = await get(`${START}?returnTo=//evil.test`)
    assert.deepEqual([evil.status, evil.location], [400, ''])
    assert.equal((await get(`${START}?login=x`)).status, 400, 'the cookie is no parameter')
    assert.equal((await get('/api/v1/auth/oidc/none/start')).status, 404)
  })

  it('is not there where it is turned off', async (t) => {
    const { get } = await openShop(t, 'one process', {
      AUTH_DEMO_LOGIN: 'false',
      IDENTITY_IS_OPEN: 'false',
      IDENTITY_PORT: '8',
    })
    assert.equal((await get(START)).status, 404)
  })
})
