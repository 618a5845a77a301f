/** `kill -9` of any process while people read: nobody notices who is willing to ask again. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { until } from '@flotilla/core/until'
import { type Bed, makeBed, processesOf, run, startUp } from './flotilla-process.ts'
import { openShop } from './placements.ts'
import type { Ask } from './shop-client.ts'

/** A careful client: asks again while that is safe, for at most ten seconds. */
async function careful(
  ask: Ask,
  path: string,
  token: string | undefined,
): Promise<{ status: number; tries: number }> {
  const giveUpMs = Date.now() + 10_000
  for (let tries = 1; ; tries++) {
    const status = await ask(path, token === undefined ? {} : { token }).then(
      (answer) => answer.status,
      // No connection: the gateway itself was killed.
      () => 0,
    )
    const isPassing = status === 0 || status === 503 || status === 504
    if (!isPassing || Date.now() > giveUpMs) return { status, tries }
    await new Promise((resolve) => setTimeout(resolve, 25 * Math.min(8, tries)))
  }
}

interface ProcessRow {
  readonly name: string
  readonly pid?: number
  readonly state: string
}

async function processes(bed: Bed): Promise<readonly ProcessRow[]> {
  const { output, errors } = await run(bed, 'ps', '--json')
  assert.equal(errors, '')
  return JSON.parse(output) as ProcessRow[]
}

function postmasterOf(bed: Bed): number {
  return Number(readFileSync(join(bed.folder, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
}

describe('kill -9', () => {
  it('of any process: every read succeeds, and the process is back', async (t) => {
    const shop = await openShop(t, 'fleet')
    const bed = shop.bed as Bed
    const ann = await shop.register('ann')
    await shop.api('/cart/items', { token: ann.token, body: { sku: 'AUD-0001', quantity: 1 } })
    const { body } = await shop.api('/products?limit=1')
    const reads = [
      ['/home', undefined],
      [`/products/${body.items[0].id}`, undefined],
      ['/search?q=kettle', undefined],
      ['/cart', ann.token],
      ['/auth/me', ann.token],
      ['/stock/AUD-0001', undefined],
    ] as const

    let isOver = false
    let [asked, again, failed] = [0, 0, 0]
    const reader = async (offset: number): Promise<void> => {
      for (let index = offset; !isOver; index++) {
        const [path, token] = reads[index % reads.length] as (typeof reads)[number]
        const { status, tries } = await careful(shop.api, path, token)
        asked++
        if (tries > 1) again++
        if (status !== 200) failed++
      }
    }
    const readers = Array.from({ length: 8 }, (_, index) => reader(index))
    const victims = (await processes(bed)).map(({ name }) => name)
    for (const name of victims) {
      const before = (await processes(bed)).find((row) => row.name === name)
      process.kill(before?.pid as number, 'SIGKILL')
      await until(`${name} is back`, async () => {
        const row = (await processes(bed)).find((one) => one.name === name)
        return row?.state === 'ready' && row.pid !== before?.pid
      })
    }
    const postmaster = postmasterOf(bed)
    process.kill(postmaster, 'SIGKILL')
    await until(
      'PostgreSQL is back',
      () => {
        try {
          return postmasterOf(bed) !== postmaster
        } catch {
          // The file is not there while the server is away.
          return false
        }
      },
      15_000,
    )
    await until(
      'the database answers',
      async () => (await shop.api('/cart', { token: ann.token })).status === 200,
      15_000,
    )
    isOver = true
    await Promise.all(readers)
    t.diagnostic(
      `${asked} reads, ${again} of them asked again, ${failed} failed; killed ${victims.join(', ')}, PostgreSQL`,
    )
    assert.equal(failed, 0)
    const kept = await shop.api('/cart', { token: ann.token })
    assert.equal(kept.body.totals.items, 1, 'what was acknowledged is still there')
  })

  it('of the supervisor leaves nothing behind, and the next start finds the data', async (t) => {
    const bed = await makeBed(t)
    const first = await startUp(bed)
    const all = processesOf(bed)
    assert.ok(all.length >= 8, `${all.length} processes`)
    process.kill(first.child.pid as number, 'SIGKILL')
    await until('every process is gone', () => processesOf(bed).length === 0, 10_000)
    const second = await startUp(bed)
    assert.ok(second.output().includes('is ready'))
  })
})
