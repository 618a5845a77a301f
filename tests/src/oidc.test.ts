/** Logging in by the demo identity provider, on every placement. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openShop, placements } from './placements.ts'

for (const placement of placements) {
  describe(`logging in by an identity provider, ${placement}`, () => {
    it('ends with a session of the shop', async (t) => {
      const shop = await openShop(t, placement)
      const start = await visit(`${shop.origin}/api/v1/auth/oidc/demo/start`)
      const cookie = start.headers.get('set-cookie')?.split(';', 1)[0] as string
      const provider = start.headers.get('location') as string
      const page = await visit(provider)
      const request = /name="request" value="([\w-]+)"/.exec(await page.text())?.[1] as string
      const choice = await visit(`${new URL(provider).origin}/login`, {
        method: 'POST',
        body: new URLSearchParams({ request, person: 'demo-1' }),
      })
      const back = await visit(choice.headers.get('location') as string, { headers: { cookie } })
      assert.equal(back.status, 200)
      const { accessToken, refreshToken } = (await back.json()) as Record<string, string>
      const me = await shop.api('/auth/me', { token: accessToken as string })
      assert.equal(me.body.email, 'ada@demo.test')
      const refreshed = await shop.api('/auth/refresh', { body: { refreshToken } })
      assert.equal(refreshed.status, 200)
    })
  })
}

/** One page; nothing is followed. */
const visit = (url: string, options: RequestInit = {}): Promise<Response> =>
  fetch(url, { redirect: 'manual', ...options })
