/** What holds of shared limits, whatever happens in which order. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { TestFleet, type TestSharer } from './fleet.test.ts'

const GATEWAYS = 3
/** What comes back in so long may be allowed once more: it was taken before, and not used. */
const HELD_MS = 3_000

type Step =
  | {
      readonly kind: 'ask'
      readonly gateways: readonly number[]
      readonly times: number
      readonly key: string
    }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'crash'; readonly gateway: number }
  | { readonly kind: 'turn away'; readonly isAway: boolean }

const anyGateway = fc.nat(GATEWAYS - 1)
const ask: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('ask'),
  gateways: fc.oneof(
    fc.constant([0, 1, 2]),
    anyGateway.map((gateway) => [gateway]),
  ),
  // To have a lease, to use it up, to take all there is.
  times: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 30 }), fc.constant(300)),
  key: fc.constantFrom('a', 'b'),
})
const wait: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('wait'),
  ms: fc.oneof(fc.nat(50), fc.nat(1_500), fc.integer({ min: 2_000, max: 8_000 }), fc.constant(25_000)),
})
const crash: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('crash'), gateway: anyGateway })
const outage: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('turn away'), isAway: fc.boolean() })
const anyDelays = fc.array(fc.nat(200), { minLength: 1, maxLength: 7 })
const anyLimit = fc.record({
  perMinute: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 31, max: 300 })),
  isStrict: fc.boolean(),
})

interface Allowed {
  readonly key: string
  readonly atMs: number
}

/** Plays the steps; gives what was allowed, and the gateways, dead ones too. */
async function play(
  fleet: TestFleet,
  steps: readonly Step[],
): Promise<{ readonly allowed: readonly Allowed[]; readonly everybody: readonly TestSharer[] }> {
  const allowed: Allowed[] = []
  const everybody = [...fleet.gateways]
  const pending: Promise<unknown>[] = []
  for (const step of steps) {
    if (step.kind === 'wait') await fleet.clock.advance(step.ms)
    else if (step.kind === 'turn away') fleet.isAway = step.isAway
    else if (step.kind === 'crash') {
      fleet.gateways[step.gateway]?.crash()
      const fresh = fleet.open()
      fleet.gateways[step.gateway] = fresh
      everybody.push(fresh)
    } else
      for (const gateway of step.gateways) {
        for (let times = 0; times < step.times; times++) {
          const { key } = step
          const verdict = Promise.resolve(fleet.gateways[gateway]?.limit.take(key))
          pending.push(
            verdict.then((its) => its?.isAllowed && allowed.push({ key, atMs: fleet.clock.monotonicMs() })),
          )
        }
      }
  }
  await fleet.clock.advance(2_000)
  await Promise.all(pending)
  return { allowed, everybody }
}

describe('Shared rate limits', () => {
  it('are never exceeded by more than what comes back in three seconds, in any span of time; from a full bucket on, not at all', async () => {
    const steps = fc.array(fc.oneof({ weight: 6, arbitrary: ask }, { weight: 4, arbitrary: wait }, crash), {
      maxLength: 40,
      size: 'max',
    })
    await fc.assert(
      fc.asyncProperty(anyLimit, anyDelays, steps, async (options, delaysMs, all) => {
        const fleet = new TestFleet(GATEWAYS, { name: 'law', ...options })
        fleet.delaysMs = delaysMs
        const { allowed } = await play(fleet, all)
        const { perMinute } = options
        const perMs = perMinute / 60_000
        for (const key of ['a', 'b']) {
          const timesMs = allowed.filter((one) => one.key === key).map(({ atMs }) => atMs)
          // How far ahead of the rate it was at the least, before any of them.
          let aheadMin = 0
          for (const [before, atMs] of timesMs.entries()) {
            aheadMin = Math.min(aheadMin, before - atMs * perMs)
            const ahead = before + 1 - atMs * perMs
            assert.ok(ahead <= perMinute + 1e-3, 'from a full bucket on')
            assert.ok(ahead - aheadMin <= perMinute + HELD_MS * perMs + 1e-3, 'in any span of time')
          }
        }
      }),
      { numRuns: 20 },
    )
  })

  it('are exceeded by less than as much again while nobody can be asked, and not at all by what is shared', async () => {
    const steps = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: ask.map((step) => ({ ...step, key: 'a' })) },
        { weight: 3, arbitrary: wait },
        { weight: 1, arbitrary: outage },
      ),
      { maxLength: 40, size: 'max' },
    )
    await fc.assert(
      fc.asyncProperty(anyLimit, anyDelays, steps, async (options, delaysMs, all) => {
        const fleet = new TestFleet(GATEWAYS, { name: 'law', ...options })
        fleet.delaysMs = delaysMs
        const { everybody, allowed } = await play(fleet, all)
        const { perMinute, isStrict } = options
        const rate = (fleet.clock.monotonicMs() * perMinute) / 60_000
        const alone = everybody.map((gateway) => gateway.count('allowed_alone'))
        const aloneSum = alone.reduce((sum, count) => sum + count, 0)
        assert.equal(aloneSum + fleet.count('allowed'), allowed.length)
        assert.ok(fleet.count('allowed') <= perMinute + rate + 1e-3)
        const burst = isStrict ? 1 : Math.max(1, Math.floor(perMinute / GATEWAYS))
        for (const count of alone) assert.ok(count <= burst + rate / GATEWAYS + 1e-3)
      }),
      { numRuns: 20 },
    )
  })
})
