import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Calls } from '@flotilla/core/calls'
import { isFlotillaError } from '@flotilla/core/error'
import fc from 'fast-check'
import type { Cart, cart } from '../contracts/cart.ts'
import { openCart } from './opened-cart.test.ts'

const PRICES = new Map([
  ['A-1', 100],
  ['B-1', 250],
  ['C-1', 999],
])

type Step =
  | { readonly kind: 'add' | 'set'; readonly sku: string; readonly quantity: number; readonly lag?: number }
  | { readonly kind: 'remove'; readonly sku: string; readonly lag?: number }
  | { readonly kind: 'clear'; readonly lag?: number }

const sku = fc.constantFrom(...PRICES.keys(), 'NONE-1')
/** How many versions behind the current one the step is meant for. */
const lag = fc.option(fc.integer({ min: -1, max: 2 }), { nil: undefined })
const quantity = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 99 }))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('add', 'set'), sku, quantity, lag }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), sku, lag }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear'), lag }) },
) as fc.Arbitrary<Step>

/** What a cart is, in the fewest words. */
class Model {
  version = 0
  lines = new Map<string, number>()

  /** The reason it refuses with, or undefined. */
  apply(step: Step): string | undefined {
    if ('quantity' in step && !PRICES.has(step.sku)) return 'no_product'
    const next = new Map(this.lines)
    if (step.kind === 'add') next.set(step.sku, (next.get(step.sku) ?? 0) + step.quantity)
    if (step.kind === 'set') next.set(step.sku, step.quantity)
    if (step.kind === 'remove') next.delete(step.sku)
    if (step.kind === 'clear') next.clear()
    const isSame = JSON.stringify([...next]) === JSON.stringify([...this.lines])
    const version = versionOf(step, this.version)
    const behind = version === undefined ? 0 : this.version - version
    if (behind !== 0 && !(behind === 1 && isSame)) return 'stale_version'
    if ([...next.values()].some((one) => one > 99)) return 'too_many'
    if (isSame) return undefined
    this.lines = next
    this.version++
    return undefined
  }
}

/** A version is at least 1, so there may be none to name. */
function versionOf({ lag }: Step, current: number): number | undefined {
  return lag === undefined || current - lag < 1 ? undefined : current - lag
}

async function run(calls: Calls<typeof cart>, step: Step, current: number): Promise<Cart | string> {
  const version = versionOf(step, current)
  const meant = version === undefined ? {} : { version }
  try {
    switch (step.kind) {
      case 'add':
        return await calls.addItem({ sku: step.sku, quantity: step.quantity, ...meant })
      case 'set':
        return await calls.setItem({ sku: step.sku, quantity: step.quantity, ...meant })
      case 'remove':
        return await calls.removeItem({ sku: step.sku, ...meant })
      case 'clear':
        return await calls.clear(meant)
    }
  } catch (error) {
    if (isFlotillaError(error) && error.reason !== undefined) return error.reason
    throw error
  }
}

describe('a cart', () => {
  it('is what a map with a version is, whatever is done to it', async (t) => {
    const { as } = await openCart(t)
    let runs = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const calls = as(`user-${runs++}`)
        const model = new Model()
        for (const one of steps) {
          const outcome = await run(calls, one, model.version)
          const refusal = model.apply(one)
          const seen = await calls.get()
          if (refusal === undefined && model.version > 0) assert.deepEqual(outcome, seen)
          if (refusal !== undefined) assert.equal(outcome, refusal)
          assert.equal(seen.version, model.version)
          assert.deepEqual(
            seen.lines.map((line) => [line.sku, line.quantity]),
            [...model.lines],
          )
          const amounts = [...model.lines].map(([name, count]) => (PRICES.get(name) ?? 0) * count)
          assert.equal(
            seen.totals.subtotal.amount,
            amounts.reduce((sum, amount) => sum + amount, 0),
          )
        }
      }),
      { numRuns: 25 },
    )
  })

  it('loses nothing of what is done to it at once', async (t) => {
    const { as } = await openCart(t)
    let runs = 0
    const adds = fc.array(fc.tuple(fc.constantFrom(...PRICES.keys()), fc.integer({ min: 1, max: 9 })), {
      minLength: 1,
      maxLength: 10,
    })
    await fc.assert(
      fc.asyncProperty(adds, async (all) => {
        const calls = as(`crowd-${runs++}`)
        const answers = await Promise.all(
          all.map(([name, count]) => calls.addItem({ sku: name, quantity: count })),
        )
        const { version, totals } = await calls.get()
        assert.equal(version, all.length)
        assert.equal(
          totals.items,
          all.reduce((sum, [, count]) => sum + count, 0),
        )
        assert.equal(
          new Set(answers.map((answer) => answer.version)).size,
          all.length,
          'each its own version',
        )
      }),
      { numRuns: 15 },
    )
  })
})
