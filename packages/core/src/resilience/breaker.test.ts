import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '../kernel/random.ts'
import { InstanceBreaker } from './breaker.ts'

const OPEN_MS_MIN = 5_000
const OPEN_MS_MAX = 300_000

/** Opens it with the fewest failures there are. */
function opened(nowMs: number, seed = 1): InstanceBreaker {
  const breaker = new InstanceBreaker(seededRandom(seed))
  for (let failure = 0; failure < 5; failure++) breaker.fail(nowMs)
  assert.equal(breaker.kind, 'open')
  return breaker
}

/** When an open breaker lets the next call try. */
function availableFromMs(breaker: InstanceBreaker, fromMs: number): number {
  for (let nowMs = fromMs; nowMs <= fromMs + OPEN_MS_MAX; nowMs++)
    if (breaker.isAvailable(nowMs)) return nowMs
  return assert.fail('never available again')
}

type Kind = InstanceBreaker['kind']
type Outcome = 'succeed' | 'fail' | 'abandon'

/** What a breaker may be after a call that ended so, by what it was when the call began. */
const next: Readonly<Record<Kind, Readonly<Record<Outcome, readonly Kind[]>>>> = {
  closed: { succeed: ['closed'], fail: ['closed', 'open'], abandon: ['closed'] },
  open: { succeed: ['closed'], fail: ['open'], abandon: ['open'] },
  probing: { succeed: ['closed'], fail: ['open'], abandon: ['open'] },
}

const anyStep = fc.record({
  passMs: fc.oneof(fc.nat(100), fc.nat(20_000)),
  outcome: fc.constantFrom<Outcome>('succeed', 'fail', 'abandon'),
})

describe('InstanceBreaker', () => {
  it('InstanceBreaker goes from state to state as its drawing says, whatever happens', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(anyStep, { maxLength: 80, size: 'max' }), (seed, steps) => {
        const breaker = new InstanceBreaker(seededRandom(seed))
        let nowMs = 0
        for (const { passMs, outcome } of steps) {
          nowMs += passMs
          const found = breaker.kind
          const wasAvailable = breaker.isAvailable(nowMs)
          breaker.begin(nowMs)
          const begun = breaker.kind
          // An open one whose wait is over becomes probing with the call; nothing else changes at its beginning.
          assert.equal(begun, found === 'open' && wasAvailable ? 'probing' : found)
          breaker[outcome](nowMs)
          assert.ok(
            next[begun][outcome].includes(breaker.kind),
            `${begun} became ${breaker.kind} by ${outcome}`,
          )
        }
      }),
    )
  })

  it('InstanceBreaker is available when closed, at no time while probing, and after an abandoned probe at once', () => {
    const breaker = new InstanceBreaker(seededRandom(1))
    assert.equal(breaker.isAvailable(0), true)
    assert.equal(breaker.isDoubtful, false)
    for (let failure = 0; failure < 5; failure++) {
      breaker.fail(0)
      assert.equal(breaker.isDoubtful, true)
    }
    breaker.begin(OPEN_MS_MIN)
    assert.equal(breaker.kind, 'probing')
    assert.equal(breaker.isAvailable(OPEN_MS_MIN + OPEN_MS_MAX), false)
    breaker.abandon(OPEN_MS_MIN)
    assert.equal(breaker.isAvailable(OPEN_MS_MIN), true)
    breaker.succeed(OPEN_MS_MIN)
    assert.equal(breaker.isDoubtful, false)
  })

  it('InstanceBreaker opens at the fifth failure in a row, not at the fourth', () => {
    const breaker = new InstanceBreaker(seededRandom(1))
    for (let round = 0; round < 3; round++) {
      for (let failure = 0; failure < 4; failure++) breaker.fail(0)
      assert.equal(breaker.kind, 'closed')
      for (let success = 0; success < 100; success++) breaker.succeed(0)
    }
    for (let failure = 0; failure < 5; failure++) breaker.fail(0)
    assert.equal(breaker.kind, 'open')
  })

  it('InstanceBreaker opens when one call in three fails, and bears one in ten for ever', () => {
    const callsUntilOpen = (period: number): number => {
      const breaker = new InstanceBreaker(seededRandom(1))
      for (let call = 1; call <= 1_000; call++) {
        if (call % period === 0) breaker.fail(0)
        else breaker.succeed(0)
        if (breaker.kind === 'open') return call
      }
      return Number.POSITIVE_INFINITY
    }
    assert.ok(callsUntilOpen(3) <= 40)
    assert.equal(callsUntilOpen(10), Number.POSITIVE_INFINITY)
  })

  it('InstanceBreaker stays away for half to all of its wait, which doubles up to the most with every failed probe', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 9 }), (seed, openings) => {
        const breaker = opened(0, seed)
        let openedMs = 0
        for (let opening = 1; opening <= openings; opening++) {
          const waitMs = Math.min(OPEN_MS_MAX, OPEN_MS_MIN * 2 ** (opening - 1))
          assert.equal(breaker.isAvailable(openedMs + waitMs / 2 - 1), false)
          assert.equal(breaker.isAvailable(openedMs + waitMs), true)
          openedMs += waitMs
          breaker.begin(openedMs)
          breaker.fail(openedMs)
        }
      }),
    )
  })

  it('InstanceBreaker spreads the end of its wait, so that callers do not come back together', () => {
    const ends = Array.from({ length: 30 }, (_, seed) => availableFromMs(opened(0, seed), 0))
    assert.ok(new Set(ends).size > 20)
    assert.ok(Math.max(...ends) - Math.min(...ends) > OPEN_MS_MIN / 4)
  })

  it('InstanceBreaker lets exactly one call try at the end of its wait', () => {
    const breaker = opened(0)
    const nowMs = availableFromMs(breaker, 0)
    breaker.begin(nowMs)
    assert.equal(breaker.kind, 'probing')
    assert.equal(breaker.isAvailable(nowMs), false)
  })

  it('InstanceBreaker takes one doubling of its wait back for every ten seconds closed, and none for a success alone', () => {
    const openMs = (breaker: InstanceBreaker, nowMs: number): number => {
      while (breaker.kind === 'closed') breaker.fail(nowMs)
      return availableFromMs(breaker, nowMs) - nowMs
    }
    for (const [closedMs, doublings] of [
      [0, 4],
      [9_999, 4],
      [10_000, 3],
      [25_000, 2],
      [300_000, 0],
    ] as const) {
      const breaker = opened(0)
      let nowMs = 0
      for (let probe = 0; probe < 3; probe++) {
        nowMs = availableFromMs(breaker, nowMs)
        breaker.begin(nowMs)
        breaker.fail(nowMs)
      }
      nowMs = availableFromMs(breaker, nowMs)
      breaker.begin(nowMs)
      breaker.succeed(nowMs)
      assert.equal(breaker.kind, 'closed')
      const waitMs = openMs(breaker, nowMs + closedMs)
      const mostMs = OPEN_MS_MIN * 2 ** doublings
      assert.ok(waitMs >= mostMs / 2 && waitMs <= mostMs + 1, `${waitMs} after ${closedMs}`)
    }
  })

  it('InstanceBreaker is back less and less often where every other call fails', () => {
    const breaker = new InstanceBreaker(seededRandom(3))
    let calls = 0
    for (let nowMs = 0; nowMs < 600_000; nowMs += 20) {
      if (!breaker.isAvailable(nowMs)) continue
      breaker.begin(nowMs)
      if (calls++ % 2 === 0) breaker.fail(nowMs)
      else breaker.succeed(nowMs)
    }
    assert.ok(calls < 120, `${calls} calls`)
  })
})
