import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFlotillaError } from '@flotilla/core/error'
import { until } from '@flotilla/core/until'
import fc from 'fast-check'
import { assertBalanced, assertTold, type OpenedInventory, openInventory } from './opened-inventory.test.ts'

const SKUS = ['A', 'B', 'C']
const ORDERS = ['o1', 'o2', 'o3', 'o4']

type Lines = readonly { readonly sku: string; readonly quantity: number }[]
type Step =
  | { readonly kind: 'reserve'; readonly order: string; readonly lines: Lines }
  | { readonly kind: 'commit' | 'release' | 'expire'; readonly order: string }
  | { readonly kind: 'count'; readonly sku: string; readonly onHand: number }

const order = fc.constantFrom(...ORDERS)
const sku = fc.constantFrom(...SKUS)
const lines = fc.array(fc.record({ sku, quantity: fc.integer({ min: 1, max: 3 }) }), {
  minLength: 1,
  maxLength: 4,
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('reserve' as const), order, lines }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'release', 'expire'), order }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('count' as const),
      sku,
      onHand: fc.integer({ min: 0, max: 9 }),
    }),
  },
)

interface Kept {
  state: 'active' | 'committed' | 'released' | 'expired'
  readonly wanted: ReadonlyMap<string, number>
}

/** What an inventory is, in the fewest words. */
class Model {
  readonly onHand = new Map(SKUS.map((name) => [name, 5]))
  readonly orders = new Map<string, Kept>()

  reserved(name: string): number {
    const active = [...this.orders.values()].filter(({ state }) => state === 'active')
    return active.reduce((sum, { wanted }) => sum + (wanted.get(name) ?? 0), 0)
  }

  hasAll(wanted: ReadonlyMap<string, number>): boolean {
    return [...wanted].every(([name, count]) => (this.onHand.get(name) ?? 0) - this.reserved(name) >= count)
  }

  move(wanted: ReadonlyMap<string, number>, sign: 1 | -1): void {
    for (const [name, count] of wanted) this.onHand.set(name, (this.onHand.get(name) ?? 0) + sign * count)
  }

  /** The reason it refuses with, or undefined. */
  apply(one: Step): string | undefined {
    const kept = 'order' in one ? this.orders.get(one.order) : undefined
    switch (one.kind) {
      case 'count':
        if (one.onHand < this.reserved(one.sku)) return 'below_reserved'
        this.onHand.set(one.sku, one.onHand)
        return undefined
      case 'reserve':
        return this.reserve(one.order, one.lines, kept)
      case 'commit':
        return this.commit(kept)
      case 'release':
        if (kept?.state === 'committed') this.move(kept.wanted, 1)
        if (kept === undefined) this.orders.set(one.order, { state: 'released', wanted: new Map() })
        else kept.state = 'released'
        return undefined
      case 'expire':
        if (kept?.state === 'active') kept.state = 'expired'
        return undefined
    }
  }

  reserve(name: string, asked: Lines, kept: Kept | undefined): string | undefined {
    const wanted = new Map<string, number>()
    for (const { sku: one, quantity } of asked) wanted.set(one, (wanted.get(one) ?? 0) + quantity)
    if (kept?.state === 'released' || kept?.state === 'expired') return 'reservation_ended'
    if (kept !== undefined) {
      const isSame = wanted.size === kept.wanted.size
      return isSame && [...wanted].every(([one, count]) => kept.wanted.get(one) === count)
        ? undefined
        : 'reservation_differs'
    }
    if (!this.hasAll(wanted)) return 'out_of_stock'
    this.orders.set(name, { state: 'active', wanted })
    return undefined
  }

  commit(kept: Kept | undefined): string | undefined {
    if (kept === undefined) return 'no_reservation'
    if (kept.state === 'released') return 'reservation_ended'
    if (kept.state === 'committed') return undefined
    if (kept.state === 'expired' && !this.hasAll(kept.wanted)) return 'out_of_stock'
    kept.state = 'committed'
    this.move(kept.wanted, -1)
    return undefined
  }
}

/** Runs a step for real; `run` keeps the runs of one test apart. The reason it was refused with, or undefined. */
async function perform(
  { calls, fromOrders, database }: OpenedInventory,
  run: number,
  one: Step,
): Promise<string | undefined> {
  const nameOf = (name: string): string => `${name}-${run}`
  try {
    const orderId = 'order' in one ? nameOf(one.order) : ''
    switch (one.kind) {
      case 'count':
        await calls.setStock({ sku: nameOf(one.sku), onHand: one.onHand })
        return undefined
      case 'reserve': {
        const named = one.lines.map(({ sku: name, quantity }) => ({ sku: nameOf(name), quantity }))
        await fromOrders.reserve({ orderId, lines: named })
        return undefined
      }
      case 'commit':
        await fromOrders.commit({ orderId })
        return undefined
      case 'release':
        await fromOrders.release({ orderId, reason: 'given up' })
        return undefined
      case 'expire': {
        const due = `update reservation set expires_at = now() where order_id = $1 and state = 'active' returning 1`
        if ((await database.ask(due, [orderId])).length === 0) return undefined
        const active = `select 1 from reservation where order_id = $1 and state = 'active'`
        await until('it is gone', async () => (await database.ask(active, [orderId])).length === 0)
        return undefined
      }
    }
  } catch (error) {
    if (isFlotillaError(error) && error.reason !== undefined) return error.reason
    throw error
  }
}

async function fill({ calls }: OpenedInventory, run: number): Promise<void> {
  for (const name of SKUS) await calls.setStock({ sku: `${name}-${run}`, onHand: 5 })
}

describe('the inventory', () => {
  it('is what a map of orders over a map of stock is, at every step', async (t) => {
    const opened = await openInventory(t, { INVENTORY_SWEEP_MS: '10' })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const run = runs++
        const model = new Model()
        await fill(opened, run)
        for (const one of steps) {
          assert.equal(await perform(opened, run, one), model.apply(one))
          for (const name of SKUS) {
            const { onHand, reserved } = await opened.calls.stock({ sku: `${name}-${run}` })
            assert.deepEqual([onHand, reserved], [model.onHand.get(name), model.reserved(name)])
          }
          await assertBalanced(opened.database)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('is in balance whatever is done to it at once', async (t) => {
    const opened = await openInventory(t, { INVENTORY_SWEEP_MS: '10' })
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const run = runs++
        await fill(opened, run)
        await Promise.all(steps.map((one) => perform(opened, run, one)))
        await assertBalanced(opened.database)
        // Everything can be ended, and then nothing is kept.
        for (const name of ORDERS) {
          await opened.fromOrders.release({ orderId: `${name}-${run}`, reason: 'the end' })
        }
        for (const name of SKUS) {
          assert.equal((await opened.calls.stock({ sku: `${name}-${run}` })).reserved, 0)
        }
        await assertBalanced(opened.database)
      }),
      { numRuns: 25 },
    )
    await assertTold(opened.database)
  })
})
