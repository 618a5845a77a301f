import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import type { Endpoint } from './endpoint.ts'
import { PeakEwma } from './peak-ewma.ts'
import { createPolicy, type PolicyName, policyNames } from './policies.ts'
import type { Policy } from './policy.ts'
import { SlowStart } from './slow-start.ts'

interface Described {
  readonly weight?: number
  readonly pending?: number
  readonly latencyMs?: number
  readonly slowStart?: SlowStart
}

function endpoint(id: string, { weight = 1, pending = 0, latencyMs, slowStart }: Described = {}): Endpoint {
  const ewma = new PeakEwma()
  if (latencyMs !== undefined) {
    ewma.begin()
    ewma.end(0, latencyMs, false)
  }
  for (let call = 0; call < pending; call++) ewma.begin()
  return { id, weight, zone: '', ewma, slowStart, isAvailable: () => true }
}

function endpoints(...described: readonly Described[]): readonly Endpoint[] {
  return described.map((one, index) => endpoint(`i${index}`, one))
}

const policyOf = (name: PolicyName, seed = 1): Policy => createPolicy(name, seededRandom(seed))

/** How often each of `among` is picked in `times` picks; calls end at once. */
function picks(policy: Policy, among: readonly Endpoint[], times: number, nowMs = 0): readonly number[] {
  const counts = new Map<string, number>(among.map(({ id }) => [id, 0]))
  for (let pick = 0; pick < times; pick++) {
    const { id } = policy.pick(among, nowMs, undefined) as Endpoint
    counts.set(id, (counts.get(id) as number) + 1)
  }
  return [...counts.values()]
}

const isNear = (actual: number, expected: number, by: number): void =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual}, not ${expected} ± ${by}`)

describe('A policy', () => {
  it('createPolicy makes policies that pick nobody of none, the only of one, and one of many', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...policyNames),
        fc.array(
          fc.record({ weight: fc.integer({ min: 1, max: 9 }), pending: fc.nat(40), latencyMs: fc.nat(900) }),
          { minLength: 1, maxLength: 9 },
        ),
        fc.option(fc.string(), { nil: undefined }),
        fc.integer(),
        (name, described, key, seed) => {
          const policy = policyOf(name, seed)
          assert.equal(policy.pick([], 0, key), undefined)
          const all = endpoints(...described)
          assert.equal(policy.pick(all.slice(0, 1), 0, key), all[0])
          for (let pick = 0; pick < 20; pick++) {
            const picked = policy.pick(all, 0, key)
            assert.ok(picked !== undefined && all.includes(picked), name)
          }
        },
      ),
    )
  })

  it('gives a newcomer a tenth of its share at first, and all of it after half a minute', () => {
    for (const name of policyNames.filter((one) => one !== 'consistent_hash')) {
      const newcomer = endpoint('new', { slowStart: new SlowStart(0) })
      const all = [endpoint('a'), endpoint('b'), endpoint('c'), newcomer]
      // Those that go by load see it as a tenth as strong: with one pending each, nobody is.
      for (const { ewma } of all) {
        ewma.begin()
        ewma.end(0, 5, false)
        ewma.begin()
      }
      const [, , , early = 0] = picks(policyOf(name), all, 3_100)
      assert.ok(early <= 120, `${name} gave it ${early} of 3,100`)
      const [, , , late = 0] = picks(policyOf(name), all, 3_100, 30_000)
      isNear(late, 775, 130)
    }
  })
})

describe('round_robin', () => {
  it('takes one after the other, whatever they weigh', () => {
    const all = endpoints({ weight: 5 }, {}, {})
    const policy = policyOf('round_robin')
    const ids = Array.from({ length: 7 }, () => policy.pick(all, 0, undefined)?.id)
    assert.deepEqual(ids, ['i0', 'i1', 'i2', 'i0', 'i1', 'i2', 'i0'])
  })

  it('goes on when instances come and go', () => {
    const [a, b, c, d] = endpoints({}, {}, {}, {}) as [Endpoint, Endpoint, Endpoint, Endpoint]
    const policy = policyOf('round_robin')
    for (let pick = 0; pick < 100; pick++) policy.pick([a, b, c], 0, undefined)
    const [first = 0] = picks(policy, [a, c], 100)
    isNear(first, 50, 1)
    const [, , latest = 0] = picks(policy, [a, c, d], 99)
    isNear(latest, 33, 1)
  })
})

describe('weighted_round_robin', () => {
  it('takes each exactly as often as it weighs, as evenly as that can be', () => {
    const all = endpoints({ weight: 5 }, { weight: 1 }, { weight: 1 })
    const policy = policyOf('weighted_round_robin')
    const round = Array.from({ length: 7 }, () => policy.pick(all, 0, undefined)?.id)
    assert.deepEqual(round, ['i0', 'i0', 'i1', 'i0', 'i2', 'i0', 'i0'])
  })

  it('weighted_round_robin is exact after every round, for any weights', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const all = endpoints(...weights.map((weight) => ({ weight })))
        const total = weights.reduce((sum, weight) => sum + weight, 0)
        assert.deepEqual(
          picks(policyOf('weighted_round_robin'), all, 3 * total),
          weights.map((weight) => 3 * weight),
        )
      }),
    )
  })
})

describe('least_connections', () => {
  it('least_connections never takes one that has more to do for its weight than another', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ weight: fc.integer({ min: 1, max: 5 }), pending: fc.nat(30) }), {
          minLength: 1,
          maxLength: 8,
        }),
        fc.integer(),
        (described, seed) => {
          const all = endpoints(...described)
          const connections = ({ ewma, weight }: Endpoint): number => (ewma.pending + 1) / weight
          const picked = policyOf('least_connections', seed).pick(all, 0, undefined) as Endpoint
          assert.equal(connections(picked), Math.min(...all.map(connections)))
        },
      ),
    )
  })

  it('takes any of those that have as little', () => {
    const [busy, ...idle] = picks(policyOf('least_connections'), endpoints({ pending: 3 }, {}, {}, {}), 3_000)
    assert.equal(busy, 0)
    for (const count of idle) isNear(count, 1_000, 120)
  })
})

describe('random', () => {
  it('takes each as often as it weighs', () => {
    const [one = 0, three = 0] = picks(policyOf('random'), endpoints({ weight: 1 }, { weight: 3 }), 4_000)
    isNear(one, 1_000, 120)
    isNear(three, 3_000, 120)
  })
})

describe('peak_ewma', () => {
  it('peak_ewma never takes the worst, and each of the others sometimes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.double({ min: 0.01, max: 5_000, noNaN: true }), { minLength: 2, maxLength: 6 }),
        fc.integer(),
        (latencies, seed) => {
          const sorted = latencies.toSorted((a, b) => a - b)
          const counts = picks(
            policyOf('peak_ewma', seed),
            endpoints(...sorted.map((latencyMs) => ({ latencyMs }))),
            500,
          )
          assert.equal(counts.at(-1), 0)
          assert.ok(counts.slice(0, -1).every((count) => count > 0))
        },
      ),
    )
  })

  /** Sends one call every 10 ms to two instances; the share each got. */
  function shares(behaviours: readonly { latencyMs: number; hasFailed: boolean }[]): readonly number[] {
    const all = behaviours.map((behaviour, index) => ({ ...endpoint(`i${index}`), behaviour, calls: 0 }))
    const policy = policyOf('peak_ewma', 7)
    for (let nowMs = 0; nowMs < 20_000; nowMs += 10) {
      const picked = policy.pick(all, nowMs, undefined)
      assert.ok(picked)
      picked.calls++
      picked.ewma.begin()
      picked.ewma.end(nowMs, picked.behaviour.latencyMs, picked.behaviour.hasFailed)
    }
    return all.map(({ calls }) => calls / 2_000)
  }

  it('prefers the faster of two, and avoids the one that fails fast', () => {
    const [fast = 0] = shares([
      { latencyMs: 2, hasFailed: false },
      { latencyMs: 20, hasFailed: false },
    ])
    assert.ok(fast > 0.9, `${fast}`)
    const [failing = 1] = shares([
      { latencyMs: 1, hasFailed: true },
      { latencyMs: 50, hasFailed: false },
    ])
    assert.ok(failing < 0.05, `${failing}`)
  })

  it('expects more of one with more weight', () => {
    const all = endpoints({ latencyMs: 10, weight: 1 }, { latencyMs: 10, weight: 4 })
    assert.deepEqual(picks(policyOf('peak_ewma'), all, 100), [0, 100])
  })
})

describe('consistent_hash', () => {
  const keys = Array.from({ length: 2_000 }, (_, index) => `user-${index}`)
  const homes = (all: readonly Endpoint[]): ReadonlyMap<string, string | undefined> => {
    const policy = policyOf('consistent_hash')
    return new Map(keys.map((key) => [key, policy.pick(all, 0, key)?.id]))
  }

  it('consistent_hash moves only the keys of an instance that leaves, and to one that comes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.nat(8), (count, at) => {
        const all = endpoints(...Array.from({ length: count }, () => ({})))
        const gone = all[at % count] as Endpoint
        const before = homes(all)
        const after = homes(all.filter((one) => one !== gone))
        for (const [key, home] of before) {
          if (home !== gone.id) assert.equal(after.get(key), home)
          else assert.notEqual(after.get(key), gone.id)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('spreads keys by weight, the same in every process', () => {
    const homesOf = homes(endpoints({ weight: 1 }, { weight: 1 }, { weight: 2 }))
    const count = (id: string): number => [...homesOf.values()].filter((home) => home === id).length
    isNear(count('i0'), 500, 80)
    isNear(count('i1'), 500, 80)
    isNear(count('i2'), 1_000, 100)
    assert.deepEqual(
      keys.slice(0, 6).map((key) => homesOf.get(key)),
      [...homes(endpoints({ weight: 1 }, { weight: 1 }, { weight: 2 })).values()].slice(0, 6),
    )
  })

  it('consistent_hash lets nobody have much more than its share of what is pending, however much everybody wants one key', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 1, max: 400 }), (count, calls) => {
        const all = endpoints(...Array.from({ length: count }, () => ({})))
        const policy = policyOf('consistent_hash')
        for (let call = 1; call <= calls; call++) {
          policy.pick(all, 0, 'everybody')?.ewma.begin()
          const most = Math.max(...all.map(({ ewma }) => ewma.pending))
          assert.ok(most <= Math.max(10, Math.ceil((1.25 * call) / count)), `${most} of ${call}`)
        }
        assert.equal(
          all.reduce((sum, { ewma }) => sum + ewma.pending, 0),
          calls,
        )
      }),
      { numRuns: 50 },
    )
  })

  it('balances calls without a key', () => {
    const all = endpoints({ latencyMs: 1 }, { latencyMs: 100 })
    assert.deepEqual(picks(policyOf('consistent_hash'), all, 50), [50, 0])
  })
})
