/** Logging out, on every placement: the access token is over within seconds, also for a gateway that comes later. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Bed, run } from './flotilla-process.ts'
import { openShop, placements } from './placements.ts'

const BOUND_MS = 5_000

for (const placement of placements) {
  describe(`a session that ended, ${placement}`, () => {
    it('takes its access tokens with it, and no others', async (t) => {
      const shop = await openShop(t, placement)
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
      await until('a gateway is back', async () => (await statusOf(again).catch(() => 0)) === 200, 20_000)
      assert.equal(await statusOf(ann), 401, 'a new gateway knows')
    })
  })
}

async function killGateway(bed: Bed): Promise<void> {
  const { output } = await run(bed, 'ps', '--json')
  const rows = JSON.parse(output) as readonly { readonly name: string; readonly pid?: number }[]
  const gateway = rows.find(({ name }) => name.startsWith('gateway'))
  process.kill(gateway?.pid as number, 'SIGKILL')
}
