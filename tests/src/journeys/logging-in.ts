/**
 * Logging in at an identity provider, and sessions that end.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Bed, run } from '../flotilla-process.ts'
import type { PlacementName, Shop } from '../placements.ts'

const BOUND_MS = 5_000

/** The tests of it. @param shopOf the one that is open, to be asked for within a test. */
export function loggingIn(shopOf: () => Shop, placement: PlacementName): void {
  it('gives a session to who comes from an identity provider', async () => {
    const shop = shopOf()
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

  it('ends access tokens with their session, within seconds and for gateways that come later', async () => {
    const shop = shopOf()
    const ann = await shop.register('ann')
    const again = await shop.login(ann.email, ann.password)
    const statusOf = async ({ token }: { token: string }) => (await shop.api('/auth/me', { token })).status
    assert.deepEqual([await statusOf(ann), await statusOf(again)], [200, 200])
    const { status } = await shop.api('/auth/logout', { body: { refreshToken: ann.refreshToken } })
    assert.equal(status, 204)
    await until('the token is refused', async () => (await statusOf(ann)) === 401, BOUND_MS)
    assert.equal(await statusOf(again), 200)
    if (placement !== 'fleet') return

    await killGateway(shop.bed as Bed)
    await until('a gateway is back', async () => (await statusOf(again).catch(() => 0)) === 200)
    assert.equal(await statusOf(ann), 401, 'a new gateway knows')
  })
}

/** One page; nothing is followed. */
const visit = (url: string, options: RequestInit = {}): Promise<Response> =>
  fetch(url, { redirect: 'manual', ...options })

async function killGateway(bed: Bed): Promise<void> {
  const { output } = await run(bed, 'ps', '--json')
  const rows = JSON.parse(output) as readonly { readonly name: string; readonly pid?: number }[]
  const gateway = rows.find(({ name }) => name.startsWith('gateway'))
  process.kill(gateway?.pid as number, 'SIGKILL')
}
